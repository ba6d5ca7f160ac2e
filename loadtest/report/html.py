"""A run as one HTML file that needs nothing else."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template

from loadtest.report import plots
from loadtest.report.charts import Chart, figure
from loadtest.report.figures import clean, count, duration, ms, number
from loadtest.report.result import Result
from loadtest.report.wording import (
    ABOUT,
    NAMES,
    VERDICTS,
    Row,
    by_count,
    deliveries,
    generator_rows,
    key_figures,
    latencies,
    messages,
    reason,
    server_rows,
    tested,
)

MARKS = {"passed": "✓", "failed": "✗", "invalid": "!", "unreachable": "✗"}


def page(result: Result) -> str:
    """Return the whole report. It loads nothing, is complete without its script, and runs no other script.

    Whatever a server said is text in it, never markup.
    """
    script = _asset("report.js")
    return Template(_asset("report.html")).substitute(
        title=_text(f"{VERDICTS[result.verdict]}: {result.scenario}"),
        style=_asset("report.css"),
        script=script,
        script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        verdict=result.verdict,
        header=_header(result),
        sections="".join(_sections(result)),
        started=_text(result.started_at),
    )


def _asset(name: str) -> str:
    return files("loadtest.report").joinpath(name).read_text(encoding="utf-8")


def _text(text: str) -> str:
    return escape(clean(text, 2000))


def _sections(result: Result) -> Iterable[str]:
    yield _section("checks", "Checks", _checks(result))
    if result.verdict != "unreachable":
        yield _section("latency", "Latency", _percentiles(result), plots.latency_charts(result))
    yield _section("messages", "Messages", _messages(result), plots.traffic_charts(result))
    yield _section("connections", "Connections and errors", _faults(result), plots.connection_charts(result))
    if result.verdict != "unreachable":
        yield _section("server", "Server", _server(result), plots.server_charts(result))
        yield _section("generator", "Generator", _generator(result), plots.generator_charts(result))
    yield _section("settings", "Settings", _settings(result))


def _section(key: str, title: str, body: str, charts: Sequence[Chart] = ()) -> str:
    if not body and not charts:
        return ""
    drawn = f'<div class="charts">{"".join(map(figure, charts))}</div>' if charts else ""
    heading = f'<h2 id="{key}-heading">{title}</h2>'
    return f'<section id="{key}" aria-labelledby="{key}-heading">{heading}{body}{drawn}</section>'


def _header(result: Result) -> str:
    verdict = (
        f'<p class="verdict"><span aria-hidden="true">{MARKS[result.verdict]}</span> {VERDICTS[result.verdict]}</p>'
    )
    notes = (
        ["The run was stopped early. The figures are of what was done."] if result.stopped_early else []
    ) + result.notes
    items = "".join(f"<li>{_text(note)}</li>" for note in notes)
    cards = "".join(_card(row) for row in key_figures(result)) if result.verdict != "unreachable" else ""
    return (
        f'{verdict}<h1>{_text(result.scenario)}</h1><p class="reason">{_text(reason(result))}</p>'
        f'<p class="tested">{_text(result.about)} {_text(tested(result))}</p>'
        + (f'<ul class="notes">{items}</ul>' if items else "")
        + (f'<dl class="cards">{cards}</dl>' if cards else "")
    )


def _card(row: Row) -> str:
    value = f"{_text(row.value)}<small>{_text(row.about)}</small>"
    return f'<div class="{row.tone}"><dt>{_text(row.name)}</dt><dd>{value}</dd></div>'


def _table(head: Sequence[str], rows: Iterable[str], kind: str, name: str) -> str:
    """Return a table that scrolls by itself when it is wider than the page."""
    columns = "".join(f'<th scope="col">{column}</th>' for column in head)
    top = f"<thead><tr>{columns}</tr></thead>" if head else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{_text(name)}">'
        f'<table class="{kind}">{top}<tbody>{"".join(rows)}</tbody></table></div>'
    )


def _rows(rows: Iterable[Row], name: str) -> str:
    drawn = (
        f'<tr class="{row.tone}"><th scope="row">{_text(row.name)}</th><td>{_text(row.value)}</td>'
        f"<td>{_text(row.about)}</td></tr>"
        for row in rows
    )
    return _table([], drawn, "facts", name)


def _checks(result: Result) -> str:
    rows = (
        f'<tr class="{"good" if check.ok else "bad"}"><td>{"✓ held" if check.ok else "✗ broken"}</td>'
        f'<th scope="row"><code>{_text(check.text)}</code></th><td>{_text(check.actual)}</td></tr>'
        for check in result.checks
    )
    return _table(["", "Fails if", "Was"], rows, "checks", "Checks") if result.checks else ""


def _percentiles(result: Result) -> str:
    rows = (
        f'<tr><th scope="row" title="{_text(ABOUT[metric])}">{NAMES[metric]}</th><td>{count(found.count)}</td>'
        + "".join(
            f"<td>{ms(value)}</td>"
            for value in (found.min, found.p50, found.p90, found.p99, found.p99_9, found.p99_99, found.max)
        )
        + "</tr>"
        for metric, found in latencies(result).items()
    )
    head = ("Latency", "Count", "min", "p50", "p90", "p99", "p99.9", "p99.99", "max")
    how = "<p>Counted from when each action was due, not from when the generator got to it.</p>"
    return how + _table(head, rows, "numbers", "Percentiles") if latencies(result) else ""


def _messages(result: Result) -> str:
    truth = result.truth
    if not truth.sent and not truth.foreign:
        return ""
    sides = (
        f"<div><h3>As their senders saw them</h3>{_rows(messages(truth), 'What became of the messages')}</div>"
        f"<div><h3>As their recipients saw them</h3>{_rows(deliveries(truth), 'What became of the deliveries')}</div>"
    )
    examples = "".join(f"<li>{_text(example)}</li>" for example in truth.examples)
    listed = f'<h3>For example</h3><ul class="examples">{examples}</ul>' if examples else ""
    return f'<div class="sides">{sides}</div>{listed}'


def _faults(result: Result) -> str:
    if not result.faults:
        return "<p>No errors.</p>"
    rows = (
        f"<tr><td>{count(fault.count)}</td><td>{_text(fault.kind)}</td>"
        f'<th scope="row"><code>{_text(fault.code)}</code></th>'
        f"<td>{duration(fault.first_s)}</td><td>{_text(fault.example)}</td></tr>"
        for fault in by_count(result.faults)
    )
    return _table(("Count", "Where", "Code", "First after", "Example"), rows, "faults", "Errors")


def _server(result: Result) -> str:
    if result.server is None:
        return "<p>No figures: it is not on this machine, or was not found, and has no /metrics.</p>"
    return _rows(server_rows(result.server), "What the server used")


def _generator(result: Result) -> str:
    generator = result.generator
    if generator.valid:
        said = '<p class="good">It kept up, so the figures are the server\'s.</p>'
    else:
        why = "".join(f"<li>{_text(reason)}</li>" for reason in generator.reasons)
        said = f'<p class="bad">It did not keep up: the figures are not the server\'s.</p><ul>{why}</ul>'
    return said + _rows(generator_rows(generator), "What the generator used")


def _settings(result: Result) -> str:
    flat = [
        ("scale", number(result.scale)),
        ("transport", result.transport),
        ("workers", count(result.generator.workers)),
        *_flat("", result.settings),
    ]
    rows = (f'<tr><th scope="row"><code>{_text(key)}</code></th><td>{_text(value)}</td></tr>' for key, value in flat)
    return _table((), rows, "settings", "Settings")


def _flat(prefix: str, settings: dict[str, object]) -> Iterable[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", str(value)
