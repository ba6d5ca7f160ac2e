"""Two people to a chat, both writing."""

from pydantic import Field

from loadtest.behaviours.behaviour import Behaviour, Fields, scaled
from loadtest.behaviours.gathering import join_one, open_room
from loadtest.behaviours.person import Person
from loadtest.behaviours.talk import Talk
from loadtest.behaviours.world import each


class PairsFields(Fields):
    """How many chats, and how lively they are."""

    pairs: int = scaled(500, about="How many chats.", ge=1)
    message_every_s: float = Field(10, ge=0.5, description="How often each person writes, on average.")
    typing: bool = Field(True, description="Whether the other one is shown that a message is being written.")
    receipts: bool = Field(True, description="Whether what was read is marked.")


class Pairs(Behaviour[PairsFields]):
    """A unit is two people and their direct room."""

    Fields = PairsFields

    @classmethod
    def count_units(cls, fields: PairsFields) -> int:
        """Return the number of chats."""
        return fields.pairs

    @classmethod
    def people_in_unit(cls, fields: PairsFields) -> int:  # noqa: ARG003 - as declared
        """Return two."""
        return 2

    async def prepare(self) -> None:
        """Open each chat, which both then enter."""
        await each(list(zip(self.people[::2], self.people[1::2], strict=True)), self._meet)

    def begin(self) -> None:
        """Everyone who is in a chat begins to write."""
        for person in self.people:
            for room_id in person.seats:
                Talk(person, room_id, self.fields.message_every_s, typing=self.fields.typing).begin()

    async def _meet(self, pair: tuple[Person, Person]) -> None:
        one, other = pair
        room_id = await open_room(one, {"kind": "direct", "user_id": other.user.id})
        if room_id is not None:
            for person in pair:
                await join_one(person, room_id, receipts=self.fields.receipts)
