"""One person's part of a conversation: messages at random moments, each written before it is sent."""

from loadtest.behaviours.bodies import BODIES
from loadtest.behaviours.person import Person

LEAST_GAP_S = 0.25
"""People do not send faster than this, which also keeps them below five messages a second."""
WRITING_NS = 2_000_000_000
"""How long writing a message takes."""


class Talk:
    """Has `person` say something in a room every `mean_s` on average, while the load lasts: a Poisson process.

    The times follow from the seed alone: a slow answer moves none of them.
    """

    __slots__ = ("_body_chars", "_chance", "_mean_s", "_person", "_room_id", "_typing")

    def __init__(
        self, person: Person, room_id: str, mean_s: float, *, typing: bool = False, body_chars: int = 0
    ) -> None:
        self._person = person
        self._room_id = room_id
        self._mean_s = mean_s
        self._typing = typing
        self._body_chars = body_chars
        self._chance = person.world.chance(person.user.index, "talk")

    def begin(self) -> None:
        """Schedule the first message; each one schedules the next."""
        self._plan(self._person.world.load_from_ns, self._chance.gap_ns(self._mean_s))

    def _plan(self, from_ns: int, gap_ns: int) -> None:
        world, due_ns = self._person.world, from_ns + gap_ns
        if due_ns >= world.load_until_ns:
            return
        if self._typing and self._mean_s * 1e9 > WRITING_NS:
            world.schedule.at(max(due_ns - WRITING_NS, from_ns), self._write)
        world.schedule.at(due_ns, self._say)

    def _write(self, due_ns: int) -> None:
        self._person.typing(self._room_id, due_ns, on=True)

    def _say(self, due_ns: int) -> None:
        self._person.say(self._room_id, self._chance.pick(BODIES).ljust(self._body_chars, "."), due_ns)
        self._plan(due_ns, self._chance.gap_ns(self._mean_s, LEAST_GAP_S))
