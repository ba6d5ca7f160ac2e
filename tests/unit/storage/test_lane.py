"""The loop's side of the threads: what is handed over together, and when."""

import asyncio
import sqlite3
from collections.abc import Sequence
from itertools import pairwise

import pytest

from storage.sqlite.calls import Call
from storage.sqlite.lane import Lane

HOUR_S = 3600.0


def job(connection: sqlite3.Connection) -> None:
    """Do nothing."""


def merged(connection: sqlite3.Connection, items: Sequence[str]) -> Sequence[None]:
    """Do nothing for each."""
    return [None] * len(items)


class Desk:
    """A lane whose threads are the test: what is handed over lies in the inbox until it is looked at."""

    def __init__(self, pace_s: float = 0) -> None:
        self.lane = Lane(limit=100, chunk=10, pace_s=pace_s)
        self.names: dict[int, str] = {}
        self.tasks: list[asyncio.Task[None]] = []

    def ask(self, name: str, patience_s: float = 0) -> None:
        """Call the lane."""
        self.tasks.append(asyncio.create_task(self.lane.merge(merged, name, patience_s=patience_s)))

    async def handed_over(self) -> list[list[str]]:
        """Return what came through since the last look, one list for each hand-over."""
        for _ in range(4):
            await asyncio.sleep(0)
        found: list[list[str]] = []
        while not self.lane.inbox.empty():
            calls = self.lane.inbox.get()
            found += [] if calls is None else [self._finish(calls)]
        return found

    def _finish(self, calls: Sequence[Call]) -> list[str]:
        self.lane.post(calls)
        return [call.item for call in calls]

    async def close(self) -> list[list[str]]:
        """Close the lane; return what was still waiting."""
        self.lane.close(workers=1)
        found = await self.handed_over()
        await asyncio.gather(*self.tasks)
        return found


async def test_calls_of_one_turn_go_together() -> None:
    """In their order; the next turn's go apart, and at once if nothing sets a pace."""
    desk = Desk()
    for name in "abc":
        desk.ask(name)
    assert [["a", "b", "c"]] == await desk.handed_over()
    desk.ask("d")
    assert [["d"]] == await desk.handed_over()
    assert [] == await desk.close()


async def test_who_comes_alone_goes_at_once() -> None:
    """However high the pace: a client that waits for each answer is not slowed down."""
    desk = Desk(pace_s=HOUR_S)
    for name in "abcd":
        desk.ask(name)
        assert [[name]] == await desk.handed_over()
    await desk.close()


async def test_company_sets_the_pace() -> None:
    """After calls that went together the next ones gather until the pause is over, patient ones among them."""
    desk = Desk(pace_s=HOUR_S)
    desk.ask("a")
    desk.ask("b")
    assert [["a", "b"]] == await desk.handed_over()
    for name, patience_s in (("c", 0.0), ("d", 0.0), ("e", HOUR_S)):
        desk.ask(name, patience_s)
        assert [] == await desk.handed_over()
    desk.lane._hand_over()  # what the timer does
    assert [["c", "d", "e"]] == await desk.handed_over()
    assert [] == await desk.close()


@pytest.mark.parametrize("pace_s", [0.0, 0.002])
async def test_a_pause_ends_by_itself(pace_s: float) -> None:
    """Everybody is handed over in the end, in order, once."""
    desk = Desk(pace_s=pace_s)
    seen: list[str] = []
    for number in range(60):
        desk.ask(str(number), patience_s=0.001 if number % 7 == 0 else 0)
        if number % 3 == 0:
            await asyncio.sleep(0)
        seen += [name for names in await desk.handed_over() for name in names] if number % 5 == 0 else []
    while len(seen) < 60:
        await asyncio.sleep(0.001)
        seen += [name for names in await desk.handed_over() for name in names]
    assert all(int(one) < int(other) for one, other in pairwise(seen))
    assert [] == await desk.close()


async def test_patience_is_shared() -> None:
    """When it is quiet they go at once; soon after others they wait for one without, and closing waits for none."""
    desk = Desk()
    desk.ask("first", HOUR_S)
    assert [["first"]] == await desk.handed_over()
    for name in "ab":
        desk.ask(name, HOUR_S)
        assert [] == await desk.handed_over()
    desk.ask("c")
    assert [["a", "b", "c"]] == await desk.handed_over()
    desk.ask("d", HOUR_S)
    assert [] == await desk.handed_over()
    assert [["d"]] == await desk.close()
