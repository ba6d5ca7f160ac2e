"""Results as a run would give them: an evening that went well, and those that did not."""

import math
import random
from typing import Any

from hypothesis import strategies as st

from loadtest.measure.names import Count, Metric
from loadtest.report.result import (
    Check,
    Fault,
    Latency,
    Percentiles,
    Phase,
    Point,
    Result,
    ServerUse,
)

PEOPLE = 1_000
USUAL_MS = {
    Metric.CONNECT: 14.0,
    Metric.ACK: 1.8,
    Metric.DELIVERY: 2.1,
    Metric.CATCHUP: 6.0,
    Metric.HTTP: 3.2,
    Metric.CALL: 0.9,
    Metric.LAG: 0.12,
}

SERVER = ServerUse(
    source="pid",
    pid=4242,
    cpu_s=151.0,
    cpu_cores=0.63,
    cpu_us_per_delivery=310.0,
    rss_mb_before=82.0,
    rss_mb_peak=141.5,
    rss_kb_per_connection=33.5,
    cpu_ms_per_connect=0.66,
)


def evening(**changes: Any) -> Result:
    """Return a run of some minutes that passed: a short stall, a few reconnects, nothing lost."""
    return Result.model_validate(_evening(load_s=240) | changes)


def soak() -> Result:
    """Return a run of four hours."""
    return Result.model_validate(_evening(load_s=4 * 3600) | {"scenario": "soak", "about": "Four quiet hours."})


def failed() -> Result:
    """Return a run in which messages were lost, refused and doubled, and a threshold broke."""
    truth = _truth() | {
        "lost": 2, "live": 119_400 - 2, "refused": 41, "unknown": 3, "duplicate": 7, "out_of_order": 1,
        "missed_live": 12, "stored_twice": 1, "foreign": 1,
        "examples": ["lost: number 17 of sender 4 in r_8, for recipient 5", "duplicate: seq 9 in r_1, 2 ×"],
    }  # fmt: skip
    faults = [
        *_evening(load_s=1)["faults"],
        Fault(kind="ack", code="rate_limited", count=41, first_s=63.0, example="message:send: slow down"),
        Fault(kind="http", code="http_502", count=5, first_s=91.5, example="<html><body>502 Bad Gateway</body>"),
    ]
    checks = [Check(text="delivery.p99>1ms", actual="9.0 ms", ok=False), Check(text="lost>0", actual="2", ok=False)]
    return evening(truth=truth, faults=faults, checks=[*checks, *_checks()], verdict="failed")


def hostile(text: str) -> Result:
    """Return a run against a server that puts `text` wherever a server can."""
    fault = Fault(kind="ack", code=text, count=3, first_s=1.0, example=text)
    return evening(
        url=f"http://127.0.0.1:1/{text}", scenario=text, about=text, notes=[text], faults=[fault],
        truth=_truth() | {"examples": [text]}, settings={text: text, "groups": {text: {text: [text]}}},
        checks=[Check(text=text, actual=text, ok=False)], started_at=text,
    )  # fmt: skip


def unreachable() -> Result:
    """Return a run in which nobody got in: no figures at all."""
    points = [Point(t_s=t, connections=0, counts={Count.ERRORS: 100}, latency={}) for t in range(1, 11)]
    fault = Fault(kind="connect", code="refused", count=1_000, first_s=0.02, example="[Errno 111] Connection refused")
    return evening(
        verdict="unreachable", connections_peak=0, connections_failed=PEOPLE, latency={}, counts={}, server=None,
        truth=dict.fromkeys(_truth(), 0) | {"examples": []}, faults=[fault], points=points, duration_s=10.2,
        phases=[Phase(name="connect", from_s=0, to_s=10.2)], notes=["There are no figures of the server."],
        checks=[Check(text="delivery.p99>100ms", actual="no data", ok=False)],
    )  # fmt: skip


def stopped() -> Result:
    """Return a run that was stopped before its first second was over."""
    return evening(
        verdict="passed", stopped_early=True, connections_peak=0, latency={}, counts={}, server=None, duration_s=0.0,
        truth=dict.fromkeys(_truth(), 0) | {"examples": []}, faults=[], points=[], phases=[], checks=[], settings={},
    )  # fmt: skip


