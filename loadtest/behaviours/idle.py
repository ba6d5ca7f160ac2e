"""People who are connected and do next to nothing, as most of a school does most of the time."""

from functools import partial

from pydantic import Field

from loadtest.behaviours.behaviour import Behaviour, Fields, scaled
from loadtest.behaviours.gathering import open_room
from loadtest.behaviours.person import Person
from loadtest.behaviours.world import each


class IdleFields(Fields):
    """How many, and what little they do."""

    people: int = scaled(1000, about="How many are connected.", ge=1)
    watch: int = Field(0, ge=0, le=200, description="How many others each one watches the presence of; 0: none.")
    rooms: bool = Field(False, description="Whether each one has a chat with a neighbour, in which nobody writes.")
    away_every_s: float = Field(0, ge=0, description="How often each one goes away or comes back; 0: never.")


class Idle(Behaviour[IdleFields]):
    """A unit is one person."""

    Fields = IdleFields

    @classmethod
    def count_units(cls, fields: IdleFields) -> int:
        """Return the number of people."""
        return fields.people

    async def prepare(self) -> None:
        """Watch one's neighbours, and have a chat with one of them: the same one whenever these people come again."""
        if self.fields.rooms and len(self.people) > 1:
            neighbours = [*self.people[1::2], self.people[0]]
            await each(list(zip(self.people[::2], neighbours, strict=False)), _open)
        watch = min(self.fields.watch, len(self.people) - 1)
        for place, person in enumerate(self.people):
            ids = [self.people[(place + step) % len(self.people)].user.id for step in range(1, watch + 1)]
            person.watch(ids)

    def begin(self) -> None:
        """Go away and come back, again and again."""
        if self.fields.away_every_s > 0:
            for person in self.people:
                self._plan(person, "away", self.world.load_from_ns)

    def _plan(self, person: Person, status: str, from_ns: int) -> None:
        due_ns = from_ns + person.chance.gap_ns(self.fields.away_every_s, min(1.0, self.fields.away_every_s))
        if due_ns < self.world.load_until_ns:
            self.world.schedule.at(due_ns, partial(self._change, person, status))

    def _change(self, person: Person, status: str, due_ns: int) -> None:
        person.presence(status, due_ns)
        self._plan(person, "online" if status == "away" else "away", due_ns)


async def _open(pair: tuple[Person, Person]) -> None:
    one, other = pair
    await open_room(one, {"kind": "direct", "user_id": other.user.id})
