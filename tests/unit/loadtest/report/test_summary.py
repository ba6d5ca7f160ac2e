"""The summary in the terminal: verdict first, nothing that says nothing, nothing that steers the terminal."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.report.result import Result
from loadtest.report.summary import print_summary
from tests.unit.loadtest.report import sample


def printed(result: Result, *, terminal: bool = False, width: int = 100, files: list[Path] | None = None) -> str:
    """Return what is printed."""
    output = io.StringIO()
    console = Console(file=output, width=width, force_terminal=terminal, color_system="truecolor" if terminal else None)
    print_summary(console, result, files or [])
    return output.getvalue()


@pytest.mark.parametrize(
    ("make", "verdict"),
    [
        (sample.evening, "PASSED   evening: All 3 checks held."),
        (sample.failed, "FAILED   evening: 2 of 5 checks did not hold: delivery.p99>1ms (was 9.0 ms); lost>0 (was 2)."),
        (sample.invalid, "INVALID   evening: The generator could not keep up"),
        (sample.unreachable, "UNREACHABLE   evening: None of 1,000 connections was made. Mostly: refused"),
    ],
)
def test_the_verdict_comes_first(make: Callable[[], Result], verdict: str) -> None:
    """The first line says in words how it went and why."""
    assert printed(make(), width=120).strip().startswith(verdict)


def test_a_good_run_is_told_without_a_wall_of_zeros() -> None:
    """What did not happen is one line; what was measured has its percentiles."""
    text = printed(sample.evening())
    assert "0  missed live, lost, duplicate, out of order, foreign." in text
    assert "Delivery  60,000   1.4 ms  2.8 ms  9.0 ms   24 ms   52 ms   98 ms" in text
    assert "✓  delivery.p99>100ms" in text


def test_each_fault_is_named() -> None:
    """What happened has its own line, with examples and the errors behind it."""
    lines = [" ".join(line.split()) for line in printed(sample.failed()).splitlines()]
    for wanted in (
        "Lost 2 ",
        "Duplicate 7 ",
        "Refused 41 ",
        "41 × ack rate_limited ",
        "✗ lost>0 2",
        "e.g. lost: number 17 ",
    ):
        assert any(line.startswith(wanted) for line in lines), wanted


@pytest.mark.parametrize("make", [sample.unreachable, sample.stopped])
def test_what_has_no_data_is_left_out(make: Callable[[], Result]) -> None:
    """Nobody got in, or it was stopped at once: no latencies, no messages, no server."""
    text = printed(make())
    assert not [title for title in ("Latency", "Messages", "Deliveries", "Server") if f"\n{title}\n" in text]


def test_a_log_gets_plain_text() -> None:
    """Not a terminal: no colours, and no line is longer than it is wide."""
    text = printed(sample.failed(), width=80)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b[" in printed(sample.failed(), terminal=True)


def test_a_server_cannot_steer_the_terminal() -> None:
    """Escape sequences and markup in what a server said are shown, not obeyed."""
    text = printed(sample.hostile("\x1b[2J[bold]x[/bold]\x07"))
    assert not set("\x1b\x07") & set(text)
    assert "\\x1b[2J[bold]x[/bold]\\x07" in text


def test_the_files_are_named_whole() -> None:
    """Paths can be copied: they are not broken, however long."""
    path = Path("/a/rather/long/path") / ("x" * 120) / "report.html"
    assert str(path) in printed(sample.evening(), files=[path], width=80)