def invalid() -> Result:
    """Return a run in which the generator was the bottleneck, without figures of the server."""
    why = ["It was up to 412 ms late (p99 84 ms; at most 20 ms is fair).", "Worker 1 used 0.99 of its core."]
    generator = _generator() | {"valid": False, "reasons": why, "lag_p99_ms": 84.0, "lag_max_ms": 412.0}
    points = [_without_server(point) for point in _points(240, 20)]
    return evening(verdict="invalid", generator=generator, server=None, points=points)


def _without_server(point: Point) -> Point:
    return point.model_copy(update={"server_cpu": None, "server_rss_mb": None})


def _evening(load_s: float) -> dict[str, Any]:
    ramp = 20.0
    end = ramp + 4 + load_s
    return {
        "scenario": "evening",
        "about": "A school's evening peak: chats in pairs, live classes, the API, typing and presence, all at once.",
        "url": "http://127.0.0.1:8000",
        "transport": "websocket",
        "started_at": "2026-11-21T18:00:00Z",
        "duration_s": end + 7,
        "scale": 0.1,
        "settings": {
            "ramp_s": ramp,
            "load_s": load_s,
            "seed": 7,
            "groups": {"chats": {"behaviour": "pairs", "pairs": 100}, "api": {"behaviour": "api", "per_s": 100.0}},
        },
        "verdict": "passed",
        "stopped_early": False,
        "notes": [],
        "phases": [
            Phase(name="connect", from_s=0, to_s=ramp),
            Phase(name="prepare", from_s=ramp, to_s=ramp + 4),
            Phase(name="load", from_s=ramp + 4, to_s=end),
            Phase(name="settle", from_s=end, to_s=end + 5),
            Phase(name="sync", from_s=end + 5, to_s=end + 7),
        ],
        "connections_asked": PEOPLE,
        "connections_peak": PEOPLE,
        "connections_failed": 0,
        "latency": {metric: _percentiles(usual) for metric, usual in USUAL_MS.items()},
        "counts": {
            Count.SENT: 60_000, Count.ACKED: 60_000, Count.DELIVERED: 119_390, Count.HTTP: 24_000,
            Count.TYPING: 30_000, Count.RECEIPTS: 90_000, Count.DISCONNECTED: 5,
        },
        "truth": _truth(),
        "faults": [Fault(kind="close", code="lost", count=5, first_s=120.0, example="the connection ended")],
        "server": SERVER,
        "generator": _generator(),
        "checks": _checks(),
        "points": _points(load_s, ramp),
    }  # fmt: skip


def _checks() -> list[Check]:
    return [
        Check(text="delivery.p99>100ms", actual="9.0 ms", ok=True),
        Check(text="ack.p99_9>250ms", actual="21 ms", ok=True),
        Check(text="errors>10", actual="5", ok=True),
    ]


def _generator() -> dict[str, Any]:
    return {
        "workers": 2, "cpu_s": 88.0, "cpu_cores_peak": 0.41, "rss_mb": 310.0, "lag_p99_ms": 0.6, "lag_max_ms": 4.1,
        "valid": True, "reasons": [],
    }  # fmt: skip


def _truth() -> dict[str, Any]:
    return {
        "sent": 60_000, "acked": 60_000, "refused": 0, "unknown": 0, "expected": 119_400, "live": 119_390,
        "caught_up": 10, "missed_live": 0, "lost": 0, "duplicate": 0, "out_of_order": 0, "stored_twice": 0,
        "foreign": 0, "examples": [],
    }  # fmt: skip


