"""Random numbers that cost each of ten thousand people a few bytes: SplitMix64, seeded by run, person and purpose."""

import math
import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_UNIT = 1.0 / (1 << 53)


class Chance:
    """A stream of random numbers; the same seeds give the same stream."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, who: int = 0, purpose: str = "") -> None:
        self._state = _mixed(_mixed(seed & _MASK) ^ (who * _GOLDEN & _MASK) ^ zlib.crc32(purpose.encode()))

    def random(self) -> float:
        """Return a number in [0, 1)."""
        self._state = (self._state + _GOLDEN) & _MASK
        return (_mixed(self._state) >> 11) * _UNIT

    def between(self, low: float, high: float) -> float:
        """Return a number in [low, high)."""
        return low + (high - low) * self.random()

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`."""
        return choices[int(self.random() * len(choices))]

    def gap_ns(self, mean_s: float, least_s: float = 0.0) -> int:
        """Return the time to a Poisson process's next arrival: at least `least_s`, and `mean_s` on average."""
        beyond_s = max(mean_s - least_s, 0.0)
        return int((least_s - beyond_s * math.log(1.0 - self.random())) * 1e9)


def _mixed(value: int) -> int:
    """SplitMix64's finaliser (Steele, Lea and Flood, 2014)."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)
