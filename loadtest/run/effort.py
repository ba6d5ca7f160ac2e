"""What the generator itself used, and whether its figures can be believed."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.measure.recorder import Sample
from loadtest.report.result import FAIR_LAG_MS, Generator, Percentiles

MOST_CORES = 0.95
LEAST_OFFERED = 0.95


@dataclass(frozen=True, slots=True)
class Reading:
    """What a worker had used at a moment."""

    t_ns: int
    cpu_s: float
    rss_bytes: int


class Effort:
    """The use of each worker over time."""

    def __init__(self, workers: int) -> None:
        self._readings: list[list[Reading]] = [[] for _ in range(workers)]
        self._rss_peak = 0

    def add(self, worker: int, sample: Sample) -> None:
        """Take a worker's sample, in order of time."""
        readings = self._readings[worker]
        readings.append(Reading(sample.t_ns, sample.cpu_s, sample.rss_bytes))
        self._rss_peak = max(self._rss_peak, sum(each[-1].rss_bytes for each in self._readings if each))

    def judge(
        self,
        from_ns: int,
        until_ns: int,
        lag: Percentiles,
        begun: int,
        missed: int,
        fair_lag_ms: float = FAIR_LAG_MS,
    ) -> Generator:
        """Return the whole use, and what was wrong with it in the load phase, from `from_ns` to `until_ns`."""
        load = [[each for each in readings if from_ns <= each.t_ns <= until_ns] for readings in self._readings]
        return Generator(
            workers=len(self._readings),
            cpu_s=sum(readings[-1].cpu_s for readings in self._readings if readings),
            cpu_cores_peak=max((peak(readings) for readings in self._readings), default=0.0),
            rss_mb=self._rss_peak / 1e6,
            lag_p99_ms=lag.p99,
            lag_max_ms=lag.max,
            fair_lag_ms=fair_lag_ms,
            valid=not (reasons := _reasons([mean(readings) for readings in load], lag.p99, fair_lag_ms, begun, missed)),
            reasons=reasons,
        )


def mean(readings: Sequence[Reading]) -> float:
    """Return the cores in use between the first and the last reading; 0 if there are not two."""
    if len(readings) < 2 or readings[-1].t_ns == readings[0].t_ns:
        return 0.0
    return (readings[-1].cpu_s - readings[0].cpu_s) / ((readings[-1].t_ns - readings[0].t_ns) / 1e9)


def peak(readings: Sequence[Reading]) -> float:
    """Return the most cores in use from one reading to the next that is at least 0.9 s away: shorter ones jump."""
    most, last = 0.0, 0
    for now in range(1, len(readings)):
        if readings[now].t_ns - readings[last].t_ns >= 900_000_000:
            most, last = max(most, mean((readings[last], readings[now]))), now
    return most


def _reasons(cores: Sequence[float], lag_ms: float, fair_lag_ms: float, begun: int, missed: int) -> list[str]:
    reasons = []
    if lag_ms > fair_lag_ms:
        reasons.append(f"Actions began late: 1 in 100 by more than {lag_ms:.0f} ms ({fair_lag_ms:.0f} ms is fair).")
    busy = [use for use in cores if use >= MOST_CORES]
    if busy:
        reasons.append(
            f"{len(busy)} of {len(cores)} workers had no processor time left ({max(busy):.2f} cores): "
            "use more workers, or another machine."
        )
    if begun < LEAST_OFFERED * (begun + missed):
        reasons.append(f"Only {begun:,} of {begun + missed:,} actions that were due could be begun.")
    return reasons
