"""What one sees while a run is going on: a screen that is redrawn, or one line every few seconds in a log."""

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.live import Live as Screen

from loadtest.measure.names import Count, Metric
from loadtest.report.dashboard import RunInfo, dashboard
from loadtest.report.figures import clean, clock, count, ms, per_second
from loadtest.report.recent import Recent
from loadtest.report.result import Fault, Point
from loadtest.report.wording import NAMES

__all__ = ["Live", "RunInfo"]

LINE_EVERY_S = 5.0


class Live:
    """Shows a run. Draws only when told, in the caller's thread: `update` about once a second."""

    def __init__(self, console: Console, info: RunInfo) -> None:
        self._console = console
        self._info = info
        self._recent = Recent()
        self._screen: Screen | None = None
        self._line_due_s = 0.0
        self._phase = ""

    def start(self) -> None:
        """Begin to show."""
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._screen = Screen(console=self._console, auto_refresh=False, vertical_overflow="crop")
            self._screen.start()
        else:
            info = self._info
            what = f"{clean(info.scenario)} at scale {info.scale:g} → {clean(info.url)} ({info.transport})"
            self._line(f"{what}, {count(info.people)} people, {info.workers} worker{'s' if info.workers != 1 else ''}")

    def update(self, phase: str, point: Point, progress: float, faults: Sequence[Fault]) -> None:
        """Show a second of the run.

        `progress` is the share of the current phase that is done, 0 to 1. `faults` are all so far.
        The same second may come again, with newer figures.
        """
        self._recent.add(point)
        if self._screen is not None:
            size = self._console.size
            picture = dashboard(self._info, self._recent, phase, progress, faults, size.width, size.height)
            self._screen.update(picture, refresh=True)
        elif phase != self._phase or point.t_s >= self._line_due_s:
            self._line_due_s = point.t_s + LINE_EVERY_S
            self._line(_log_line(phase, progress, self._recent, faults))
        self._phase = phase

    def stop(self) -> None:
        """Leave the last picture on the screen. May be called twice."""
        if self._screen is not None:
            self._screen.stop()
            self._screen = None

    def __enter__(self) -> "Live":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _log_line(phase: str, progress: float, recent: Recent, faults: Sequence[Fault]) -> str:
    point = recent.last
    parts = [f"{clock(point.t_s):>7}  {phase:<7} {progress:>4.0%}", f"{count(point.connections)} connected"]
    for name in (Count.SENT, Count.ACKED, Count.DELIVERED, Count.HTTP):
        if recent.seen(name):
            parts.append(f"{name.value} {per_second(recent.rate(name))}")
    for metric in (metric for metric in NAMES if metric is not Metric.LAG):
        found = recent.latency(metric)
        if found is not None and found.count:
            parts.append(f"{metric.value} p99 {ms(found.p99)}")
    errors = sum(fault.count for fault in faults)
    return "  ".join([*parts, *([f"errors {count(errors)}"] if errors else [])])
