"""Axes of charts: where a value is, from 0 to 1, and which marks are written beside it."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from loadtest.report.figures import number

WIDE = 40.0
"""From this ratio of the largest to the smallest value on, a logarithmic axis shows more."""
LEAST = 1e-4
"""Smaller values are as good as this: nothing is measured finer."""
MOST_MARKS = 8
SECONDS = (1, 2, 5, 10, 15, 30)


@dataclass(frozen=True, slots=True)
class Axis:
    """A range and its marks. Values beyond the range are placed at its ends."""

    low: float
    high: float
    marks: tuple[tuple[float, str], ...] = ()
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a value is, from 0 to 1."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def values(found: Iterable[float], write: Callable[[float], str], *, may_be_log: bool = False) -> Axis:
    """Return an axis for values of 0 and more: from 0 on, or logarithmic if it may be and the values are far apart."""
    known = [max(value, LEAST) for value in found if value > 0]
    if may_be_log and known and max(known) / min(known) > WIDE:
        return _logarithmic(min(known), max(known), write)
    return _linear(max(known, default=1.0), write)


def _linear(top: float, write: Callable[[float], str]) -> Axis:
    step = _nice(top / 4)
    steps = max(math.ceil(top / step * 1.001), 1)
    return Axis(0.0, steps * step, tuple((n * step, write(n * step)) for n in range(steps + 1)))


def _nice(step: float) -> float:
    """Return the least of 1, 2, 2.5, 5 × 10ⁿ that is not less than `step`."""
    unit = 10.0 ** math.floor(math.log10(step))
    return next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= step * 0.999)


def _logarithmic(low: float, high: float, write: Callable[[float], str]) -> Axis:
    decades = [10.0**n for n in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    every = [decade * factor for decade in decades for factor in (1, 2, 5)]
    start = max((value for value in every if value <= low), default=every[0])
    end = min((value for value in every if value >= high), default=every[-1])
    inside = [value for value in every if start <= value <= end]
    whole = [value for value in inside if value in decades]
    marked = inside if len(inside) <= 6 else whole[:: -(-len(whole) // MOST_MARKS)] if len(whole) > 2 else inside[::2]
    return Axis(start, end, tuple((value, write(value)) for value in marked), logarithmic=True)


def seconds(end: float) -> Axis:
    """Return an axis of time from 0 to `end` seconds, with at most eight marks."""
    end = max(end, 1.0)
    unit, name = (1, "s") if end < 150 else (60, "min") if end < 3 * 3600 else (3600, "h")
    steps = [unit * n for n in SECONDS]
    step = next((step for step in steps if end / step <= 7), unit * _nice(end / unit / 7))
    marks = [(n * step, f"{number(n * step / unit)} {name}") for n in range(1, int(end / step) + 1)]
    return Axis(0.0, end, ((0.0, "0"), *marks))


def nines(samples: int) -> Axis:
    """Return an axis of percentiles by their nines, 0 to at most 5, as far as that many samples tell.

    A percentile p is at log10(1 / (1 - p/100)): 90 % at 1, 99 % at 2.
    """
    end = min(max(math.log10(max(samples, 1)), 1.0), 5.0)
    names = ("0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %")
    return Axis(0.0, end, tuple((float(n), name) for n, name in enumerate(names) if n <= end))
