"""What one reads in the terminal when a run is over."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loadtest.report.figures import clean, count, duration, ms, times
from loadtest.report.result import Check, Fault, Result, Verdict
from loadtest.report.wording import (
    NAMES,
    VERDICTS,
    Row,
    Tone,
    by_count,
    deliveries,
    generator_rows,
    latencies,
    load,
    messages,
    reason,
    server_rows,
    tested,
)

STYLES: dict[Tone, str] = {"plain": "", "good": "green", "bad": "bold red", "warn": "yellow"}
VERDICT_STYLES: dict[Verdict, str] = {
    "passed": "bold white on green",
    "failed": "bold white on red",
    "invalid": "bold black on yellow",
    "unreachable": "bold white on red",
}
FAULTS_SHOWN = 8


def print_summary(console: Console, result: Result, files: Sequence[Path]) -> None:
    """Print the verdict, what it rests on, and which `files` were written.

    Text of the server is printed as text: it can neither mark up nor steer the terminal.
    """
    parts = [_verdict(result), *_sections(result)]
    console.print(Group(*parts))
    for path in files:
        console.print(
            f"\nWritten: {path}" if path is files[0] else f"         {path}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _sections(result: Result) -> list[RenderableType]:
    found: list[RenderableType] = []
    if result.verdict != "unreachable":
        found.append(_titled("Load", _rows(load(result))))
    if result.truth.sent:
        found.append(_titled("Messages", _rows(_telling(messages(result.truth)))))
    if result.truth.expected or result.truth.foreign:
        found.append(_titled("Deliveries", Group(_rows(_telling(deliveries(result.truth))), *_examples(result))))
    if latencies(result):
        found.append(_titled("Latency", _latency(result)))
    if result.server is not None and result.verdict != "unreachable":
        found.append(_titled("Server", _rows(server_rows(result.server))))
    if result.verdict != "unreachable":
        found.append(_titled("Generator", _generator(result)))
    if result.faults:
        found.append(_titled("Errors", _faults(result.faults)))
    if result.checks:
        found.append(_titled("Checks", _checks(result.checks)))
    return found


def _verdict(result: Result) -> RenderableType:
    line = Text.assemble((f" {VERDICTS[result.verdict].upper()} ", VERDICT_STYLES[result.verdict]), "  ")
    line.append(f"{clean(result.scenario)}: {reason(result)}")
    notes = [Text(f"! {clean(note)}", style="yellow") for note in _notes(result)]
    return Group("", line, Text(tested(result), style="dim"), *notes)


def _notes(result: Result) -> list[str]:
    stopped = ["The run was stopped early; figures are of what was done."] if result.stopped_early else []
    return stopped + result.notes


def _titled(title: str, body: RenderableType) -> RenderableType:
    return Group("", Text(title, style="bold"), Padding(body, (0, 0, 0, 2), expand=False))


def _grid() -> Table:
    return Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)


def _telling(rows: Sequence[Row]) -> list[Row]:
    """Draw the faults that did not happen together into one row."""
    none = [row.name.lower() for row in rows if row.tone == "good"]
    rest = [row for row in rows if row.tone != "good"]
    return [*rest, Row("None", "0", ", ".join(none) + ".", "good")] if none else rest


def _rows(rows: Sequence[Row]) -> Table:
    table = _grid()
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for row in rows:
        table.add_row(row.name, Text(row.value, style=STYLES[row.tone]), Text(row.about))
    return table


def _examples(result: Result) -> list[RenderableType]:
    shown = [Text(f"e.g. {clean(example)}", style="red") for example in result.truth.examples[:3]]
    return list(shown)


def _latency(result: Result) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("")
    for column in ("count", "p50", "p90", "p99", "p99.9", "p99.99", "max"):
        table.add_column(column, justify="right", no_wrap=True)
    for metric, found in latencies(result).items():
        values = (found.p50, found.p90, found.p99, found.p99_9, found.p99_99, found.max)
        table.add_row(NAMES[metric], count(found.count), *map(ms, values))
    return table


def _generator(result: Result) -> RenderableType:
    generator = result.generator
    if not generator.valid:
        return Group(*(Text(clean(why), style="yellow") for why in generator.reasons), _rows(generator_rows(generator)))
    return _rows([row for row in generator_rows(generator) if row.name in {"Busiest worker", "Lag p99"}])


def _faults(faults: Sequence[Fault]) -> RenderableType:
    table = _grid()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    for fault in by_count(faults)[:FAULTS_SHOWN]:
        example = Text(f"first at {duration(fault.first_s)}: {clean(fault.example, 120)}")
        table.add_row(Text(times(fault.count), style="red"), fault.kind, Text(clean(fault.code, 40)), example)
    more = len(faults) - FAULTS_SHOWN
    return Group(table, Text(f"… and {more} more kinds", style="dim")) if more > 0 else table


def _checks(checks: Sequence[Check]) -> Table:
    table = Table("", "fails if", "was", box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for check in checks:
        mark = Text("✓", style="green") if check.ok else Text("✗", style="bold red")
        table.add_row(mark, Text(clean(check.text)), Text(clean(check.actual), style="" if check.ok else "bold red"))
    return table
