"""Medians over the rounds, as a table with ratios and as JSON."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bench.contestants import CONTESTANTS, REFERENCE, Contestant
from bench.search import Highest
from bench.stall import Stall
from bench.trial import Trial

WIDTH: Final = 24


@dataclass(slots=True)
class Found:
    """All trials of one contestant, by load, one of each round."""

    trials: dict[str, list[Trial]]
    highest: Highest | None = None
    stall: Stall | None = None


Findings = Mapping[str, Found]
"""By the key of each contestant."""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure: of which load, and how it is read from a trial."""

    load: str
    title: str
    of: Callable[[Trial], float | None]
    digits: int = 1


ROWS: Final = (
    Row("pairs", "chats of two: deliveries/s", lambda trial: trial.deliveries_per_s, 0),
    Row("classroom", "sessions of 50: deliveries/s", lambda trial: trial.deliveries_per_s, 0),
    Row("lecture", "one room of 2,000: deliveries/s", lambda trial: trial.deliveries_per_s, 0),
    Row("pairs", "chats of two: CPU per delivery, µs", lambda trial: trial.cpu_us),
    Row("classroom", "sessions of 50: CPU per delivery, µs", lambda trial: trial.cpu_us),
    Row("lecture", "one room of 2,000: CPU per delivery, µs", lambda trial: trial.cpu_us),
    Row("pairs", "chats of two: CPU of Redis per delivery, µs", lambda trial: trial.broker_cpu_us),
    Row("classroom", "sessions of 50: CPU of Redis per delivery, µs", lambda trial: trial.broker_cpu_us),
    Row("idle", "memory of a connected person with a room, KB", lambda trial: trial.connection_kb),
    Row("idle", "CPU for all who are connected, % of a core", lambda trial: trial.load_cores * 100, 2),
    Row("idle", "CPU of coming in, the first time, ms", lambda trial: trial.connect_ms, 3),
    Row("returning", "CPU of coming in, known to the server, ms", lambda trial: trial.connect_ms, 3),
    Row("pairs", "chats of two: delivery p50, ms", lambda trial: trial.p50_ms, 2),
    Row("pairs", "chats of two: delivery p99, ms", lambda trial: trial.p99_ms, 2),
    Row("classroom", "sessions of 50: delivery p50, ms", lambda trial: trial.p50_ms, 2),
    Row("classroom", "sessions of 50: delivery p99, ms", lambda trial: trial.p99_ms, 2),
    Row("lecture", "one room of 2,000: delivery p50, ms", lambda trial: trial.p50_ms, 2),
    Row("lecture", "one room of 2,000: delivery p99, ms", lambda trial: trial.p99_ms, 2),
)
HIGHEST: Final = "highest deliveries/s with p99 < 100 ms"


def figures(row: Row, found: Found) -> list[float]:
    """Return a figure of every round."""
    values = [row.of(trial) for trial in found.trials.get(row.load, ())]
    return [value for value in values if value is not None]


def figure(load: str, of: Callable[[Trial], float | None], found: Found) -> float | None:
    """Return the median of a figure over all rounds; None if it was never found."""
    return _median(Row(load, "", of), found)


def as_text(findings: Findings) -> str:
    """Return the table. A figure in brackets is times that of Socket.IO on Node; `!` marks a doubt told below."""
    shown = [one for one in CONTESTANTS if one.key in findings]
    lines = [_line("", [one.label for one in shown]), _line("", [_terms(one) for one in shown])]
    for row in ROWS:
        values = [_median(row, findings[one.key]) for one in shown]
        if any(value is not None for value in values):
            marks = ["!" if _doubted(row.load, findings[one.key]) else "" for one in shown]
            lines.append(_line(row.title, _cells(shown, values, marks, row.digits)))
    best = [findings[one.key].highest for one in shown]
    if any(best):
        rates = [one.per_s if one else None for one in best]
        prefixes = ["≥" if one and one.at_least else "" for one in best]
        lines.append(_line(HIGHEST, _cells(shown, rates, prefixes, 0)))
    return "\n".join(lines + _doubts(shown, findings))


def as_data(findings: Findings) -> list[dict[str, object]]:
    """Return every figure with the values of all rounds, for machines."""
    data: list[dict[str, object]] = []
    for one in CONTESTANTS:
        if one.key not in findings:
            continue
        found = findings[one.key]
        rows = {row.title: {"median": _median(row, found), "rounds": figures(row, found)} for row in ROWS}
        highest = found.highest and {"per_s": found.highest.per_s, "at_least": found.highest.at_least}
        stall = found.stall and asdict(found.stall)
        said = {"key": one.key, "label": one.label, "about": one.about, "share": one.share}
        data.append({**said, "figures": rows, HIGHEST: highest, "stall": stall})
    return data


def _median(row: Row, found: Found) -> float | None:
    values = figures(row, found)
    return statistics.median(values) if values else None


def _cells(shown: Sequence[Contestant], values: Sequence[float | None], marks: Sequence[str], digits: int) -> list[str]:
    reference = next((value for one, value in zip(shown, values, strict=True) if one.key == REFERENCE), None)
    cells = []
    for value, mark in zip(values, marks, strict=True):
        text = "–" if value is None else f"{mark}{value:,.{digits}f}"
        cells.append(text + (f" ({value / reference:.2f})" if value is not None and reference else ""))
    return cells


def _terms(one: Contestant) -> str:
    """Return on which terms a contestant plays."""
    return one.about.partition(":")[0] + (f", {one.share:.3g} of the load" if one.share < 1 else "")


def _line(title: str, cells: Sequence[str]) -> str:
    return (f"{title:<46}" + "".join(f"{cell:>{WIDTH}}" for cell in cells)).rstrip()


def _doubted(load: str, found: Found) -> bool:
    return any(trial.doubts or not trial.kept_up for trial in found.trials.get(load, ()))


def _doubts(shown: Sequence[Contestant], findings: Findings) -> list[str]:
    lines: dict[str, None] = {}
    for one in shown:
        for load in dict.fromkeys(row.load for row in ROWS):
            for trial in findings[one.key].trials.get(load, ()):
                said = [*trial.doubts, *([] if trial.kept_up else ["the server did not keep up"])]
                lines |= {f"! {one.label}, {load}: {reason}": None for reason in said}
    return list(lines)
