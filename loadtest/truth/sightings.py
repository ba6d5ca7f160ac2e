"""Under which `seq` one sender's messages in one room were seen, by all people of one process together."""

from array import array
from collections.abc import Iterator

FARTHEST = 4096
"""Numbers that lie this far beyond all others are kept apart: they may be a server's invention."""
MOST = 2**62
"""The highest `seq` that is told apart from others."""
_NEVER = -(2**63)


def bounded(seq: int) -> int:
    """Return a `seq` in 64 bits, whatever a server made of it."""
    return max(-MOST, min(seq, MOST))


class Sightings:
    """The first `seq` of each message by its number, and every other one. Raises TypeError for no whole number."""

    __slots__ = ("far", "others", "seqs")

    def __init__(self) -> None:
        self.seqs = array("q")
        """By number, from 0; `_NEVER` for what was not seen."""
        self.far: dict[int, int] = {}
        self.others: dict[int, set[int]] = {}

    def see(self, number: int, seq: int) -> None:
        """Take in one sighting."""
        seqs = self.seqs
        if number < len(seqs) and seqs[number] == seq:
            return
        seq = bounded(seq)
        first = self._first(number)
        if first is None:
            self._begin(number, seq)
        elif first != seq:
            self.others.setdefault(number, set()).add(seq)

    def __contains__(self, number: int) -> bool:
        return self._first(number) is not None

    def seen(self) -> dict[int, int]:
        """Return the first `seq` of each number that was seen."""
        return {number: seq for number, seq in enumerate(self.seqs) if seq != _NEVER} | self.far

    def further(self) -> Iterator[tuple[int, int]]:
        """Return each number that was seen under several, with each `seq` but the first."""
        return ((number, seq) for number, seqs in self.others.items() for seq in seqs)

    def _first(self, number: int) -> int | None:
        if number < len(self.seqs) and self.seqs[number] != _NEVER:
            return self.seqs[number]
        return self.far.get(number)

    def _begin(self, number: int, seq: int) -> None:
        missing = number + 1 - len(self.seqs)
        if missing > FARTHEST:
            array("q", [seq])  # refuses what the array below would refuse
            self.far[number] = seq
            return
        if missing > 0:
            self.seqs.extend([_NEVER] * missing)
        self.seqs[number] = seq
