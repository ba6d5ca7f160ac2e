"""What a run found, as data: the JSON file, and what every report is drawn from."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from loadtest.client.target import Transport
from loadtest.measure.names import Count, Metric

Verdict = Literal["passed", "failed", "invalid", "unreachable"]
"""`failed`: a threshold was broken. `invalid`: the generator was the bottleneck. `unreachable`: nobody got in."""


FAIR_LAG_MS = 20.0
"""A p99 of the generator's lag beyond which a run is not valid, unless its scenario says otherwise."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Percentiles(_Part):
    """One latency over the whole load phase, in ms. All zero if `count` is."""

    count: int
    min: float
    mean: float
    p50: float
    p90: float
    p99: float
    p99_9: float
    p99_99: float
    max: float
    curve: list[tuple[float, float]]
    """(percentile 0–100, ms), for the plot; denser towards 100, as HdrHistogram's percentile iterator gives it."""


class Truth(_Part):
    """What became of the messages. A delivery is one message at one recipient; the sender is not a recipient."""

    sent: int
    """Written by people, whether or not a connection was there to carry them."""
    acked: int
    refused: int
    """Answered with an error and given up."""
    unknown: int
    """Never answered, not even after reconnects: neither a promise nor a refusal."""
    expected: int
    """Deliveries owed: acked messages × people who were in the room when they were stored."""
    live: int
    """Of those, arrived as `message:new`."""
    caught_up: int
    """Of those, came with a snapshot after a reconnect."""
    missed_live: int
    """Of those, never arrived by themselves, but were there in the final sync."""
    lost: int
    """Of those, not even there in the final sync: an acked message is gone for this person."""
    duplicate: int
    """Extra live deliveries of a message that the person already had live, or by a snapshot of this connection."""
    out_of_order: int
    """Live deliveries of a message older (by `seq`) than one that the connection already had."""
    stored_twice: int
    """Messages that exist under two or more `seq`."""
    foreign: int
    """Deliveries that claim a message of this run that was refused or never sent. Other people's are passed over."""
    examples: list[str]
    """Up to 20 faults in words, with ids."""


class Latency(_Part):
    """One latency in one second, in ms."""

    count: int
    p50: float
    p99: float
    max: float


class Point(_Part):
    """One second of the run; counts are of this second."""

    t_s: float
    """Since the start of the run."""
    connections: int
    counts: dict[Count, int]
    latency: dict[Metric, Latency]
    server_cpu: float | None = None
    """Cores in use."""
    server_rss_mb: float | None = None
    generator_cpu: float = 0.0
    """Cores in use by all workers."""


class Phase(_Part):
    """A stretch of the run."""

    name: Literal["connect", "prepare", "load", "settle", "sync"]
    from_s: float
    to_s: float


class Fault(_Part):
    """A kind of error and how often it came."""

    kind: Literal["connect", "close", "ack", "call", "http", "protocol", "setup", "worker"]
    code: str
    count: int
    first_s: float
    example: str


class ServerUse(_Part):
    """What the server used, by `source`: its processes on this machine, or its own /metrics."""

    source: Literal["pid", "metrics"]
    pid: int | None
    cpu_s: float
    """During the load phase."""
    cpu_cores: float
    """Mean during the load phase."""
    cpu_us_per_delivery: float | None
    rss_mb_before: float
    rss_mb_peak: float
    rss_kb_per_connection: float | None
    """Growth of resident memory from before the first connection until all are connected, for each connection."""
    cpu_ms_per_connect: float | None


class Generator(_Part):
    """What the generator itself used, and whether it kept up."""

    workers: int
    cpu_s: float
    cpu_cores_peak: float
    """Of the busiest worker, over a second."""
    rss_mb: float
    """Of all workers, at the peak."""
    lag_p99_ms: float
    lag_max_ms: float
    fair_lag_ms: float = FAIR_LAG_MS
    valid: bool
    reasons: list[str]
    """Why not valid, each a sentence."""


class Check(_Part):
    """A threshold and what was found."""

    text: str
    actual: str
    ok: bool


class Result(_Part):
    """A whole run."""

    format: Literal[1] = 1
    scenario: str
    about: str
    url: str
    transport: Transport
    started_at: str
    """RFC 3339, UTC."""
    duration_s: float
    scale: float
    settings: dict[str, object]
    """The scenario as it was run: phases and groups with their fields."""
    verdict: Verdict
    stopped_early: bool
    notes: list[str]
    """What a reader should know: a worker that died, Ctrl-C, no server figures."""
    phases: list[Phase]
    connections_asked: int
    connections_peak: int
    connections_failed: int
    """People who never got in."""
    connections_upgraded: int = 0
    """Connections that went over from polling to a websocket, of the whole run, reconnects too."""
    latency: dict[Metric, Percentiles]
    counts: dict[Count, int]
    """During the load phase."""
    truth: Truth
    faults: list[Fault]
    server: ServerUse | None
    generator: Generator
    checks: list[Check]
    points: list[Point]
