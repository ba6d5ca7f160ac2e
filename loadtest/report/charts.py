"""Charts as SVG in HTML, complete without a script.

The SVG is stretched to whatever room there is; what is written stands beside it as HTML, so it keeps its size.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from loadtest.report.axis import Axis
from loadtest.report.figures import clean, duration

SIZE = 1000
MOST_POINTS = 600
MOST_ROWS = 60
LEAST_MARGIN = 8
"""Letters to the left of the area, so that charts below each other line up."""
NARROW_BAND = 0.09
"""A phase that is narrower than this share of the chart is shaded, but not named."""

Keep = Literal["highest", "lowest", "mean"]
"""Which value stands for several seconds when there are too many to draw."""


@dataclass(frozen=True, slots=True)
class Line:
    """A value for each x, or None where there is none."""

    name: str
    values: Sequence[float | None]
    look: str
    """Its class in report.css: `s1` … `s6` or `max`; with `under`, it is a broad line below the others."""
    keep: Keep = "highest"


@dataclass(frozen=True, slots=True)
class Limit:
    """A level that is not to be passed, or that was aimed at."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the x axis with a name."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. All lines have as many values as there are `xs`, which rise."""

    key: str
    """Unique on the page; letters, digits and `-`."""
    title: str
    about: str
    xs: Sequence[float]
    x: Axis
    y: Axis
    lines: Sequence[Line]
    write_x: Callable[[float], str]
    write_y: Callable[[float], str]
    longest_gap: float
    """Of x: values farther apart are not joined."""
    limits: Sequence[Limit] = ()
    bands: Sequence[Band] = ()
    over_time: bool = True
    wide: bool = False


def reduced(xs: Sequence[float], lines: Sequence[Line], most: int) -> tuple[list[float], list[Line]]:
    """Return at most `most` points: each stands for several, as its line says."""
    size = -(-len(xs) // most) or 1
    starts = range(0, len(xs), size)
    fewer = [Line(one.name, [_stand_in(one, at, size) for at in starts], one.look, one.keep) for one in lines]
    return [xs[at] for at in starts], fewer


def _stand_in(line: Line, at: int, size: int) -> float | None:
    known = [value for value in line.values[at : at + size] if value is not None]
    if not known:
        return None
    if line.keep == "mean":
        return sum(known) / len(known)
    return max(known) if line.keep == "highest" else min(known)


def figure(chart: Chart) -> str:
    """Return a chart with its title, legend, axes, and a table of its figures."""
    xs, lines = reduced(chart.xs, chart.lines, MOST_POINTS)
    classes = "chart" + (" time" if chart.over_time else "") + (" wide" if chart.wide else "")
    return (
        f'<figure class="{classes}" id="chart-{chart.key}" data-points="{escape(_points(chart, xs, lines))}">'
        f"<figcaption><h3>{_text(chart.title)}</h3><p>{_text(chart.about)}{_note(chart, xs)}</p></figcaption>"
        f'{_legend(chart)}<div class="plot" style="--left:{_margin(chart.y)}ch">{_bands(chart)}'
        f'<div class="area">{svg(chart, xs, lines)}{_marks(chart)}</div></div>{_table(chart)}</figure>'
    )


def svg(chart: Chart, xs: Sequence[float], lines: Sequence[Line]) -> str:
    """Return the drawing alone."""
    shades = "".join(
        f'<rect class="shade" x="{_x(chart, band.start)}" width="{_span(chart, band)}" height="{SIZE}"/>'
        for band in chart.bands
        if band.name != "load"
    )
    grid = "".join(f"M0 {_y(chart, value)}H{SIZE}" for value, _ in chart.y.marks)
    limits = "".join(f'<path class="limit" d="M0 {_y(chart, limit.value)}H{SIZE}"/>' for limit in chart.limits)
    # The first line is the one to look at: it is drawn last, unless it is one to lie below.
    below = [line for line in lines if "under" in line.look]
    above = [line for line in reversed(lines) if "under" not in line.look]
    paths = "".join(_drawn(chart, xs, line) for line in below + above)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" preserveAspectRatio="none" role="img" '
        f'aria-labelledby="{chart.key}-title {chart.key}-desc">'
        f'<title id="{chart.key}-title">{_text(chart.title)}</title>'
        f'<desc id="{chart.key}-desc">{_text(_description(chart))}</desc>'
        f'{shades}<path class="grid" d="{grid}"/>{limits}{paths}</svg>'
    )


def _text(text: str) -> str:
    return escape(clean(text, 1000))


def _x(chart: Chart, value: float) -> str:
    return f"{chart.x.place(value) * SIZE:.1f}"


def _y(chart: Chart, value: float) -> str:
    return f"{(1 - chart.y.place(value)) * SIZE:.1f}"


def _span(chart: Chart, band: Band) -> str:
    return f"{max(chart.x.place(band.end) - chart.x.place(band.start), 0) * SIZE:.1f}"


def _drawn(chart: Chart, xs: Sequence[float], line: Line) -> str:
    pieces = _pieces(chart, xs, line)
    joined = "".join(f"M{'L'.join(piece)}" for piece in pieces if len(piece) > 1)
    alone = "".join(f"M{piece[0]}h0" for piece in pieces if len(piece) == 1)
    dots = f'<path class="line dots {line.look}" d="{alone}"/>' if alone else ""
    return f'<path class="line {line.look}" d="{joined}"/>{dots}' if joined else dots


def _pieces(chart: Chart, xs: Sequence[float], line: Line) -> list[list[str]]:
    """Return the places of the line, as stretches without a gap."""
    pieces: list[list[str]] = []
    before = -math.inf
    for x, value in zip(xs, line.values, strict=True):
        if value is None:
            continue
        if x - before > chart.longest_gap:
            pieces.append([])
        pieces[-1].append(f"{_x(chart, x)} {_y(chart, value)}")
        before = x
    return pieces


def _description(chart: Chart) -> str:
    parts = []
    for line in chart.lines:
        known = [(value, x) for value, x in zip(line.values, chart.xs, strict=True) if value is not None]
        if known:
            (low, _), (high, when) = min(known), max(known)
            ends = f"from {chart.write_y(low)} to {chart.write_y(high)}"
            parts.append(f"{line.name}: {ends}, highest at {chart.write_x(when)}.")
    parts += [f"{limit.name}: {chart.write_y(limit.value)}." for limit in chart.limits]
    return " ".join(parts)


def _note(chart: Chart, xs: Sequence[float]) -> str:
    """Return what a point stands for, if it is not one second. All lines of a chart are kept alike."""
    if len(xs) == len(chart.xs) or len(xs) < 2:
        return ""
    keep = chart.lines[0].keep
    return f" {keep.capitalize()} of each {duration(xs[1] - xs[0])}."


def _legend(chart: Chart) -> str:
    keys = [(line.look, line.name) for line in chart.lines] + [("limit", limit.name) for limit in chart.limits]
    items = "".join(f'<li><span class="key {look}"></span>{_text(name)}</li>' for look, name in keys)
    return f'<ul class="legend">{items}</ul>'


def _margin(axis: Axis) -> int:
    return max([len(name) + 1 for _, name in axis.marks] + [LEAST_MARGIN])


def _bands(chart: Chart) -> str:
    named = [(band, chart.x.place(band.start), chart.x.place(band.end)) for band in chart.bands]
    spans = "".join(
        f'<span style="left:{100 * start:.2f}%;width:{100 * (end - start):.2f}%">{_text(band.name)}</span>'
        for band, start, end in named
        if end - start >= NARROW_BAND
    )
    return f'<div class="bands" aria-hidden="true">{spans}</div>'


def _below(place: float, name: str) -> str:
    end = ' class="end"' if place > 0.97 else ""  # its text ends there, rather than beyond the card
    return f'<span{end} style="left:{100 * place:.2f}%">{_text(name)}</span>'


def _marks(chart: Chart) -> str:
    beside = "".join(
        f'<span style="bottom:{100 * chart.y.place(value):.2f}%">{_text(name)}</span>' for value, name in chart.y.marks
    )
    below = "".join(_below(chart.x.place(value), name) for value, name in chart.x.marks)
    return f'<div class="y" aria-hidden="true">{beside}</div><div class="x" aria-hidden="true">{below}</div>'


def _points(chart: Chart, xs: Sequence[float], lines: Sequence[Line]) -> str:
    """Return what the script shows under the pointer, written out: it formats nothing itself."""
    return json.dumps(
        {
            "x": [round(chart.x.place(x), 4) for x in xs],
            "when": [chart.write_x(x) for x in xs],
            "lines": [
                {
                    "name": clean(line.name),
                    "look": line.look,
                    "text": [None if value is None else chart.write_y(value) for value in line.values],
                    "y": [None if value is None else round(chart.y.place(value), 4) for value in line.values],
                }
                for line in lines
            ],
        },
        separators=(",", ":"),
    )


def _table(chart: Chart) -> str:
    xs, lines = reduced(chart.xs, chart.lines, MOST_ROWS)
    rows = [(x, [line.values[at] for line in lines]) for at, x in enumerate(xs)]
    body = "".join(
        f'<tr><th scope="row">{_text(chart.write_x(x))}</th>{"".join(_cell(chart, value) for value in row)}</tr>'
        for x, row in rows
        if any(value is not None for value in row)
    )
    head = "".join(f'<th scope="col">{_text(line.name)}</th>' for line in lines)
    first = "At" if chart.over_time else "Percentile"
    return (
        f'<details><summary>Figures<span class="unseen"> of {_text(chart.title)}</span></summary>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Figures of {_text(chart.title)}">'
        f'<table><thead><tr><th scope="col">{first}</th>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div></details>"
    )


def _cell(chart: Chart, value: float | None) -> str:
    return f"<td>{'–' if value is None else _text(chart.write_y(value))}</td>"
