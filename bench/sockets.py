"""What a server costs its machine, measured from outside through real websockets: `python -m bench.sockets`.

The load is open (each message has its time, whether or not the server keeps up) unless a line says otherwise, and
latency counts from that time. A run in which the generator itself was late is marked INVALID.
"""

import argparse
import asyncio
import contextlib
import resource
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import aiohttp
import uvloop

from bench.client import Client
from bench.process import Served, profiled, serving

SENDERS: Final = 64
PAIRS: Final = 100
RATE_PER_S: Final = 500
CONNECTIONS: Final = 1000
MEMBERS: Final = 100
FAN_OUT_PER_S: Final = 20
LATE_MS: Final = 10.0
"""A generator whose 99th percentile is later than this did not keep up."""

_AT_ONCE: Final = 50


@dataclass(slots=True)
class Latencies:
    """Seconds, as they come."""

    values: list[float] = field(default_factory=list)

    def at(self, share: float) -> float:
        """Return a percentile in ms."""
        ordered = sorted(self.values) or [float("nan")]
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    def __str__(self) -> str:
        return f"p50 {self.at(0.5):.1f} ms, p99 {self.at(0.99):.1f} ms"


def row(name: str, value: str, note: str = "") -> None:
    """Print one line of the table."""
    print(f"  {name:<46} {value:>16}   {note}".rstrip(), flush=True)


async def connect_all(http: aiohttp.ClientSession, served: Served, user_ids: Sequence[str]) -> list[Client]:
    """Connect everyone, some at a time."""
    clients = [Client(user_id) for user_id in user_ids]
    for start in range(0, len(clients), _AT_ONCE):
        await asyncio.gather(*(client.connect(http, served.url) for client in clients[start : start + _AT_ONCE]))
    return clients


async def close_all(clients: Sequence[Client]) -> None:
    """Disconnect everyone."""
    await asyncio.gather(*(client.close() for client in clients))


async def direct_room(one: Client, other_id: str) -> str:
    """Open the direct room of two; return its id."""
    data = await one.call("room:open", {"kind": "direct", "user_id": other_id})
    room_id: str = data["room"]["id"]
    return room_id


# ── durable sends, one after the other ───────────────────────────────────────────────────────────


async def measure_sends(http: aiohttp.ClientSession, served: Served, seconds: float) -> None:
    """One sender, then many, each in a room of its own and waiting for its ack before it sends again."""
    senders = await connect_all(http, served, [f"sender-{number}" for number in range(SENDERS)])
    rooms = [(await one.call("room:open", {"kind": "group", "title": "Notes"}))["room"]["id"] for one in senders]
    numbers = count()

    async def run(pairs: Sequence[tuple[Client, str]]) -> tuple[float, float, Latencies]:
        taken, start, cpu = Latencies(), time.perf_counter(), served.cpu_s()

        async def keep_sending(client: Client, room_id: str) -> None:
            before = time.perf_counter()
            while before < start + seconds:
                at = await client.say_and_wait(room_id, f"m{next(numbers)}")
                taken.values.append(at - before)
                before = time.perf_counter()

        await asyncio.gather(*(keep_sending(*pair) for pair in pairs))
        done = len(taken.values)
        return done / (time.perf_counter() - start), (served.cpu_s() - cpu) / done, taken

    pairs = list(zip(senders, rooms, strict=True))
    await run(pairs[:1])
    alone, alone_cpu, alone_taken = await run(pairs[:1])
    together, together_cpu, together_taken = await run(pairs)
    row("durable sends, 1 sender", f"{alone:,.0f}/s", f"{alone_cpu * 1e6:.0f} µs CPU each; ack {alone_taken}")
    row(
        f"durable sends, {SENDERS} senders",
        f"{together:,.0f}/s",
        f"{together_cpu * 1e6:.0f} µs CPU each; ack {together_taken}; x {together / alone:.1f}",
    )
    await close_all(senders)


# ── an open load ─────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class OpenLoad:
    """Messages that are sent when their time has come, and what became of them."""

    per_s: float
    seconds: float
    acks: Latencies = field(default_factory=Latencies)
    deliveries: Latencies = field(default_factory=Latencies)
    lateness: Latencies = field(default_factory=Latencies)
    due: dict[str, float] = field(default_factory=dict)
    generator_cpu: float = 0.0
    _all_acked: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, client_id: str, at: float) -> None:
        """Note a delivery."""
        if (due := self.due.get(client_id)) is not None:
            self.deliveries.values.append(at - due)

    async def run(self, senders: Sequence[tuple[Client, str]], prefix: str) -> None:
        """Send in turn, and wait for the last acks."""
        start, cpu = time.perf_counter() + 0.05, time.process_time()
        for number in range(int(self.per_s * self.seconds)):
            client, room_id = senders[number % len(senders)]
            due = start + number / self.per_s
            if (wait_s := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            self.lateness.values.append(max(0.0, time.perf_counter() - due))
            client_id = f"{prefix}{number}"
            self.due[client_id] = due
            await client.say(room_id, client_id, partial(self._acked, due))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_acked.wait(), 10)
        self.generator_cpu = (time.process_time() - cpu) / (time.perf_counter() - start)

    def _acked(self, due: float, at: float) -> None:
        self.acks.values.append(at - due)
        if len(self.acks.values) == int(self.per_s * self.seconds):
            self._all_acked.set()

    @property
    def verdict(self) -> str:
        """Say whether the figures can be trusted."""
        late = self.lateness.at(0.99)
        kept_up = late < LATE_MS and len(self.acks.values) == int(self.per_s * self.seconds)
        return f"{'valid' if kept_up else 'INVALID'}: p99 {late:.1f} ms late, {self.generator_cpu:.0%} of a core"


