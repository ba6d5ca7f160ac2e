"""Durable appends per second, alone and in company, and the time to list rooms: `python -m bench.store`."""

import argparse
import asyncio
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from core.ids import MessageId, RoomId, UserId, uuid7
from rooms.types import Draft, Member, MessageKind, Room, RoomKind, RoomRole
from storage.sqlite.store import SqliteStore

SENDERS: Final = 64
LISTED_ROOMS: Final = 200
BODY: Final = "Does anyone have the answer to question four? I got 42."
FRAME: Final = b"x" * 300
BURST_S: Final = 0.000_4
NOW: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rate:
    """What one run of appends came to."""

    per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return (
            f"{self.per_second:>9,.0f} appends/s   {self.cpu_us:>6.1f} µs CPU each   "
            f"p50 {self.p50_ms:.2f} ms   p99 {self.p99_ms:.2f} ms"
        )


async def make_room(store: SqliteStore, user_ids: Sequence[UserId], kind: RoomKind = RoomKind.GROUP) -> RoomId:
    """Return a new room with these members."""
    room = Room(RoomId(uuid7()), kind, "Algebra", user_ids[0], NOW)
    members = [Member(room.id, user_id, RoomRole.MEMBER, NOW) for user_id in user_ids]
    await store.rooms.create(room, members)
    return room.id


def draft(room_id: RoomId, sender_id: UserId) -> Draft:
    """Return a message of usual length."""
    return Draft(MessageId(uuid7()), room_id, sender_id, uuid7(), MessageKind.TEXT, BODY, NOW)


async def measure(store: SqliteStore, senders: Sequence[tuple[RoomId, UserId]], seconds: float) -> Rate:
    """Return the rate of appends when every sender waits for its ack before it sends again."""
    latencies: list[float] = []
    cpu, start = time.process_time(), time.perf_counter()
    await asyncio.gather(*(_send(store, room_id, user_id, start + seconds, latencies) for room_id, user_id in senders))
    cpu, elapsed = time.process_time() - cpu, time.perf_counter() - start
    latencies.sort()
    return Rate(
        len(latencies) / elapsed,
        cpu / len(latencies) * 1e6,
        latencies[len(latencies) // 2] * 1e3,
        latencies[len(latencies) * 99 // 100] * 1e3,
    )


async def _send(store: SqliteStore, room_id: RoomId, user_id: UserId, until: float, latencies: list[float]) -> None:
    before = time.perf_counter()
    while before < until:
        await store.messages.append(draft(room_id, user_id))
        after = time.perf_counter()
        latencies.append(after - before)
        before = after


async def measure_busy(store: SqliteStore, senders: Sequence[tuple[RoomId, UserId]], seconds: float) -> Rate:
    """Return the rate of appends beside a loop that never rests: it frames and sends, as under full fan-out."""
    sending = asyncio.create_task(_keep_busy())
    try:
        return await measure(store, senders, seconds)
    finally:
        sending.cancel()


async def _keep_busy() -> None:
    left, right = socket.socketpair()
    with left, right:
        while True:
            until = time.perf_counter() + BURST_S
            while time.perf_counter() < until:
                left.send(FRAME)
                right.recv(len(FRAME))
                orjson.dumps({"message": BODY, "room": "r", "seq": 1})
            await asyncio.sleep(0)


async def measure_list(store: SqliteStore, seconds: float) -> tuple[float, float]:
    """Return the medians, in ms, of the first page of 50 and of everything, for a user with 200 rooms."""
    user_id = UserId("busy")
    for number in range(LISTED_ROOMS):
        room_id = await make_room(store, [user_id, UserId(f"peer-{number}")], RoomKind.DIRECT)
        await store.messages.append(draft(room_id, user_id))
    return await _median_list(store, user_id, 50, seconds / 2), await _median_list(store, user_id, 200, seconds / 2)


async def _median_list(store: SqliteStore, user_id: UserId, limit: int, seconds: float) -> float:
    taken, until = [], time.perf_counter() + seconds
    while (before := time.perf_counter()) < until:
        await store.rooms.list_for(user_id, kind=None, before=None, limit=limit)
        taken.append(time.perf_counter() - before)
    return statistics.median(taken) * 1e3


async def run(path: Path, seconds: float) -> None:
    """Print every figure."""
    store = await SqliteStore.open(path)
    users = [UserId(f"user-{number}") for number in range(SENDERS)]
    rooms = [await make_room(store, [user_id, UserId("teacher")]) for user_id in users]
    shared = await make_room(store, users)
    alone = await measure(store, [(rooms[0], users[0])], seconds)
    apart = await measure(store, list(zip(rooms, users, strict=True)), seconds)
    together = await measure(store, [(shared, user_id) for user_id in users], seconds)
    busy = await measure_busy(store, list(zip(rooms, users, strict=True)), seconds)
    print(f" 1 sender             {alone}")
    print(f"{SENDERS} senders, {SENDERS} rooms   {apart}   × {apart.per_second / alone.per_second:.1f}")
    print(f"{SENDERS} senders, one room   {together}   × {together.per_second / alone.per_second:.1f}")
    print(f"{SENDERS} senders, busy loop  {busy}")
    page, everything = await measure_list(store, seconds / 2)
    print(f"room list of {LISTED_ROOMS}      p50 {page:.2f} ms for the first 50, {everything:.2f} ms for all")
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each of the runs")
    parser.add_argument("--dir", help="where to put the database: the disk to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as directory:
        asyncio.run(run(Path(directory) / "bench.db", options.seconds))


if __name__ == "__main__":
    main()
