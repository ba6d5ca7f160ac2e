"""The highest rate that a server takes before it is late."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.trial import Trial

LATE_MS: Final = 100.0
_STEP: Final = 1.4
_CLOSE: Final = 1.08
"""How near the two ends have to be."""


@dataclass(frozen=True, slots=True)
class Highest:
    """A rate that was held, in deliveries a second."""

    per_s: float
    at_least: bool
    """The generator gave up before the server did, or there was no time to look further."""


def in_time(trial: Trial) -> bool:
    """Whether a server was never late at the rate of this trial."""
    return trial.kept_up and trial.p99_ms < LATE_MS


def search(offer: Callable[[float], Trial], start: float, *, most: float, tries: int) -> Highest | None:
    """Return the highest rate at which `offer(rate)` was in time; None if there was none.

    Steps up or down from `start` until the end is between two rates, then halves the distance.
    """
    held, failed = 0.0, math.inf
    rate = min(start, most)
    for _ in range(tries):
        trial = offer(rate)
        if in_time(trial):
            held = max(held, trial.deliveries_per_s)
            if rate >= most:
                return Highest(held, at_least=True)
        elif trial.doubts and held:
            return Highest(held, at_least=True)
        else:
            failed = rate
        if held and failed < held * _CLOSE:
            break
        rate = _next(held, failed, most)
    return Highest(held, at_least=math.isinf(failed)) if held else None


def _next(held: float, failed: float, most: float) -> float:
    if math.isinf(failed):
        return min(held * _STEP, most)
    return math.sqrt(held * failed) if held else failed / _STEP
