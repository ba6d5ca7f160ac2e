"""One run of the load tester against one server, and the figures that are compared."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from auth.types import Role
from bench.process import Served, cpu_s, token_of
from loadtest.client.target import parse_target
from loadtest.client.tokens import User
from loadtest.measure.names import Count, Metric
from loadtest.report.result import Result, ServerUse
from loadtest.run.options import Options
from loadtest.run.run import run
from loadtest.scenarios.loader import load

_TOKEN_S: Final = 4 * 3600.0
BEHIND_S: Final = 0.5
"""A server that has so much of the load still before it when the load ends has not kept up."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the server runs, and where the generator."""

    server: int
    generator: int


def two_cores() -> Cores | None:
    """Return the first two cores that this process may use; None if there is one only."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[1]) if len(usable) > 1 else None


@contextmanager
def on(core: int) -> Iterator[None]:
    """Run this process, and what it starts meanwhile, on one core for the length of a block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Load:
    """A scenario of the load tester, and what is changed in it: `field=value` or `group.field=value`."""

    scenario: str
    changes: tuple[str, ...]
    after_s: float = 0.0
    """How long the server rests before it, so that the people of the load before have gone."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one run found."""

    deliveries_per_s: float
    """`message:new` that arrived during the load phase, at the sender too."""
    cpu_us: float
    """Of the server, for each delivery; acks, receipts and typing included."""
    broker_cpu_us: float | None
    """Of Redis, over the whole run, for each delivery."""
    p50_ms: float
    p99_ms: float
    """From the time a message was due until somebody else had it."""
    connect_ms: float
    """CPU of the server for each connection."""
    connection_kb: float
    """Growth of resident memory from before the first connection, while everyone is there and has their rooms."""
    load_cores: float
    """Cores that the server used during the load."""
    kept_up: bool
    """Whether the server took all that was offered, and lost nothing of it."""
    doubts: tuple[str, ...]
    """Why the generator was the bottleneck, if it was."""

    def __str__(self) -> str:
        return (
            f"{self.deliveries_per_s:,.0f}/s at {self.cpu_us:.1f} µs, "
            f"p50 {self.p50_ms:.2f} ms, p99 {self.p99_ms:.2f} ms, "
            f"{self.load_cores:.3f} cores, {self.connection_kb:.1f} KB and {self.connect_ms:.3f} ms a connection"
            f"{'' if self.kept_up else ', DID NOT KEEP UP'}{''.join(', ' + doubt for doubt in self.doubts)}"
        )


def offer(served: Served, asked: Load, cores: Cores | None = None) -> Result:
    """Run a load against a server. Raises SystemExit when nobody got in, or after Ctrl-C."""
    options = Options(
        scenario=load(asked.scenario, changes=asked.changes),
        target=parse_target(served.url, "websocket"),
        workers=1,
        server_pid=served.pid,
        cpus=[cores.generator] if cores else None,
    )
    result = run(options, mint)
    if result.stopped_early:
        raise SystemExit(130)
    if result.verdict == "unreachable":
        raise SystemExit(f"{asked.scenario}: nobody got in: {result.faults}")
    return result


def use_of(result: Result) -> ServerUse:
    """Return what the server used. Raises SystemExit when it died."""
    if result.server is None:
        raise SystemExit(f"{result.scenario}: the server is gone: {result.notes}")
    return result.server


def try_out(served: Served, asked: Load, cores: Cores) -> Trial:
    """Run a load against a server; return its figures."""
    time.sleep(asked.after_s)
    before = _broker_cpu_s(served)
    result = offer(served, asked, cores)
    return _trial(result, _broker_cpu_s(served) - before if served.broker_pid else None)


_TOKENS: Final[dict[User, str]] = {}


def mint(user: User, ttl_s: float) -> str:
    """Return a token that Homeroom accepts; who comes again has the one of the first time, as after a lost network."""
    if user not in _TOKENS:
        _TOKENS[user] = token_of(user.id, Role(user.role), name=user.name, ttl_s=max(ttl_s, _TOKEN_S))
    return _TOKENS[user]


def _trial(result: Result, broker_s: float | None) -> Trial:
    server = use_of(result)
    load_s = sum(phase.to_s - phase.from_s for phase in result.phases if phase.name == "load")
    deliveries = sum(result.counts.get(count, 0) for count in (Count.DELIVERED, Count.OWN, Count.SKIMMED))
    delivery = result.latency.get(Metric.DELIVERY)
    return Trial(
        deliveries_per_s=deliveries / load_s,
        cpu_us=server.cpu_s / deliveries * 1e6 if deliveries else 0.0,
        broker_cpu_us=broker_s / deliveries * 1e6 if broker_s is not None and deliveries else None,
        p50_ms=delivery.p50 if delivery else 0.0,
        p99_ms=delivery.p99 if delivery else 0.0,
        connect_ms=server.cpu_ms_per_connect or 0.0,
        connection_kb=_connection_kb(result, server),
        load_cores=server.cpu_cores,
        kept_up=_kept_up(result, load_s),
        doubts=(*result.generator.reasons, *(fault.example for fault in result.faults if fault.kind == "worker")),
    )


def _connection_kb(result: Result, server: ServerUse) -> float:
    """Return the growth at its lowest during the load: later by a garbage collection or two than when all came in."""
    loads = [(phase.from_s, phase.to_s) for phase in result.phases if phase.name == "load"]
    seen = [
        point.server_rss_mb
        for point in result.points
        if point.server_rss_mb is not None and any(from_s <= point.t_s <= to_s for from_s, to_s in loads)
    ]
    if not seen or not result.connections_peak:
        return server.rss_kb_per_connection or 0.0
    return (min(seen) - server.rss_mb_before) * 1e3 / result.connections_peak


def _kept_up(result: Result, load_s: float) -> bool:
    truth = result.truth
    behind_s = load_s * (1 - result.counts.get(Count.ACKED, 0) / truth.sent) if truth.sent else 0.0
    return behind_s < BEHIND_S and not truth.lost and not result.connections_failed


def _broker_cpu_s(served: Served) -> float:
    return cpu_s(served.broker_pid) if served.broker_pid else 0.0
