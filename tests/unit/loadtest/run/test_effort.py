"""When the generator's own figures make a run invalid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.measure.recorder import Sample
from loadtest.report.result import Generator, Percentiles
from loadtest.run.effort import Effort

S = 1_000_000_000


def sample(t_ns: int, cpu_s: float, rss_bytes: int = 50_000_000) -> Sample:
    """Return a worker's sample with nothing but its use."""
    return Sample(t_ns=t_ns, counts={}, levels={}, histograms={}, errors=(), cpu_s=cpu_s, rss_bytes=rss_bytes)


def lag_of(p99: float) -> Percentiles:
    """Return how late actions were, in ms."""
    return Percentiles(count=9, min=0, mean=0, p50=0, p90=0, p99=p99, p99_9=p99, p99_99=p99, max=p99, curve=[])


def judged(cores: list[float], *, lag_ms: float = 1.0, begun: int = 100, missed: int = 0) -> Generator:
    """Return the judgement of ten seconds of load, on workers that each used so much."""
    effort = Effort(len(cores))
    for second in range(11):
        for worker, use in enumerate(cores):
            effort.add(worker, sample(second * S, second * use))
    return effort.judge(0, 10 * S, lag_of(lag_ms), begun, missed)


def test_a_generator_with_time_to_spare_is_valid() -> None:
    """Its use is told: in all, of the busiest worker, and its memory."""
    found = judged([0.2, 0.5])
    assert (True, [], 2) == (found.valid, found.reasons, found.workers)
    assert pytest.approx([7.0, 0.5, 100.0]) == [found.cpu_s, found.cpu_cores_peak, found.rss_mb]


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (judged([0.2], lag_ms=20.1), "late"),
        (judged([0.2, 0.96]), "1 of 2 workers"),
        (judged([0.2], begun=94, missed=6), "Only 94 of 100"),
    ],
)
def test_each_bottleneck_is_told(found: Generator, word: str) -> None:
    """Late, busy, or short of what it should have offered: one sentence for each."""
    assert (False, 1) == (found.valid, len(found.reasons))
    assert word in found.reasons[0]


def test_the_limits_themselves_are_sound() -> None:
    """Exactly 20 ms and exactly 95 % are still good."""
    assert judged([0.94], lag_ms=20.0, begun=95, missed=5).valid


def test_only_the_load_counts() -> None:
    """A worker that was busy only while it let people in is no bottleneck; its peak is told all the same."""
    effort = Effort(1)
    for second, cpu_s in enumerate([0, 1, 2, 2, 2, 2]):
        effort.add(0, sample(second * S, cpu_s))
    found = effort.judge(2 * S, 5 * S, lag_of(0), 1, 0)
    assert (True, 1.0) == (found.valid, found.cpu_cores_peak)


@given(st.lists(st.tuples(st.integers(1, 3 * S), st.floats(0, 1)), max_size=30))
def test_no_worker_seems_to_use_more_than_it_did(steps: list[tuple[int, float]]) -> None:
    """However unevenly samples come, a share of one core never looks like more."""
    effort, t_ns, cpu_s = Effort(1), 0, 0.0
    effort.add(0, sample(t_ns, cpu_s))
    for passed_ns, share in steps:
        t_ns, cpu_s = t_ns + passed_ns, cpu_s + share * passed_ns / S
        effort.add(0, sample(t_ns, cpu_s))
    assert effort.judge(0, t_ns, lag_of(0), 0, 0).cpu_cores_peak <= 1.0 + 1e-6


def test_a_worker_that_was_never_heard_of_uses_nothing() -> None:
    """A run in which nobody started has a judgement too."""
    found = Effort(2).judge(0, 0, lag_of(0), 0, 0)
    assert (0, 0, 0, True) == (found.cpu_s, found.cpu_cores_peak, found.rss_mb, found.valid)
