"""Someone stops reading in a room that is flooded: `python -m bench.stall`.

How long the server keeps them once it holds more for them than its budget, what it grew by, and what the others
noticed. What the kernel holds, at both ends, is no part of the budget: it is read from /proc/net/tcp and taken off.
"""

import argparse
import asyncio
import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvloop

from auth.types import Role
from bench.contestants import CONTESTANTS, Contestant
from bench.process import Served, token_of
from bench.trial import Cores, Load, offer, on, two_cores
from loadtest.client.network import Network
from loadtest.client.session import Session
from loadtest.client.target import Target, parse_target
from loadtest.measure.histogram import Histogram
from loadtest.measure.names import Count, Metric

BUDGET_BYTES: Final = 1024 * 1024
FLOOD_BYTES: Final = 100_000_000
BODY: Final = 32_000
FRAME: Final = BODY + 400
"""About how long a message is on its way to a reader."""
PER_S: Final = 320
"""Messages a second: 10 MB for each reader."""
READERS: Final = 8
WARMING: Final = 1_500
"""Messages before anything is measured: then the server keeps as many of the room's as it ever will."""
CALM: Final = 1_000
STALLED_FROM: Final = "127.0.0.9"
LOOK_S: Final = 0.02
LATE_S: Final = 2.0
"""How long what is still under way may take after the flood."""
ESTABLISHED: Final = "01"


@dataclass(frozen=True, slots=True)
class Stall:
    """What a flood found."""

    cut_after_s: float | None
    """From when the server held more for the one who reads nothing than `BUDGET_BYTES`; None: it never cut them off.

    `LOOK_S` at least, which is how often one looks.
    """
    grown_mb: float
    """Resident memory at its highest during the flood, above that before."""
    calm_p99_ms: float
    """Of the others' deliveries, at the same rate, while all read."""
    p99_ms: float
    """Of the others' deliveries during the flood."""

    def __str__(self) -> str:
        cut = "never cut off" if self.cut_after_s is None else f"cut off after {self.cut_after_s:.2f} s"
        return (
            f"{cut}, the server grew by {self.grown_mb:.1f} MB, "
            f"the others' p99 {self.calm_p99_ms:.1f} ms before and {self.p99_ms:.1f} ms meanwhile"
        )


class Reader:
    """Reads along, and notes how long each message took."""

    def __init__(self) -> None:
        self.count = 0
        self.taken = Histogram()

    def on_event(self, name: str, payload: Any, now_ns: int) -> None:
        """Take a message; its `client_id` is when it was due."""
        if name == "message:new":
            self.count += 1
            self.taken.record(now_ns - int(payload["message"]["client_id"]))

    def on_closed(self, reason: str) -> None:
        """Who reads is not cut off; if they are, messages stay out, and `flood` says so."""


@dataclass(slots=True)
class Watch:
    """What was seen from outside while the flood went on."""

    stalled: bool = False
    passed_s: float | None = None
    """When (time.monotonic) the server first held more than the budget."""
    cut_s: float | None = None
    rss_bytes: int = 0


def flood(served: Served, cores: Cores, *, quick: bool = False) -> Stall:
    """Flood a room in which one person stops reading. Raises SystemExit when the others miss a message."""
    with on(cores.generator), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_flood(served, 0.2 if quick else 1.0))


async def _flood(served: Served, size: float) -> Stall:
    network = Network(parse_target(served.url))
    network.start()
    readers = [Reader() for _ in range(READERS)]
    try:
        teacher = await network.connect(token_of("teacher", Role.TEACHER), Reader())
        sessions = [await network.connect(token_of(f"reader-{n}"), reader) for n, reader in enumerate(readers)]
        stalled = await network.connect(token_of("stalled"), Reader(), STALLED_FROM)
        opened = {"kind": "session", "title": "Flood", "settings": {"open": True}}
        room_id = (await teacher.call("room:open", opened))["room"]["id"]
        for session in (teacher, *sessions, stalled):
            await session.call("room:join", {"room_id": room_id})
        await _speak(teacher, room_id, WARMING, readers)
        seen = Watch()
        watching = asyncio.create_task(_look(served, network.target, readers[0], seen))  # which costs something itself
        calm = await _speak(teacher, room_id, round(CALM * size), readers)
        before = seen.rss_bytes = served.rss_bytes()
        stalled.pause()
        seen.stalled = True
        p99_ms = await _speak(teacher, room_id, round(FLOOD_BYTES * size / FRAME), readers)
        await asyncio.sleep(LATE_S / 2)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for session in (teacher, *sessions):
            session.close()
        stalled.abort()
    finally:
        await network.close()
    return Stall(_between(seen), (seen.rss_bytes - before) / 1e6, calm, p99_ms)


