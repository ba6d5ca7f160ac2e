"""What a result means, in words: the same in the terminal and on the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from loadtest.client.target import Transport
from loadtest.measure.names import Count, Metric
from loadtest.report.figures import clean, cores, count, duration, memory, ms, number, per_second, share
from loadtest.report.result import Fault, Generator, Latency, Percentiles, Result, ServerUse, Truth

NAMES = {
    Metric.DELIVERY: "Delivery",
    Metric.ACK: "Ack",
    Metric.CONNECT: "Connect",
    Metric.CATCHUP: "Catch-up",
    Metric.HTTP: "HTTP",
    Metric.CALL: "Call",
    Metric.LAG: "Generator lag",
}
"""All metrics, those that matter most to people first."""

ABOUT = {
    Metric.DELIVERY: "From the time a message was due until another person had it.",
    Metric.ACK: "From the time a message was due until the server said that it is stored.",
    Metric.CONNECT: "From the time a connection was due until the server said ready.",
    Metric.CATCHUP: "From coming back to a room until it was up to date.",
    Metric.HTTP: "From the time a request was due until its answer was read.",
    Metric.CALL: "From a typing, receipt or presence event until its ack.",
    Metric.LAG: "How late the generator itself was. It must be far below what it measures.",
}

VERDICTS = {"passed": "Passed", "failed": "Failed", "invalid": "Invalid", "unreachable": "Unreachable"}

WAYS: dict[Transport, str] = {
    "websocket": "websocket",
    "polling": "polling",
    "upgrade": "polling, then a websocket",
    "mixed": "websocket, half of them by way of polling",
}

Tone = Literal["plain", "good", "bad", "warn"]


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with its name and what it means."""

    name: str
    value: str
    about: str = ""
    tone: Tone = "plain"


def latencies(result: Result) -> dict[Metric, Percentiles]:
    """Return the latencies of the server that have data, those that matter most first."""
    known = {metric: result.latency.get(metric) for metric in NAMES if metric is not Metric.LAG}
    return {metric: found for metric, found in known.items() if found is not None and found.count}


def recent(window: Sequence[Latency]) -> Latency:
    """Return several seconds as one: the usual p50, and the worst p99 and max of them."""
    total = sum(second.count for second in window)
    usual = sum(second.p50 * second.count for second in window) / total if total else 0.0
    worst = (max(second.p99 for second in window), max(second.max for second in window)) if window else (0.0, 0.0)
    return Latency(count=total, p50=usual, p99=worst[0], max=worst[1])


def load_seconds(result: Result) -> float:
    """Return how long the load phase took."""
    return sum(phase.to_s - phase.from_s for phase in result.phases if phase.name == "load")


def rate(result: Result, name: Count) -> float:
    """Return how many per second, over the load phase."""
    seconds = load_seconds(result)
    return result.counts.get(name, 0) / seconds if seconds > 0 else 0.0


def reason(result: Result) -> str:
    """Return why the verdict is what it is, as a sentence."""
    broken = [check for check in result.checks if not check.ok]
    if result.verdict == "unreachable":
        return _nobody(result)
    if result.verdict == "invalid":
        why = " ".join(clean(why) for why in result.generator.reasons)
        return f"The generator could not keep up, so the figures are not the server's. {why}".strip()
    if broken:
        first = "; ".join(f"{clean(check.text)} (was {clean(check.actual)})" for check in broken[:3])
        return f"{len(broken)} of {_checks(len(result.checks))} did not hold: {first}{'; …' if broken[3:] else ''}."
    if result.checks:
        return f"{'All ' if len(result.checks) > 1 else ''}{_checks(len(result.checks))} held."
    return f"The run {'was stopped' if result.stopped_early else 'is complete'}. No check was asked for."


def _checks(how_many: int) -> str:
    return f"{how_many} check{'s' if how_many != 1 else ''}"


def _nobody(result: Result) -> str:
    causes = sorted((fault for fault in result.faults if fault.kind == "connect"), key=lambda fault: -fault.count)
    why = f" Mostly: {clean(causes[0].code)} ({clean(causes[0].example, 120)})." if causes else ""
    return f"None of {count(result.connections_asked)} connections was made.{why}"


def tested(result: Result) -> str:
    """Return what was done to whom, as a sentence."""
    asked = result.connections_asked
    way = WAYS[result.transport]
    who = f"{count(asked)} {'person' if asked == 1 else 'people'} over {way}" if asked else "HTTP alone"
    phases = ", ".join(f"{phase.name} {duration(phase.to_s - phase.from_s)}" for phase in result.phases)
    return (
        f"{who} against {clean(result.url)}, at scale {number(result.scale)}, "
        f"for {duration(result.duration_s)}{f' ({phases})' if phases else ''}."
    )


def key_figures(result: Result) -> list[Row]:
    """Return what one asks first, without what has no data."""
    return [*load(result), *_slowest(result), *_lost(result), *_server_load(result.server)]


def load(result: Result) -> list[Row]:
    """Return how many people there were, and what went to and fro."""
    return [*([_connected(result)] if result.connections_asked else []), *_upgraded(result), *_flow(result)]


