"""One room of thousands: a teacher and a few speakers, and all the others listen."""

from pydantic import Field

from loadtest.behaviours.behaviour import Behaviour, Fields, scaled
from loadtest.behaviours.gathering import join_all, open_session
from loadtest.behaviours.talk import Talk

NO_ROOM = ""
"""What is shared when the teacher could not open the room."""


class LectureFields(Fields):
    """How many listen, and how often someone speaks."""

    listeners: int = scaled(1000, about="How many only listen.", ge=0)
    speakers: int = Field(5, ge=0, le=100, description="How many students write, beside the teacher.")
    speaker_every_s: float = Field(30, ge=0.5, description="How often each speaker writes, on average.")
    teacher_every_s: float = Field(5, ge=0.5, description="How often the teacher writes, on average.")
    receipts: bool = Field(True, description="Whether what was read is marked.")


class Lecture(Behaviour[LectureFields]):
    """A unit is one person: first the teacher, then the speakers, then the listeners. All workers share the room."""

    Fields = LectureFields

    @classmethod
    def count_units(cls, fields: LectureFields) -> int:
        """Return the number of people, the teacher among them."""
        return 1 + fields.speakers + fields.listeners

    @classmethod
    def role(cls, fields: LectureFields, number: int) -> str:  # noqa: ARG003 - as declared
        """Return who teaches: the first."""
        return "student" if number else "teacher"

    async def prepare(self) -> None:
        """The worker of the teacher opens the room and tells the others; everyone joins."""
        key = f"{self.group}.room"
        if 0 in self.units:
            await self.world.publish(key, await open_session(self.people[0], self.group) or NO_ROOM)
        try:
            room_id = await self.world.shared(key)
        except TimeoutError:
            self.world.recorder.error("setup", "no_room", "nobody told which room the lecture is in")
            return
        if room_id != NO_ROOM:
            await join_all(self.people, room_id, receipts=self.fields.receipts)

    def begin(self) -> None:
        """The teacher and the speakers begin to write."""
        for unit, person in zip(self.units, self.people, strict=True):
            every_s = self.fields.speaker_every_s if unit else self.fields.teacher_every_s
            for room_id in person.seats if unit <= self.fields.speakers else ():
                Talk(person, room_id, every_s).begin()