def _percentiles(usual: float) -> Percentiles:
    steps = [2 - 2 ** (1 - n / 8) for n in range(130)]
    curve = [(100 * step / 2, _at(usual, step / 2)) for step in steps] + [(100.0, _at(usual, 0.99999))]
    values = {name: _at(usual, p) for name, p in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99_9", 0.999))}
    return Percentiles(
        count=60_000, min=usual / 3, mean=usual * 1.1, p99_99=_at(usual, 0.9999), max=_at(usual, 0.99999),
        curve=curve, **values,
    )  # fmt: skip


def _at(usual: float, p: float) -> float:
    nines = -math.log10(1 - min(p, 0.99999))
    return usual * (0.5 + nines * 0.5 + nines**3 * 0.35)


def _points(load_s: float, ramp: float) -> list[Point]:
    luck = random.Random(4)
    return [_point(t, ramp, load_s, luck) for t in range(1, int(ramp + load_s) + 12)]


def _point(t: int, ramp: float, load_s: float, luck: random.Random) -> Point:
    begin, end = ramp + 4, ramp + 4 + load_s
    loaded = begin < t <= end
    stall = 60 if loaded and t == int(begin + load_s * 0.4) else 1
    connections = min(PEOPLE, int(PEOPLE * t / ramp)) - (5 if t == 120 else 0)
    metrics = [Metric.CONNECT, Metric.LAG] if t <= ramp else [Metric.CATCHUP] if t == 121 else []
    metrics += [Metric.ACK, Metric.DELIVERY, Metric.HTTP, Metric.CALL, Metric.LAG] if loaded else []
    sent = int(luck.gauss(250, 12)) if loaded else 0
    counts = {
        Count.SENT: sent, Count.ACKED: sent, Count.DELIVERED: sent * 2, Count.HTTP: 100 if loaded else 0,
        Count.TYPING: sent // 2, Count.RECEIPTS: int(sent * 1.5), Count.CONNECTED: 50 if t <= ramp else 0,
        Count.DISCONNECTED: 5 if t == 120 else 0, Count.ERRORS: 5 if t == 120 else 0,
    }  # fmt: skip
    return Point(
        t_s=float(t), connections=connections, counts=counts,
        latency={metric: _latency(metric, stall, luck) for metric in metrics},
        server_cpu=luck.gauss(0.63 if loaded else 0.3, 0.03), generator_cpu=luck.gauss(0.4, 0.02),
        server_rss_mb=82 + 55 * connections / PEOPLE + 5 * t / (ramp + load_s),
    )  # fmt: skip


def _latency(metric: Metric, stall: int, luck: random.Random) -> Latency:
    p50 = USUAL_MS[metric] * (1 if metric is Metric.LAG else stall) * luck.uniform(0.9, 1.15)
    p99 = p50 * luck.uniform(1.8, 2.6)
    return Latency(count=250, p50=p50, p99=p99, max=p99 * luck.uniform(1.05, 3))


FIGURES = st.floats(0, 1e12)
WHOLE = st.integers(0, 10**12)
LATENCIES = st.builds(Latency, count=WHOLE, p50=FIGURES, p99=FIGURES, max=FIGURES)
POINTS = st.builds(
    Point,
    t_s=FIGURES,
    connections=WHOLE,
    counts=st.dictionaries(st.sampled_from(Count), WHOLE),
    latency=st.dictionaries(st.sampled_from(Metric), LATENCIES),
    server_cpu=st.none() | FIGURES,
    server_rss_mb=st.none() | FIGURES,
    generator_cpu=FIGURES,
)
PERCENTILES = st.builds(
    Percentiles,
    count=WHOLE,
    **dict.fromkeys(("min", "mean", "p50", "p90", "p99", "p99_9", "p99_99", "max"), FIGURES),
    curve=st.lists(st.tuples(st.floats(0, 100), FIGURES), max_size=5).map(sorted),
)
PHASES = st.builds(Phase, name=st.sampled_from(["connect", "load", "sync"]), from_s=FIGURES, to_s=FIGURES)
FAULTS = st.builds(
    Fault, kind=st.sampled_from(["connect", "http"]), code=st.text(), count=WHOLE, first_s=FIGURES, example=st.text()
)


def results() -> st.SearchStrategy[Result]:
    """Return any valid results: absurd figures, any text, anything missing."""
    return st.builds(
        lambda **changes: Result.model_validate(_evening(load_s=1) | changes),
        scenario=st.text(),
        url=st.text(),
        verdict=st.sampled_from(["passed", "failed", "invalid", "unreachable"]),
        duration_s=FIGURES,
        scale=FIGURES,
        connections_asked=WHOLE,
        connections_peak=WHOLE,
        phases=st.lists(PHASES, max_size=3),
        latency=st.dictionaries(st.sampled_from(Metric), PERCENTILES),
        counts=st.dictionaries(st.sampled_from(Count), WHOLE),
        faults=st.lists(FAULTS, max_size=3),
        checks=st.lists(st.builds(Check, text=st.text(), actual=st.text(), ok=st.booleans()), max_size=3),
        points=st.lists(POINTS, max_size=4).map(lambda found: sorted(found, key=lambda point: point.t_s)),
        server=st.none() | st.just(SERVER),
        settings=st.dictionaries(st.text(), st.text() | st.dictionaries(st.text(), WHOLE)),
    )
