"""When people speak: a plan that follows from the seed alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

import pytest

from loadtest.behaviours.chance import Chance
from loadtest.behaviours.person import Person
from loadtest.behaviours.talk import Talk
from loadtest.client.tokens import User

LOAD_S = 600
S = 1_000_000_000


@dataclass
class Clockwork:
    """A schedule that runs everything at once, in the order of time."""

    pending: list[tuple[int, Callable[[int], None]]] = field(default_factory=list)

    def at(self, due_ns: int, action: Callable[[int], None]) -> None:
        """Note an action."""
        self.pending.append((due_ns, action))

    def run(self) -> None:
        """Do all actions, and those that they lead to."""
        while self.pending:
            self.pending.sort(key=lambda entry: entry[0])
            due_ns, action = self.pending.pop(0)
            action(due_ns)


@dataclass
class Stage:
    """A world with a clock of its own."""

    schedule: Clockwork = field(default_factory=Clockwork)
    load_from_ns: int = 5 * S
    load_until_ns: int = (5 + LOAD_S) * S
    seed: int = 1

    def chance(self, who: int, purpose: str) -> Chance:
        """Return random numbers."""
        return Chance(self.seed, who, purpose)


@dataclass
class Scribe:
    """A person who writes down what they are made to do."""

    world: Stage = field(default_factory=Stage)
    user: User = field(default_factory=lambda: User(3, "u3", "U 3", "student"))
    done: list[tuple[str, int]] = field(default_factory=list)
    bodies: set[str] = field(default_factory=set)

    def say(self, _room_id: str, body: str, due_ns: int) -> None:
        """Note a message."""
        self.done.append(("say", due_ns))
        self.bodies.add(body)

    def typing(self, _room_id: str, due_ns: int, *, on: bool) -> None:
        """Note a beginning."""
        assert on
        self.done.append(("write", due_ns))


def talk(mean_s: float, **more: Any) -> Scribe:
    """Play a whole load; return what was done."""
    scribe = Scribe()
    Talk(cast(Person, scribe), "room", mean_s, **more).begin()
    scribe.world.schedule.run()
    return scribe


def times(scribe: Scribe, what: str = "say") -> list[int]:
    """Return when something was done."""
    return [due_ns for done, due_ns in scribe.done if done == what]


def test_messages_come_at_the_mean_within_the_load_and_vary() -> None:
    """As many as were asked for, none outside the load, no two closer than people send."""
    scribe = talk(2.0)
    said = times(scribe)
    assert len(said) == pytest.approx(LOAD_S / 2, rel=0.2)
    assert 5 * S <= min(said) < max(said) < (5 + LOAD_S) * S
    assert S // 4 <= min(later - sooner for sooner, later in pairwise(said))
    assert 10 < len(scribe.bodies)


def test_the_same_seed_plans_the_same() -> None:
    """A run can be repeated."""
    assert talk(2.0).done == talk(2.0).done


def test_writing_begins_two_seconds_before_the_message() -> None:
    """Or when the last message went out, if that is later."""
    scribe = talk(5.0, typing=True)
    said = times(scribe)
    before = [scribe.world.load_from_ns, *said]
    expected = [max(due_ns - 2 * S, last_ns) for last_ns, due_ns in zip(before, said, strict=False)]
    assert expected == times(scribe, "write")
