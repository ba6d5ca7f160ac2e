"""From all that was measured to one result, with its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from loadtest.measure.names import Count, Metric
from loadtest.report.result import Check, Fault, Generator, Percentiles, Result, Truth, Verdict
from loadtest.report.thresholds import Threshold, check
from loadtest.run.coordinator import Coordinator
from loadtest.run.options import Options
from loadtest.truth.audit import audit

FACTS = tuple(name for name in Truth.model_fields if name not in {"sent", "acked", "expected", "live", "examples"})
"""What a run finds out about the messages, whoever was slow."""
NONE = Percentiles(count=0, min=0, mean=0, p50=0, p90=0, p99=0, p99_9=0, p99_99=0, max=0, curve=[])


@dataclass(frozen=True, slots=True)
class Run:
    """What a run has left behind."""

    options: Options
    thresholds: Sequence[Threshold]
    lead: Coordinator
    started_at: datetime
    duration_s: float
    unreachable: str | None = None
    """Why the server could not be reached at all."""


def outcome(run: Run) -> Result:
    """Return the result of a run."""
    scenario, target, timeline, found = run.options.scenario, run.options.target, run.lead.timeline, run.lead.found
    latency, counts = timeline.percentiles(), timeline.counts()
    load_s = (found.load_until_ns - found.load_from_ns) / 1e9
    result = Result(
        scenario=scenario.name,
        about=scenario.head.about,
        url=target.url,
        transport=target.transport,
        started_at=run.started_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        duration_s=run.duration_s,
        scale=scenario.scale,
        settings=scenario.settings(),
        verdict="passed",
        stopped_early=found.interrupts > 0,
        notes=[],
        phases=found.phases,
        connections_asked=scenario.connections,
        connections_peak=timeline.connections_peak,
        connections_failed=_never_in(run),
        connections_upgraded=sum(last.upgraded for last in run.lead.found.lasts.values()),
        latency=latency,
        counts=counts,
        truth=audit(last.ledger for last in found.lasts.values()),
        faults=[*timeline.faults(), *_broken(run)],
        server=run.lead.server.use(load_s, counts.get(Count.DELIVERED, 0)),
        generator=_generator(run, latency.get(Metric.LAG, NONE)),
        checks=[],
        points=timeline.points(),
    )
    checks = [*_unasked(run), *(check(threshold, result) for threshold in run.thresholds)] if found.load_from_ns else []
    verdict = _verdict(run, result.generator, checks)
    return result.model_copy(update={"checks": checks, "verdict": verdict, "notes": _notes(run, result)})


def _generator(run: Run, lag: Percentiles) -> Generator:
    found = run.lead.found
    begun = sum(last.begun for last in found.lasts.values())
    missed = sum(last.missed for last in found.lasts.values())
    fair_lag_ms = run.options.scenario.head.fair_lag_ms
    return run.lead.effort.judge(found.load_from_ns, found.load_until_ns, lag, begun, missed, fair_lag_ms)


def _never_in(run: Run) -> int:
    if run.unreachable is not None or not run.lead.found.lasts:
        return run.options.scenario.connections
    return sum(last.never_in for last in run.lead.found.lasts.values())


def _verdict(run: Run, generator: Generator, checks: Sequence[Check]) -> Verdict:
    found = run.lead.found
    if run.unreachable is not None or (run.options.scenario.connections and not found.ever_connected):
        return "unreachable"
    broken = [each for each in checks if not each.ok]
    if found.broken or any(_is_fact(each) for each in broken):
        return "failed"
    if not generator.valid:
        return "invalid"
    return "failed" if broken else "passed"


def _is_fact(broken: Check) -> bool:
    """Whether it is a matter of what happened, not of how fast: true however late the generator was."""
    return broken.text.startswith(FACTS)


def _unasked(run: Run) -> list[Check]:
    """Return what fails a run whatever its thresholds are: without it there is no full account."""
    broken, unsynced = len(run.lead.found.broken), _unsynced(run)
    checks = [Check(text="a worker is lost", actual=f"{broken} lost", ok=False)] if broken else []
    if unsynced:
        checks.append(Check(text="final sync fails", actual=f"for {unsynced:,} people", ok=False))
    return checks


def _broken(run: Run) -> list[Fault]:
    faults = [
        Fault(kind="worker", code="ended", count=1, first_s=run.duration_s, example=why)
        for why in run.lead.found.broken.values()
    ]
    if run.unreachable is not None:
        faults.append(Fault(kind="connect", code="refused", count=1, first_s=0, example=run.unreachable))
    return faults


def _notes(run: Run, result: Result) -> list[str]:
    found = run.lead.found
    notes = [run.unreachable] if run.unreachable is not None else []
    notes += [f"{why} What its people sent and received is not in the figures." for why in found.broken.values()]
    if found.interrupts:
        notes.append("Stopped by Ctrl-C before its time.")
    if run.lead.server.seen and result.server is None and found.load_from_ns:
        notes.append("What the server used could no longer be seen when the load ended.")
    elif result.server is None and found.load_from_ns:
        notes.append("What the server used could not be seen: it is not on this machine, and shows no /metrics.")
    if unsynced := _unsynced(run):
        notes.append(
            f"{unsynced:,} people could not look, at the end, for what they still missed: it is counted as lost."
        )
    return notes


def _unsynced(run: Run) -> int:
    return sum(last.unsynced for last in run.lead.found.lasts.values()) if run.lead.found.load_from_ns else 0
