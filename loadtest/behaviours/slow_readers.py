"""Sessions some of whose members stop reading, like phones asleep in a pocket; the others must not notice."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pydantic import Field, model_validator

from loadtest.behaviours.behaviour import scaled
from loadtest.behaviours.classroom import ClassroomFields, Sessions
from loadtest.behaviours.person import Person
from loadtest.behaviours.world import World
from loadtest.client.tokens import User
from loadtest.measure.names import Count

WAKING = (0.7, 0.95)
"""When the sleepers wake, one after the other: shares of the load's time."""
NOTICING_S = 2.0
"""How long it takes, at most, to read what the kernel holds and to see that the server has hung up."""


class SlowReadersFields(ClassroomFields):
    """How many of each session stop reading."""

    sessions: int = scaled(10, about="How many live sessions.", ge=1)
    slow: int = Field(3, ge=0, description="How many members of each session stop reading, once the load begins.")
    student_every_s: float = Field(5, ge=0, description="How often each student who reads writes; 0: never.")
    teacher_every_s: float = Field(1, ge=0, description="How often the teacher writes, on average; 0: never.")

    @model_validator(mode="after")
    def _leave_someone(self) -> "SlowReadersFields":
        if self.slow > self.members - 2:
            raise ValueError("slow: the teacher and at least one student of each session must go on reading")
        return self


class Sleeper(Person):
    """Someone who stops reading and wakes before the load ends: then what came meanwhile is caught up with."""

    __slots__ = ("_gone", "asleep")

    def __init__(self, world: World, user: User) -> None:
        super().__init__(world, user)
        self.asleep = False
        self._gone = asyncio.Event()
        """Set once the connection through which they fell asleep has ended."""

    def fall_asleep(self, _due_ns: int) -> None:
        """Read nothing more, and do not come back when the server hangs up."""
        self.asleep = True
        self._wanted = False
        if self.session is not None:
            self.session.pause()

    def wake(self, _due_ns: int) -> None:
        """Begin to read again, and come back over a new connection."""
        self.world.spawn(self._wake())

    async def _wake(self) -> None:
        if self.session is not None:
            self.session.resume()
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTICING_S):
                    await self._gone.wait()
        if self.session is not None:  # the server had let the backlog grow
            self.session.abort()
            await self._gone.wait()
        self.asleep = False
        await self.connect(time.monotonic_ns())

    async def sync(self) -> None:
        """Be awake, then sync as everyone does. Raises CallFailed."""
        if self.asleep:
            await self._wake()
        await super().sync()

    def on_event(self, name: str, payload: Any, now_ns: int) -> None:
        """Take a server event (`Listener`), unless it comes out of the buffers of one who slept."""
        if not self.asleep:
            super().on_event(name, payload, now_ns)

    def on_closed(self, reason: str) -> None:
        """Take the end of the connection (`Listener`)."""
        super().on_closed(reason)
        self._gone.set()

    def _lost(self, reason: str) -> None:
        """Being cut off is what is expected of a server here: it is counted, but it is no error."""
        if self.asleep:
            self.world.recorder.count(Count.DISCONNECTED)
        else:
            super()._lost(reason)


class SlowReaders(Sessions[SlowReadersFields]):
    """A session whose last `slow` members sleep through the load."""

    Fields = SlowReadersFields

    def __init__(
        self, world: World, fields: SlowReadersFields, group: str, first: int, last: int, people: Sequence[User]
    ) -> None:
        super().__init__(world, fields, group, first, last, people)
        self.people = [self._person(number, user) for number, user in enumerate(people)]

    def begin(self) -> None:
        """The slow ones fall asleep, the others begin to write."""
        for place in range(len(self.units)):
            for number, person in enumerate(self.members(place)):
                if isinstance(person, Sleeper):
                    self.world.schedule.at(self.world.load_from_ns, person.fall_asleep)
                    self.world.schedule.at(self._waking_ns(person), person.wake)
                else:
                    self.speak(person, self.fields.student_every_s if number else self.fields.teacher_every_s)

    def _waking_ns(self, person: Person) -> int:
        whole_ns = self.world.load_until_ns - self.world.load_from_ns
        return self.world.load_from_ns + int(whole_ns * person.chance.between(*WAKING))

    def _person(self, number: int, user: User) -> Person:
        sleeps = number % self.fields.members >= self.fields.members - self.fields.slow
        return Sleeper(self.world, user) if sleeps else Person(self.world, user)
