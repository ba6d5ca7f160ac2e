"""The live view: a picture that fits the terminal, or a line now and then in a log."""

import contextlib
import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from loadtest.measure.names import Count, Metric
from loadtest.report.dashboard import dashboard, sparkline
from loadtest.report.live import Live, RunInfo
from loadtest.report.recent import Recent
from loadtest.report.result import Fault, Latency, Point, Result
from tests.unit.loadtest.report import sample

MANY = [Fault(kind="http", code=f"http_{n}", count=n, first_s=1, example="<html>" * 40) for n in range(500, 530)]


def info(result: Result) -> RunInfo:
    """Return what is known of a run before it starts."""
    phases = [(phase.name, phase.to_s - phase.from_s) for phase in result.phases]
    return RunInfo(result.scenario, result.url, "websocket", 0.1, 2, sample.PEOPLE, phases)


def picture(seconds: int, faults: Sequence[Fault], width: int, height: int) -> list[str]:
    """Return the lines that are drawn after some seconds of an evening."""
    result, recent = sample.evening(), Recent()
    for point in result.points[:seconds]:
        recent.add(point)
    phase, progress = ("connect", seconds / 20) if seconds <= 20 else ("load", (seconds - 24) / 240)
    console = Console(file=io.StringIO(), width=width, height=height, record=True)
    console.print(dashboard(info(result), recent, phase, progress, faults, width, height))
    return console.export_text().splitlines()


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("seconds", [1, 12, 125, 240])
def test_the_picture_fits(seconds: int, width: int) -> None:
    """At 24 lines everything is there, with at least the most frequent error, at any width."""
    lines = picture(seconds, MANY, width, 24)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= width
    assert any("http_529" in line for line in lines)


def test_the_picture_says_how_it_goes() -> None:
    """Progress, connections, rates, latencies, and the machines."""
    text = "\n".join(picture(125, sample.evening().faults, 80, 24))
    for said in (
        "evening ×0.1",
        "2:05 · about",
        "1,000 of 1,000",
        "5 dropped",
        "Sent",
        "Delivery",
        "Server",
        "lag p99",
        "lost",
    ):
        assert said in text


def test_what_was_not_measured_is_not_drawn() -> None:
    """While people connect there are no messages to show."""
    text = "\n".join(picture(10, [], 80, 24))
    assert "Connect " in text
    assert "No errors" in text
    assert not [name for name in ("Sent", "Delivery", "HTTP") if name in text]


def test_before_the_first_second_there_is_a_picture() -> None:
    """Nothing is known yet, and nothing breaks; a phase that was not planned does not either."""
    console = Console(file=io.StringIO(), width=80, record=True)
    unplanned = RunInfo("x", "http://127.0.0.1", "polling", 1, 1, 1, [])
    console.print(dashboard(unplanned, Recent(), "load", 2.0, [], 80, 24))
    assert "no figures" in console.export_text()


def log(result: Result) -> list[str]:
    """Return what a log gets of a run."""
    output = io.StringIO()
    with Live(Console(file=output, width=80), info(result)) as live:
        for point in result.points:
            phase = next((phase.name for phase in result.phases if point.t_s <= phase.to_s), "sync")
            live.update(phase, point, 0.5, result.faults)
    return output.getvalue().splitlines()


def test_a_log_gets_a_line_every_five_seconds() -> None:
    """And one at the beginning of each phase, each whole on its line and without a colour."""
    lines = log(sample.evening())
    assert "evening at scale 0.1 → http://127.0.0.1:8000 (websocket), 1,000 people, 2 workers" == lines[0]
    assert ["0:01", "0:06", "0:11", "0:16", "0:21", "0:25", "0:30"] == [line.split()[0] for line in lines[1:8]]
    assert "delivery p99" in lines[9]
    assert "errors 5" in lines[9]
    assert not any("\x1b" in line for line in lines)


def test_a_terminal_is_redrawn_and_left_in_order() -> None:
    """The cursor comes back, also when the run was broken off, and to stop twice is harmless."""
    output = io.StringIO()
    console = Console(file=output, width=80, height=24, force_terminal=True, legacy_windows=False, _environ={})
    result = sample.evening()
    with contextlib.suppress(KeyboardInterrupt), Live(console, info(result)) as live:
        live.update("connect", result.points[0], 0.1, [])
        raise KeyboardInterrupt
    live.stop()
    text = output.getvalue()
    assert (1, 1) == (text.count("\x1b[?25l"), text.count("\x1b[?25h"))
    assert "Connections" in text


def point(t_s: float, sent: int, latency: Latency | None = None) -> Point:
    """Return a second with some messages."""
    return Point(t_s=t_s, connections=1, counts={Count.SENT: sent}, latency={Metric.ACK: latency} if latency else {})


def test_a_second_that_comes_again_replaces_itself() -> None:
    """Totals and rates count it once, with its newest figures."""
    recent = Recent()
    for one in (point(1, 10), point(2, 5), point(2, 30)):
        recent.add(one)
    assert (40, 20.0, [10, 30]) == (recent.total(Count.SENT), recent.rate(Count.SENT), recent.history(Count.SENT))


def test_a_latency_that_has_ceased_is_remembered_as_old() -> None:
    """After ten seconds without one, the last figures stay, with a count of 0."""
    recent = Recent()
    recent.add(point(1, 1, Latency(count=4, p50=1, p99=2, max=3)))
    for t_s in range(2, 13):
        recent.add(point(t_s, 1))
    assert Latency(count=0, p50=1, p99=2, max=3) == recent.latency(Metric.ACK)
    assert recent.latency(Metric.HTTP) == Latency(count=0, p50=0, p99=0, max=0)


def test_a_sparkline_is_drawn_against_its_highest_value() -> None:
    """The last values only, nothing for nothing, and a flat line for zeros."""
    assert ("", "▁▁", "▁▄▇") == (sparkline([], 5), sparkline([0, 0], 5), sparkline([9, 9, 0, 4, 9], 3))