async def measure_pairs(http: aiohttp.ClientSession, served: Served, seconds: float, per_s: float) -> None:
    """Conversations of two at a steady rate: what a message costs, and how long it takes."""
    ids = [f"pair-{number}-{side}" for number in range(PAIRS) for side in "ab"]
    clients = await connect_all(http, served, ids)
    pairs = list(zip(clients[::2], clients[1::2], strict=True))
    rooms = [await direct_room(one, other.user_id) for one, other in pairs]
    senders = [(one, room_id) for (one, _), room_id in zip(pairs, rooms, strict=True)]
    await OpenLoad(per_s, 2).run(senders, "warm")
    load = OpenLoad(per_s, seconds)
    for _, other in pairs:
        other.on_message = load.heard
    cpu, start = served.cpu_s(), time.perf_counter()
    await load.run(senders, "m")
    cpu, elapsed = served.cpu_s() - cpu, time.perf_counter() - start
    sent = len(load.acks.values)
    row(f"{per_s:,.0f} messages/s in {PAIRS} direct rooms, ack", f"{load.acks.at(0.99):.1f} ms p99", str(load.acks))
    row("  to the other side", f"{load.deliveries.at(0.99):.1f} ms p99", str(load.deliveries))
    row("  server", f"{cpu / sent * 1e6:.0f} µs CPU", f"each message; {cpu / elapsed:.0%} of a core")
    row("  generator", load.verdict)
    await close_all(clients)


async def measure_fan_out(http: aiohttp.ClientSession, served: Served, seconds: float) -> None:
    """One room whose members are all there."""
    clients = await connect_all(http, served, [f"member-{number}" for number in range(MEMBERS)])
    opened = {"kind": "group", "title": "Everybody", "member_ids": [one.user_id for one in clients[1:]]}
    room_id = (await clients[0].call("room:open", opened))["room"]["id"]
    await OpenLoad(FAN_OUT_PER_S, 1).run([(clients[0], room_id)], "warm")
    load = OpenLoad(FAN_OUT_PER_S, seconds)
    for client in clients:
        client.on_message = load.heard
    cpu = served.cpu_s()
    await load.run([(clients[0], room_id)], "m")
    cpu = served.cpu_s() - cpu
    delivered = len(load.deliveries.values)
    row(
        f"1 room of {MEMBERS}, {delivered / seconds:,.0f} deliveries/s",
        f"{cpu / delivered * 1e6:.0f} µs CPU",
        f"each delivery, sending included; {load.deliveries}",
    )
    row("  generator", load.verdict)
    await close_all(clients)


# ── connections ──────────────────────────────────────────────────────────────────────────────────


async def measure_connections(http: aiohttp.ClientSession, served: Served, _: float) -> None:
    """Memory and CPU of people who are connected and say nothing."""
    warm = await connect_all(http, served, [f"warm-{number}" for number in range(_AT_ONCE)])
    await asyncio.sleep(1)
    ids = [f"idle-{number}" for number in range(CONNECTIONS)]
    for name in ("first sign-in of a user", "known users"):
        rss, cpu, start = served.rss_bytes(), served.cpu_s(), time.perf_counter()
        clients = await connect_all(http, served, ids)
        elapsed = time.perf_counter() - start
        await asyncio.sleep(1)
        cpu, grown = served.cpu_s() - cpu, served.rss_bytes() - rss
        if name.startswith("first"):
            row(f"{CONNECTIONS:,} idle connections", f"{grown / CONNECTIONS / 1024:.1f} KiB", "resident, each")
        row(
            f"accepting a connection, {name}",
            f"{cpu / CONNECTIONS * 1e3:.2f} ms CPU",
            f"{CONNECTIONS / elapsed:,.0f}/s from one generator",
        )
        await close_all(clients)
        await asyncio.sleep(1)
    await close_all(warm)


Scenario = Callable[[aiohttp.ClientSession, Served, float], Coroutine[Any, Any, None]]


async def run(scenario: Scenario, seconds: float, profile: Path | None) -> None:
    """Run one scenario against a fresh server."""
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(Path(directory)) as served,
        profiled(served, profile) if profile else contextlib.nullcontext(),
    ):
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            await scenario(http, served, seconds)


def main() -> None:
    """Run the scenarios that are asked for, one after the other."""

    async def pairs(http: aiohttp.ClientSession, served: Served, seconds: float) -> None:
        await measure_pairs(http, served, seconds, options.rate)

    scenarios: dict[str, tuple[Scenario, float]] = {
        "sends": (measure_sends, 4),
        "pairs": (pairs, 12),
        "connections": (measure_connections, 0),
        "fan-out": (measure_fan_out, 8),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", choices=[[], *scenarios], help="which scenarios; all by default")
    parser.add_argument("--seconds", type=float, help="length of each run")
    parser.add_argument("--rate", type=float, default=RATE_PER_S, help="messages a second of `pairs`")
    parser.add_argument("--profile", type=Path, help="have py-spy record the server into this file (stacks as text)")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for name in options.only or scenarios:
        scenario, seconds = scenarios[name]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(scenario, options.seconds or seconds, options.profile))


if __name__ == "__main__":
    main()