def _connected(result: Result) -> Row:
    whole = result.connections_peak >= result.connections_asked
    failed = f", {count(result.connections_failed)} never got in" if result.connections_failed else ""
    value = count(result.connections_peak)
    tone: Tone = "plain" if whole else "bad"
    return Row("Connected", value, f"of {count(result.connections_asked)} asked{failed}", tone)


def _upgraded(result: Result) -> list[Row]:
    if result.transport not in {"upgrade", "mixed"}:
        return []
    return [Row("Upgraded", count(result.connections_upgraded), "went over from polling to a websocket")]


def _flow(result: Result) -> list[Row]:
    rows = []
    if result.counts.get(Count.ACKED):
        about = f"{per_second(rate(result, Count.DELIVERED))} delivered"
        rows.append(Row("Messages", per_second(rate(result, Count.ACKED)), about))
    if result.counts.get(Count.HTTP):
        total = f"{count(result.counts[Count.HTTP])} answers"
        rows.append(Row("HTTP requests", per_second(rate(result, Count.HTTP)), total))
    return rows


def _slowest(result: Result) -> list[Row]:
    return [
        Row(f"{NAMES[metric]} p99", ms(found.p99), f"p50 {ms(found.p50)}, max {ms(found.max)}")
        for metric, found in list(latencies(result).items())[:2]
    ]


def _lost(result: Result) -> list[Row]:
    if not result.truth.expected:
        return []
    about = f"of {count(result.truth.expected)} deliveries owed"
    return [Row("Lost", count(result.truth.lost), about, "bad" if result.truth.lost else "good")]


def _server_load(server: ServerUse | None) -> list[Row]:
    if server is None:
        return []
    return [Row("Server CPU", cores(server.cpu_cores), f"{memory(server.rss_mb_peak)} of memory")]


def messages(truth: Truth) -> list[Row]:
    """Return what became of the messages, seen by their senders."""
    return [
        Row("Sent", count(truth.sent), "Put on the wire by a person."),
        Row("Acked", count(truth.acked), "The server promised that it is stored."),
        _fault("Refused", truth.refused, "Answered with an error and given up.", "warn"),
        _fault("Unknown", truth.unknown, "Never answered, not even after a reconnect.", "warn"),
        _fault("Stored twice", truth.stored_twice, "One message that exists in two places of its room."),
    ]


def deliveries(truth: Truth) -> list[Row]:
    """Return what became of the messages, seen by their recipients."""
    owed = truth.expected
    return [
        Row("Owed", count(owed), "Acked messages × people who were in the room to get them."),
        Row("Live", count(truth.live), f"Arrived by themselves ({share(truth.live, owed)})."),
        Row("Caught up", count(truth.caught_up), f"Came after a reconnect ({share(truth.caught_up, owed)})."),
        _fault("Missed live", truth.missed_live, "Never arrived by themselves; a final look at the room had them."),
        _fault("Lost", truth.lost, "Acked, and gone for this person: not even a final look had them."),
        _fault("Duplicate", truth.duplicate, "Arrived again on a connection that already had them."),
        _fault("Out of order", truth.out_of_order, "Arrived after a later message of the same room."),
        _fault("Foreign", truth.foreign, "Nobody of this run sent them."),
    ]


def _fault(name: str, found: int, about: str, tone: Tone = "bad") -> Row:
    return Row(name, count(found), about, tone if found else "good")


def server_rows(server: ServerUse) -> list[Row]:
    """Return what the server used."""
    where = f"process {server.pid} and its children" if server.source == "pid" else "the server's own /metrics"
    rows = [
        Row("CPU", cores(server.cpu_cores), f"Mean over the load phase; {number(server.cpu_s)} s in all. From {where}.")
    ]
    if server.cpu_us_per_delivery is not None:
        rows.append(Row("CPU per delivery", f"{number(server.cpu_us_per_delivery)} µs", "All of its work, shared out."))
    if server.cpu_ms_per_connect is not None:
        rows.append(Row("CPU per connect", f"{number(server.cpu_ms_per_connect)} ms", "While everyone connected."))
    rows.append(Row("Memory", memory(server.rss_mb_peak), f"At the peak; {memory(server.rss_mb_before)} before."))
    if server.rss_kb_per_connection is not None:
        about = "Growth of resident memory until all were connected."
        rows.append(Row("Memory per connection", f"{number(server.rss_kb_per_connection)} KB", about))
    return rows


def generator_rows(generator: Generator) -> list[Row]:
    """Return what the generator used, and how late it was."""
    workers = f"{generator.workers} worker process{'es' if generator.workers != 1 else ''}"
    return [
        Row("Busiest worker", cores(generator.cpu_cores_peak), f"At its peak, of {workers}; one core is all it has."),
        Row("CPU", f"{number(generator.cpu_s)} s", "All workers together."),
        Row("Memory", memory(generator.rss_mb), "All workers together, at the peak."),
        Row("Lag p99", ms(generator.lag_p99_ms), f"{ABOUT[Metric.LAG]} Worst: {ms(generator.lag_max_ms)}."),
    ]


def by_count(faults: Sequence[Fault]) -> list[Fault]:
    """Return faults, the most frequent first."""
    return sorted(faults, key=lambda fault: (-fault.count, fault.kind, fault.code))
