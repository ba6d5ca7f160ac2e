"""Live sessions: a teacher who writes often, students who ask now and then."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import Field, model_validator

from loadtest.behaviours.behaviour import Behaviour, Fields, scaled
from loadtest.behaviours.extra import Extra
from loadtest.behaviours.gathering import MOST_SHOWN, join_all, open_session
from loadtest.behaviours.person import Person
from loadtest.behaviours.talk import Talk
from loadtest.behaviours.world import World, each
from loadtest.client.tokens import User


class ClassroomFields(Fields):
    """How many sessions, how large, and how lively."""

    sessions: int = scaled(20, about="How many live sessions.", ge=1)
    members: int = Field(25, ge=2, le=1000, description="How many people are in each, the teacher among them.")
    student_every_s: float = Field(60, ge=0, description="How often each student writes, on average; 0: never.")
    teacher_every_s: float = Field(10, ge=0, description="How often the teacher writes, on average; 0: never.")
    typing: bool = Field(True, description="Whether others are shown that someone writes, in rooms of up to 100.")
    receipts: bool = Field(True, description="Whether what was read is marked.")
    body_chars: int = Field(0, ge=0, le=8000, description="How long messages are at least, in characters.")


F = TypeVar("F", bound=ClassroomFields)


class Sessions(Behaviour[F]):
    """A unit is one session: its teacher first, then the students."""

    @classmethod
    def count_units(cls, fields: F) -> int:
        """Return the number of sessions."""
        return fields.sessions

    @classmethod
    def people_in_unit(cls, fields: F) -> int:
        """Return the number of members."""
        return fields.members

    @classmethod
    def role(cls, fields: F, number: int) -> str:
        """Return who teaches: the first of each session."""
        return "student" if number % fields.members else "teacher"

    async def prepare(self) -> None:
        """Each teacher opens a session, which all of its members join."""
        await each(range(len(self.units)), self._gather)

    def begin(self) -> None:
        """Everyone who is in a session begins to write, as often as they do."""
        for place in range(len(self.units)):
            for number, person in enumerate(self.members(place)):
                self.speak(person, self.fields.student_every_s if number else self.fields.teacher_every_s)

    def members(self, place: int) -> Sequence[Person]:
        """Return the people of this share's session number `place`, the teacher first."""
        size = self.fields.members
        return self.people[place * size : (place + 1) * size]

    def speak(self, person: Person, every_s: float) -> None:
        """Have someone write in their session every so often; 0: never."""
        typing = self.fields.typing and self.fields.members <= MOST_SHOWN
        for room_id in person.seats if every_s > 0 else ():
            Talk(person, room_id, every_s, typing=typing, body_chars=self.fields.body_chars).begin()

    async def _gather(self, place: int) -> None:
        members = self.members(place)
        room_id = await open_session(members[0], f"{self.group} {self.units[place] + 1}")
        if room_id is not None:
            await join_all(members, room_id, receipts=self.fields.receipts)


class LessonsFields(ClassroomFields):
    """How many of each session are only there to fill it."""

    extras: int = Field(0, ge=0, description="How many members of each session keep no account of what they get.")

    @model_validator(mode="after")
    def _leave_someone(self) -> "LessonsFields":
        if self.extras > self.members - 2:
            raise ValueError("extras: the teacher and at least one student of each session must keep account")
        return self


class Classroom(Sessions[LessonsFields]):
    """Sessions in which everyone reads along, but for the last `extras` of each, who only count."""

    Fields = LessonsFields

    def __init__(
        self, world: World, fields: LessonsFields, group: str, first: int, last: int, people: Sequence[User]
    ) -> None:
        super().__init__(world, fields, group, first, last, people)
        self.people = [self._person(number, user) for number, user in enumerate(people)]

    def _person(self, number: int, user: User) -> Person:
        fills = number % self.fields.members >= self.fields.members - self.fields.extras
        return Extra(self.world, user) if fills else Person(self.world, user)
