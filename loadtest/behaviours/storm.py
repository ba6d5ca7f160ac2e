"""Everyone's connection is cut at nearly the same moment, and everyone comes back at once and catches up."""

from pydantic import Field

from loadtest.behaviours.behaviour import scaled
from loadtest.behaviours.classroom import ClassroomFields, Sessions


class StormFields(ClassroomFields):
    """How many are cut off, when, and how often."""

    sessions: int = scaled(40, about="How many live sessions.", ge=1)
    student_every_s: float = Field(0, ge=0, description="How often each student writes, on average; 0: never.")
    teacher_every_s: float = Field(1, ge=0.5, description="How often the teacher writes, who stays connected.")
    typing: bool = Field(False, description="Whether others are shown that someone writes, in rooms of up to 100.")
    storm_after_s: float = Field(10, ge=0, description="When the first storm comes, after the beginning of the load.")
    within_ms: int = Field(500, ge=0, description="How long it takes until all connections are cut.")
    repeat_every_s: float = Field(0, ge=0, description="From one storm to the next; 0: there is one.")


class Storm(Sessions[StormFields]):
    """Sessions whose students all drop out; the teacher goes on, so there is something to catch up with."""

    Fields = StormFields

    def begin(self) -> None:
        """Speak, and plan the storms."""
        super().begin()
        self._plan(self.world.load_from_ns + int(self.fields.storm_after_s * 1e9))

    def _plan(self, due_ns: int) -> None:
        if due_ns < self.world.load_until_ns:
            self.world.schedule.at(due_ns, self._break)

    def _break(self, due_ns: int) -> None:
        for number, person in enumerate(self.people):
            if number % self.fields.members:
                late_ns = int(person.chance.random() * self.fields.within_ms * 1e6)
                self.world.schedule.at(due_ns + late_ns, person.drop)
        if self.fields.repeat_every_s > 0:
            self._plan(due_ns + int(self.fields.repeat_every_s * 1e9))