def _between(seen: Watch) -> float | None:
    """Return the time from passing the budget to the end; between two looks both happen at once."""
    if seen.cut_s is None:
        return None
    return max(LOOK_S, seen.cut_s - seen.passed_s) if seen.passed_s is not None else LOOK_S


async def _speak(teacher: Session, room_id: str, count: int, readers: list[Reader]) -> float:
    """Say so many messages, each when it is due; return the p99 in ms of all readers once all have all."""
    for reader in readers:
        reader.count, reader.taken = 0, Histogram()
    body, start_ns = "x" * BODY, time.monotonic_ns()
    for number in range(count):
        due_ns = start_ns + number * 1_000_000_000 // PER_S
        if (wait_s := (due_ns - time.monotonic_ns()) / 1e9) > 0:
            await asyncio.sleep(wait_s)
        teacher.emit("message:send", {"room_id": room_id, "client_id": str(due_ns), "body": body})
    until = time.monotonic() + LATE_S + count / PER_S
    while any(reader.count < count for reader in readers):
        if time.monotonic() > until:
            raise SystemExit(f"of {count} messages those who read got {sorted(reader.count for reader in readers)}")
        await asyncio.sleep(LOOK_S)
    together = Histogram()
    for reader in readers:
        together.add(reader.taken)
    return together.percentiles().p99


async def _look(served: Served, target: Target, reader: Reader, seen: Watch) -> None:
    """Look at the connection and at the server's memory, again and again."""
    while True:
        now_s = time.monotonic()
        seen.rss_bytes = max(seen.rss_bytes, served.rss_bytes())
        queued = _in_kernel(target.port)
        if queued is None:
            seen.cut_s = seen.cut_s or now_s
        elif seen.stalled and seen.passed_s is None and reader.count * FRAME - queued > BUDGET_BYTES:
            seen.passed_s = now_s
        await asyncio.sleep(LOOK_S)


def _in_kernel(port: int) -> int | None:
    """Return the bytes that the kernel holds for the stalled one; None when the server has ended the connection."""
    stalled = "".join(f"{int(part):02X}" for part in reversed(STALLED_FROM.split(".")))
    held, is_there = 0, False
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        outgoing, _, incoming = queues.partition(":")
        if remote.startswith(f"{stalled}:") and local.endswith(f":{port:04X}"):
            is_there = state == ESTABLISHED
            held += int(outgoing, 16)
        elif local.startswith(f"{stalled}:"):
            held += int(incoming, 16)
    return held if is_there else None


# ── many slow readers, in the load tester's own scenario ─────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Crowd:
    """What 25 of 125 people who read nothing for a minute and more did to the server."""

    grown_mb: float
    cut: int
    p99_ms: float

    def __str__(self) -> str:
        return (
            f"25 slow readers: {self.cut} cut off, grew by {self.grown_mb:.1f} MB, the others' p99 {self.p99_ms:.1f} ms"
        )


def crowd(served: Served, cores: Cores) -> Crowd:
    """Run `slow-readers`; memory counts from the load's beginning."""
    result = offer(served, Load("slow-readers", ("load_s=100",)), cores)
    from_s = next((phase.from_s for phase in result.phases if phase.name == "load"), math.inf)
    seen = [point.server_rss_mb for point in result.points if point.server_rss_mb is not None and point.t_s >= from_s]
    delivery = result.latency.get(Metric.DELIVERY)
    return Crowd(max(seen) - seen[0], result.counts.get(Count.DISCONNECTED, 0), delivery.p99 if delivery else math.inf)


@contextmanager
def _serving(one: Contestant, cores: Cores) -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as directory, on(cores.server), one.serving(Path(directory)) as served:
        yield served


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a flood of 20 MB")
    parser.add_argument("--crowd", action="store_true", help="25 slow readers in the whole server instead")
    options = parser.parse_args()
    cores = two_cores()
    if cores is None:
        print("  skipped: one core only. The server needs one, and the flood another.")
        return
    for one in CONTESTANTS:
        if not (one.key == "homeroom" if options.crowd else one.floods) or one.lacking() is not None:
            continue
        with _serving(one, cores) as served:
            found = crowd(served, cores) if options.crowd else flood(served, cores, quick=options.quick)
        print(f"  {one.label:<24}{found}", flush=True)


if __name__ == "__main__":
    main()
