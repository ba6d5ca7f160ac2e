"""Charts: well-formed whatever the run was, and true to its peaks."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.measure.names import Metric
from loadtest.report import axis, plots
from loadtest.report.charts import MOST_POINTS, Chart, Line, figure, reduced
from loadtest.report.figures import number
from loadtest.report.result import Check, Result
from tests.unit.loadtest.report import sample

SVG = "{http://www.w3.org/2000/svg}"
SAMPLES = (sample.evening, sample.failed, sample.invalid, sample.unreachable, sample.stopped, sample.soak)


def charts(result: Result) -> list[Chart]:
    """Return every chart of a result."""
    kinds = (
        plots.latency_charts,
        plots.traffic_charts,
        plots.connection_charts,
        plots.server_charts,
        plots.generator_charts,
    )
    return [chart for kind in kinds for chart in kind(result)]


def drawings(result: Result) -> list[ElementTree.Element]:
    """Return every drawing, parsed as strict XML."""
    found = [re.search(r"<svg.*</svg>", figure(chart), re.DOTALL) for chart in charts(result)]
    return [ElementTree.fromstring(match[0]) for match in found if match]  # noqa: S314 - we wrote it ourselves


def places(path: str) -> list[float]:
    """Return all numbers of a path."""
    return [float(found) for found in re.findall(r"-?[\d.]+", path)]


@pytest.mark.parametrize("make", SAMPLES)
def test_each_drawing_is_named_described_and_inside_its_frame(make: object) -> None:
    """A screen reader finds a title and a description in each, and no line leaves the area."""
    assert callable(make)
    result = make()
    found = drawings(result)
    assert len(charts(result)) == len(found)
    for svg in found:
        assert svg.findtext(f"{SVG}title")
        assert svg.find(f"{SVG}desc") is not None
        for path in svg.findall(f"{SVG}path"):
            assert all(0 <= place <= 1000 for place in places(path.attrib["d"]))


@settings(max_examples=40, deadline=None)
@given(sample.results())
def test_any_result_can_be_drawn(result: Result) -> None:
    """Whatever the figures and texts are, each drawing is well-formed XML without a NaN."""
    for svg in drawings(result):
        assert "nan" not in ElementTree.tostring(svg, encoding="unicode").lower()


def test_nothing_is_drawn_of_what_has_no_data() -> None:
    """A run that was stopped at once has no charts; one without server figures has none of the server."""
    assert [] == charts(sample.stopped())
    assert [] == plots.server_charts(sample.invalid())
    assert ["connections", "errors"] == [chart.key for chart in charts(sample.unreachable())]


def test_an_evening_shows_all_that_was_measured() -> None:
    """Each measured thing has its chart, and each key is unique on the page."""
    keys = [chart.key for chart in charts(sample.evening())]
    assert len(keys) == len(set(keys))
    assert {"percentiles", "latency-delivery", "latency-lag", "messages", "requests", "errors", "server-cpu"} <= set(
        keys
    )


def test_a_long_run_keeps_its_peak() -> None:
    """Four hours become at most 600 points, and the one second of the stall is still the highest."""
    chart = next(chart for chart in charts(sample.soak()) if chart.key == "latency-delivery")
    xs, lines = reduced(chart.xs, chart.lines, MOST_POINTS)
    assert len(chart.xs) > 14_000
    assert len(xs) <= MOST_POINTS
    for whole, fewer in zip(chart.lines, lines, strict=True):
        assert highest(whole.values) == highest(fewer.values)
    assert "Highest of each 25 s." in figure(chart)


def highest(values: Sequence[float | None]) -> float:
    """Return the highest known value."""
    return max(value for value in values if value is not None)


@pytest.mark.parametrize(
    ("keep", "expected"), [("highest", [3.0, None, 5.0]), ("mean", [2.0, None, 5.0]), ("lowest", [1.0, None, 5.0])]
)
def test_a_point_stands_for_several_as_its_line_says(keep: str, expected: list[float | None]) -> None:
    """Unknown seconds count for nothing, and a stretch without any stays unknown."""
    line = Line("a", [1.0, 3.0, None, None, None, 5.0], "s1", keep)  # type: ignore[arg-type] # one of the three
    xs, (fewer,) = reduced([0, 1, 2, 3, 4, 5], [line], 3)
    assert ([0, 2, 4], expected) == (xs, list(fewer.values))


def test_a_gap_is_not_bridged_and_a_lone_second_is_a_dot() -> None:
    """People came back for one second only: each line of their catch-up is a dot."""
    chart = next(chart for chart in charts(sample.evening()) if chart.key == "latency-catchup")
    assert 3 == figure(chart).count('class="line dots')


def test_thresholds_on_a_latency_are_drawn_in_its_chart() -> None:
    """A limit is in ms whatever its unit was; others, and those of other metrics, are left out."""
    texts = ["delivery.p99>100ms", "delivery.max > 1.5 s", "ack.p99>5ms", "delivery.p99_9>1s", "lost>0", "nonsense"]
    checks = [Check(text=text, actual="", ok=True) for text in texts]
    assert [100.0, 1500.0] == [limit.value for limit in plots.limits(Metric.DELIVERY, checks)]
    assert ["limit of p99: 100 ms", "limit of max: 1.5 s"] == [
        limit.name for limit in plots.limits(Metric.DELIVERY, checks)
    ]


def test_values_far_apart_are_on_a_logarithmic_axis() -> None:
    """From 1 to 1,000 each decade has the same room; from 1 to 10 the axis begins at 0."""
    wide = axis.values([1, 1000], number, may_be_log=True)
    assert ["1", "10", "100", "1,000"] == [name for _, name in wide.marks]
    assert [0, 1 / 3, 2 / 3, 1] == pytest.approx([wide.place(value) for value in (1, 10, 100, 1000)])
    near = axis.values([1, 10], number, may_be_log=True)
    assert (0, 0.0, False) == (near.low, near.place(0), near.logarithmic)


@given(st.lists(st.floats(0, 1e9), max_size=5), st.booleans())
def test_an_axis_holds_its_values_and_few_marks(found: list[float], may_be_log: bool) -> None:
    """Each value is inside, marks rise, and there are never more than can be read."""
    made = axis.values(found, number, may_be_log=may_be_log)
    assert all(value <= made.high for value in found)
    assert [value for value, _ in made.marks] == sorted(value for value, _ in made.marks)
    assert 1 <= len(made.marks) <= 12


@pytest.mark.parametrize(
    ("end", "last"),
    [(0, "1 s"), (9, "8 s"), (60, "60 s"), (300, "5 min"), (3600, "60 min"), (4 * 3600, "4 h"), (86_400, "20 h")],
)
def test_time_is_marked_in_round_steps(end: float, last: str) -> None:
    """Seconds, minutes or hours, as the run is long; at most eight marks."""
    marks = axis.seconds(end).marks
    assert (last, "0") == (marks[-1][1], marks[0][1])
    assert len(marks) <= 8


def test_percentiles_are_placed_by_their_nines() -> None:
    """10,000 samples tell up to 99.99 %, which is four times as far as 90 %."""
    made = axis.nines(10_000)
    assert ["0 %", "90 %", "99 %", "99.9 %", "99.99 %"] == [name for _, name in made.marks]
    assert [0.25, 1.0] == [made.place(1), made.place(4)]
