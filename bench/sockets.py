"""What a server costs its machine, measured from outside through real websockets: `python -m bench.sockets`.

The load is the load tester's, which is open (each message has its time, whether or not the server keeps up, and
latency counts from that time), except for `sends`: there every sender waits for its ack. Server and generator share
the machine's cores as they like. Homeroom alone; `bench.peers` compares.
"""

import argparse
import asyncio
import contextlib
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import uvloop

from bench.process import Served, profiled, serving, token_of
from bench.trial import Load, offer, use_of
from loadtest.client.network import Network
from loadtest.client.session import Session
from loadtest.client.target import parse_target
from loadtest.measure.histogram import Histogram
from loadtest.measure.names import Count, Metric
from loadtest.report.result import Percentiles, Result

SENDERS: Final = 64
BODY: Final = "Does anyone have the answer to question four? I got 42."
PAIR_EVERY_S: Final = 0.5
RATE_PER_S: Final = 500
CONNECTIONS: Final = 1000
MEMBERS: Final = 100
FAN_OUT_PER_S: Final = 20


def row(name: str, value: str, note: str = "") -> None:
    """Print one line of the table."""
    print(f"  {name:<46} {value:>16}   {note}".rstrip(), flush=True)


def said(latency: Percentiles) -> str:
    """Return a latency in words."""
    return f"p50 {latency.p50:.1f} ms, p99 {latency.p99:.1f} ms"


# ── durable sends, one after the other ───────────────────────────────────────────────────────────


class Deaf:
    """A listener that needs only its acks."""

    def on_event(self, name: str, payload: Any, now_ns: int) -> None:
        """Let it pass."""

    def on_closed(self, reason: str) -> None:
        """The next call fails by itself."""


async def send_in_turn(served: Served, seconds: float) -> None:
    """One sender, then many, each in a room of its own and waiting for its ack before it sends again."""
    network = Network(parse_target(served.url, "websocket"))
    network.start()
    try:
        senders = [await network.connect(token_of(f"sender-{number}"), Deaf()) for number in range(SENDERS)]
        rooms = [(await one.call("room:open", {"kind": "group", "title": "Notes"}))["room"]["id"] for one in senders]
        pairs = list(zip(senders, rooms, strict=True))
        await keep_sending(served, pairs[:1], seconds)
        alone = await keep_sending(served, pairs[:1], seconds)
        together = await keep_sending(served, pairs, seconds)
        for session in senders:
            session.close()
    finally:
        await network.close()
    _tell_sends("durable sends, 1 sender", alone)
    _tell_sends(f"durable sends, {SENDERS} senders", together, f"; x {together[0] / alone[0]:.1f}")


async def keep_sending(
    served: Served, pairs: Sequence[tuple[Session, str]], seconds: float
) -> tuple[float, float, Percentiles]:
    """Return the rate, the server's CPU for each message in s, and how long acks took."""
    numbers, taken, start, cpu = count(), Histogram(), time.monotonic_ns(), served.cpu_s()

    async def keep(session: Session, room_id: str) -> None:
        before = time.monotonic_ns()
        while before < start + seconds * 1e9:
            payload = {"room_id": room_id, "client_id": f"{start}-{next(numbers)}", "body": BODY}
            await session.call("message:send", payload)
            after = time.monotonic_ns()
            taken.record(after - before)
            before = after

    await asyncio.gather(*(keep(*pair) for pair in pairs))
    found = taken.percentiles()
    return found.count / (time.monotonic_ns() - start) * 1e9, (served.cpu_s() - cpu) / found.count, found


def _tell_sends(name: str, found: tuple[float, float, Percentiles], more: str = "") -> None:
    per_s, cpu_s, taken = found
    row(name, f"{per_s:,.0f}/s", f"{cpu_s * 1e6:.0f} µs CPU each; ack {said(taken)}{more}")


