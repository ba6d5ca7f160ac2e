"""Sets of whole numbers that are almost always one stretch, kept as their stretches."""

from bisect import bisect_right
from collections.abc import Iterable
from operator import itemgetter

Runs = tuple[tuple[int, int], ...]
"""Stretches (first, last), ascending, with something missing between any two."""


class Numbers:
    """A set that grows: one stretch that is being added to, and those before it."""

    __slots__ = ("_before", "first", "last")

    def __init__(self, number: int) -> None:
        self.first = number
        self.last = number
        self._before: list[tuple[int, int]] | None = None

    def __contains__(self, number: int) -> bool:
        if number >= self.first or self._before is None:
            return self.first <= number <= self.last
        place = bisect_right(self._before, number, key=itemgetter(0)) - 1
        return place >= 0 and self._before[place][1] >= number

    def add(self, number: int) -> None:
        """Take in a number."""
        if number == self.last + 1:
            self.last = number
        elif number > self.last:
            self._before = self._before or []
            self._before.append((self.first, self.last))
            self.first = self.last = number
        elif number not in self:
            *before, (self.first, self.last) = merged([*self.runs(), (number, number)])
            self._before = before or None

    def runs(self) -> Runs:
        """Return all stretches."""
        return (*(self._before or ()), (self.first, self.last))


def merged(runs: Iterable[tuple[int, int]]) -> Runs:
    """Return any stretches, in any order, as a set."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(runs):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def of(numbers: Iterable[int]) -> Runs:
    """Return ascending numbers as stretches."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def size(runs: Runs) -> int:
    """Return how many numbers there are."""
    return sum(last - first + 1 for first, last in runs)


def both(one: Runs, other: Runs) -> Runs:
    """Return the numbers that are in both."""
    found, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        first, last = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if first <= last:
            found.append((first, last))
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def without(one: Runs, other: Runs) -> Runs:
    """Return the numbers of `one` that are not in `other`."""
    if not one or not other:
        return one
    starts = [one[0][0], *(last + 1 for _, last in other)]
    ends = [*(first - 1 for first, _ in other), one[-1][1]]
    return both(one, tuple((first, last) for first, last in zip(starts, ends, strict=True) if first <= last))
