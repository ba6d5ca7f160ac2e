"""How a person gets what did not come by itself: snapshots, pages of history, and the final sync."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from loadtest.behaviours.seat import Seat
from loadtest.behaviours.world import World
from loadtest.client.errors import CallFailed
from loadtest.client.session import Session
from loadtest.client.tokens import User
from loadtest.measure.names import Count, Metric
from loadtest.truth.stamp import Stamp, read_stamp

ATTEMPTS = 5
RETRY_S = 0.5
PATIENT_WITH = frozenset({"rate.limited", "server.unavailable", "server.overloaded", "timeout"})
"""Codes of refusals that pass."""
HISTORY_PAGE = 100
MOST_ROUNDS = 5
"""Snapshots asked for in a row while each leaves another hole; then the next live message asks again."""
GRACE_S = 1.0
"""How long what the final sync found may still take to come by itself, before it counts as missed."""

Arrive = Callable[[Stamp, int], bool]


async def ask(world: World, session: Session, event: str, payload: dict[str, Any]) -> Any:
    """Return the answer's data; patient with a server that asks for patience. Raises CallFailed."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await session.call(event, payload)
        except CallFailed as failed:
            if failed.code == "lost":
                raise
            if failed.code not in PATIENT_WITH or attempt == ATTEMPTS or world.closing:
                world.recorder.error("call", failed.code, f"{event}: {failed}")
                raise
            wait_ms = failed.retry_after_ms
        await asyncio.sleep(RETRY_S * attempt if wait_ms is None else wait_ms / 1000)
    raise AssertionError("unreachable")


class CatchingUp:
    """One person's reading of a room over one connection. Every method raises CallFailed if that ends."""

    __slots__ = ("_seat", "_session", "_user", "_world")

    def __init__(self, world: World, user: User, session: Session, seat: Seat) -> None:
        self._world = world
        self._user = user
        self._session = session
        self._seat = seat

    async def after_absence(self) -> None:
        """Become live again, and take in what came to the room meanwhile."""
        seat, recorder = self._seat, self._world.recorder
        asked_ns = time.monotonic_ns()
        snapshot = await self._snapshot("room:join")
        recorder.latency(Metric.CATCHUP, time.monotonic_ns() - asked_ns)
        seat.covered = snapshot["rev"]
        await self._take(snapshot, seat.inbox.caught_up, Count.CAUGHT_UP)
        seat.absent = False
        await self._close_holes("room:join", seat.inbox.caught_up, Count.CAUGHT_UP)

    async def as_told(self) -> None:
        """Take in what the server says that it may not have delivered."""
        snapshot = await self._snapshot("room:sync")
        self._seat.covered = snapshot["rev"]
        await self._take(snapshot, self._seat.inbox.caught_up, Count.CAUGHT_UP)
        await self._close_holes("room:sync", self._seat.inbox.caught_up, Count.CAUGHT_UP)

    async def after_gap(self) -> None:
        """Take in what the server passed over without a word: it was missed, even though it can be had."""
        await self._take(await self._snapshot("room:sync"), self._seat.inbox.final, None)
        await self._close_holes("room:sync", self._seat.inbox.final, None)

    async def at_the_end(self) -> None:
        """Take in whatever the room holds that this person, by now, still does not."""
        seat = self._seat
        snapshot = await self._snapshot("room:sync")
        if snapshot["messages"]:
            await asyncio.sleep(GRACE_S)
        await self._take(snapshot, seat.inbox.final, None)
        if seat.seqs.value < snapshot["room"]["last_seq"]:
            await self._page(snapshot["room"]["last_seq"], seat.inbox.final, None)

    async def _close_holes(self, event: str, arrive: Arrive, count: Count | None) -> None:
        """Ask again while live messages have run ahead of what the snapshot brought."""
        for _ in range(MOST_ROUNDS):
            if not self._seat.revs.has_hole:
                break
            await self._take(await self._snapshot(event), arrive, count)

    async def _snapshot(self, event: str) -> Any:
        payload = {"room_id": self._seat.room_id, "since_rev": self._seat.revs.value}
        return await ask(self._world, self._session, event, payload)

    async def _take(self, snapshot: Any, arrive: Arrive, count: Count | None) -> None:
        self._hold(snapshot["messages"], arrive, count)
        if snapshot["reset"]:
            await self._page(snapshot["room"]["last_seq"], arrive, count)
        self._seat.revs.raise_to(snapshot["rev"])

    async def _page(self, last_seq: int, arrive: Arrive, count: Count | None) -> None:
        """Read on to what was the last message when the snapshot was taken: later ones come by themselves."""
        after, more = self._seat.seqs.value, True
        while more:
            payload = {"room_id": self._seat.room_id, "after_seq": after, "limit": HISTORY_PAGE}
            page = await ask(self._world, self._session, "message:history", payload)
            self._hold([each for each in page["messages"] if each["seq"] <= last_seq], arrive, count)
            more = bool(page["has_more"] and page["messages"] and page["messages"][-1]["seq"] < last_seq)
            after = page["messages"][-1]["seq"] if more else after

    def _hold(self, messages: list[dict[str, Any]], arrive: Arrive, count: Count | None) -> None:
        for message in messages:
            seq = message["seq"]
            self._seat.seqs.add(seq)
            stamp = read_stamp(self._world.run, message["client_id"])
            if stamp is not None and stamp.sender != self._user.index and arrive(stamp, seq) and count is not None:
                self._world.recorder.count(count)