def measure_sends(served: Served, seconds: float) -> None:
    """Run the closed loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(send_in_turn(served, seconds))


# ── the load tester's ────────────────────────────────────────────────────────────────────────────


def measure_pairs(rate: float, served: Served, seconds: float) -> None:
    """Conversations of two at a steady rate: what a message costs, and how long it takes."""
    pairs = max(1, round(rate * PAIR_EVERY_S / 2))
    plain = ("chats.typing=false", "chats.receipts=false")
    sized = (f"chats.pairs={pairs}", f"chats.message_every_s={PAIR_EVERY_S}")
    result = offer(served, Load("pairs", (*sized, *plain, "ramp_s=1", f"load_s={seconds}", "settle_s=5")))
    sent = result.counts.get(Count.ACKED, 0)
    ack, delivery = result.latency[Metric.ACK], result.latency[Metric.DELIVERY]
    row(f"{rate:,.0f} messages/s in {pairs} direct rooms, ack", f"{ack.p99:.1f} ms p99", said(ack))
    row("  to the other side", f"{delivery.p99:.1f} ms p99", said(delivery))
    server = use_of(result)
    row("  server", f"{server.cpu_s / sent * 1e6:.0f} µs CPU", f"each message; {server.cpu_cores:.0%} of a core")
    _tell_generator(result)


def measure_fan_out(served: Served, seconds: float) -> None:
    """One room whose members are all there."""
    teacher_every_s = 0.5
    student_every_s = (MEMBERS - 1) / (FAN_OUT_PER_S - 1 / teacher_every_s)
    changes = {
        "sessions": 1,
        "members": MEMBERS,
        "teacher_every_s": teacher_every_s,
        "student_every_s": student_every_s,
        "typing": "false",
        "receipts": "false",
    }
    sized = [f"lessons.{name}={value}" for name, value in changes.items()]
    result = offer(served, Load("classroom", (*sized, "ramp_s=1", f"load_s={seconds}", "settle_s=5")))
    delivered = result.counts.get(Count.DELIVERED, 0) + result.counts.get(Count.OWN, 0)
    server = use_of(result)
    row(
        f"1 room of {MEMBERS}, {delivered / seconds:,.0f} deliveries/s",
        f"{server.cpu_s / delivered * 1e6:.0f} µs CPU",
        f"each delivery, sending included; {said(result.latency[Metric.DELIVERY])}",
    )
    _tell_generator(result)


def measure_connections(served: Served, seconds: float) -> None:
    """Memory and CPU of people who are connected and say nothing."""
    idle = Load("connect", (f"people.people={CONNECTIONS}", "ramp_s=2", f"load_s={seconds}", "settle_s=1"))
    server = use_of(offer(served, idle))
    row(f"{CONNECTIONS:,} idle connections", f"{server.rss_kb_per_connection or 0:.1f} KB", "resident, each")
    row("accepting a connection, first sign-in of a user", f"{server.cpu_ms_per_connect or 0:.2f} ms CPU")


def _tell_generator(result: Result) -> None:
    generator = result.generator
    verdict = "valid" if generator.valid else "INVALID"
    row("  generator", f"{verdict}: p99 {generator.lag_p99_ms:.1f} ms late, {generator.cpu_cores_peak:.0%} of a core")


Scenario = Callable[[Served, float], None]


def run(scenario: Scenario, seconds: float, profile: Path | None) -> None:
    """Run one scenario against a fresh server."""
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(Path(directory)) as served,
        profiled(served, profile) if profile else contextlib.nullcontext(),
    ):
        scenario(served, seconds)


def main() -> None:
    """Run the scenarios that are asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "only",
        nargs="*",
        choices=[[], "sends", "pairs", "connections", "fan-out"],
        help="which scenarios; all by default",
    )
    parser.add_argument("--seconds", type=float, help="length of each run")
    parser.add_argument("--rate", type=float, default=RATE_PER_S, help="messages a second of `pairs`")
    parser.add_argument("--profile", type=Path, help="have py-spy record the server into this file (stacks as text)")
    options = parser.parse_args()
    scenarios: dict[str, tuple[Scenario, float]] = {
        "sends": (measure_sends, 4),
        "pairs": (partial(measure_pairs, options.rate), 12),
        "connections": (measure_connections, 2),
        "fan-out": (measure_fan_out, 8),
    }
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for name in options.only or scenarios:
        scenario, seconds = scenarios[name]
        run(scenario, options.seconds or seconds, options.profile)


if __name__ == "__main__":
    main()
