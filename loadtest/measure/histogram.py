"""Latencies as a distribution: exact to 0.1 %, small to send, and able to be added up."""

from typing import Any

from hdrh.histogram import HdrHistogram

from loadtest.report.result import Latency, Percentiles

LOWEST_US = 1
HIGHEST_US = 600_000_000
"""Ten minutes. Whatever took longer counts as that."""
_DIGITS = 3
_EXACT_BITS = 11
"""Of a value, those that three digits keep apart."""
_TICKS = 10
"""Points of the curve for each halving of what is left up to 100 %."""


class Histogram:
    """Latencies, recorded in ns, kept in µs."""

    __slots__ = ("_fresh", "_kept")

    def __init__(self) -> None:
        self._kept: Any = None
        """Made when it is needed; recording into it is slow, so `_fresh` collects first."""
        self._fresh: dict[int, int] = {}

    def record(self, ns: int) -> None:
        """Take in one latency. One below 1 µs counts as 1 µs."""
        us = ns // 1000
        shift = us.bit_length() - _EXACT_BITS
        if shift > 0:
            us = us >> shift << shift
        fresh = self._fresh
        fresh[us] = fresh.get(us, 0) + 1

    def add(self, other: "Histogram") -> None:
        """Take in all of another."""
        self._settled().add(other._settled())

    @property
    def count(self) -> int:
        """How many latencies there are."""
        return (self._kept.get_total_count() if self._kept is not None else 0) + sum(self._fresh.values())

    def reset(self) -> None:
        """Forget all."""
        self._fresh = {}
        self._kept = None

    def latency(self) -> Latency:
        """Return the figures of a second."""
        kept = self._settled()
        found = kept.get_percentile_to_value_dict([50, 99]) if kept.get_total_count() else {50: 0, 99: 0}
        return Latency(count=kept.get_total_count(), p50=found[50] / 1e3, p99=found[99] / 1e3, max=_max_ms(kept))

    def percentiles(self) -> Percentiles:
        """Return the figures of a run."""
        kept = self._settled()
        if not kept.get_total_count():
            return Percentiles(
                count=0, min=0, mean=0, p50=0, p90=0, p99=0, p99_9=0, p99_99=0, max=0, curve=[]
            )  # fmt: skip
        at = {key: value / 1e3 for key, value in kept.get_percentile_to_value_dict([50, 90, 99, 99.9, 99.99]).items()}
        return Percentiles(
            count=kept.get_total_count(),
            min=kept.get_min_value() / 1e3,
            mean=kept.get_mean_value() / 1e3,
            p50=at[50],
            p90=at[90],
            p99=at[99],
            p99_9=at[99.9],
            p99_99=at[99.99],
            max=_max_ms(kept),
            curve=[
                (step.percentile_level_iterated_to, step.value_iterated_to / 1e3)
                for step in kept.get_percentile_iterator(_TICKS)
            ],
        )

    def encode(self) -> bytes:
        """Return it in a compressed form that `decode` reads."""
        return bytes(self._settled().encode())

    @classmethod
    def decode(cls, encoded: bytes) -> "Histogram":
        """Return what was encoded."""
        histogram = cls()
        histogram._kept = HdrHistogram.decode(encoded, b64_wrap=False)
        return histogram

    def _settled(self) -> Any:
        if self._kept is None:
            self._kept = HdrHistogram(LOWEST_US, HIGHEST_US, _DIGITS, b64_wrap=False)
        fresh, self._fresh = self._fresh, {}
        for us, count in fresh.items():
            self._kept.record_value(min(max(us, LOWEST_US), HIGHEST_US), count)
        return self._kept


def _max_ms(kept: Any) -> float:
    return float(kept.get_max_value()) / 1e3
