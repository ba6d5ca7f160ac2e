"""Token buckets hold their promise for every history of calls."""

from collections import defaultdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auth.limits import KeyedBuckets, TokenBucket, rate_limited

rates = st.floats(0.01, 100)
bursts = st.integers(1, 50)
steps = st.lists(st.floats(0, 10), min_size=1, max_size=120)
starts = st.floats(0, 1e7)  # a machine's monotonic clock may count from its boot, months ago
SLACK = 1e-5


def _granted(bucket: TokenBucket, now: float, gaps: list[float]) -> list[float]:
    granted = []
    for gap in gaps:
        now += gap
        if bucket.take(now) == 0.0:
            granted.append(now)
    return granted


@given(rates, bursts, starts, steps)
def test_no_window_lets_more_through_than_burst_and_rate(
    rate: float, burst: int, now: float, gaps: list[float]
) -> None:
    """Between any two granted calls lie at most burst + rate * t grants, both included."""
    granted = _granted(TokenBucket(rate, burst), now, gaps)
    for first, start in enumerate(granted):
        for last in range(first, len(granted)):
            assert last - first + 1 <= burst + rate * (granted[last] - start) + SLACK


@given(rates, bursts, starts, steps)
@example(rate=0.7, burst=1, now=1e6, gaps=[0, 0.05])  # a sum that rounds down
def test_whoever_waits_as_told_gets_through(rate: float, burst: int, now: float, gaps: list[float]) -> None:
    """The wait that a refusal names is enough, whatever floats do, and half of it is not."""
    bucket = TokenBucket(rate, burst)
    for gap in gaps:
        now += gap
        wait = bucket.take(now)
        if wait > SLACK:
            assert bucket.take(now + wait / 2) > 0.0
            now += wait
            assert bucket.take(now) == 0.0


@given(rates, bursts, st.floats(0, 1e6))
def test_a_new_bucket_grants_its_burst_and_no_more(rate: float, burst: int, now: float) -> None:
    """At one instant exactly `burst` calls get through."""
    bucket = TokenBucket(rate, burst)
    assert burst == sum(bucket.take(now) == 0.0 for _ in range(burst + 10))


def test_a_refused_call_costs_nothing() -> None:
    """Hammering does not push the next token away."""
    bucket = TokenBucket(1, 1)
    assert [0.0, 1.0, 0.5, 0.5, 0.0] == [bucket.take(now) for now in (0, 0, 0.5, 0.5, 1.0)]


def test_a_millisecond_early_is_early() -> None:
    """The allowance for rounding is far below what a clock can show."""
    bucket = TokenBucket(1, 1)
    assert [True, False, True] == [bucket.take(now) == 0.0 for now in (0, 0.999, 1.0)]


def test_a_clock_that_steps_back_grants_nothing() -> None:
    """Time before the last call counts as no time."""
    bucket = TokenBucket(1, 1)
    assert [0.0, 1.0, 1.0] == [bucket.take(now) for now in (10, 10, 3)]


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0), (1, 0.5), (float("inf"), 1), (float("nan"), 1)])
def test_a_limit_that_makes_no_sense_is_refused(rate: float, burst: float) -> None:
    """A mistake in a setting is found at start, not at the first call."""
    with pytest.raises(ValueError, match="a rate must be above 0"):
        TokenBucket(rate, burst)
    with pytest.raises(ValueError, match="a rate must be above 0"):
        KeyedBuckets(rate, burst)
    with pytest.raises(ValueError, match="max_keys must be at least 1"):
        KeyedBuckets(1, 1, max_keys=0)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3)), max_size=150))
def test_keys_do_not_share_and_forgetting_gives_nothing_away(calls: list[tuple[int, float]]) -> None:
    """With room for all keys, every key is answered as by a bucket of its own, though full ones are dropped."""
    keyed = KeyedBuckets(0.7, 3, max_keys=6)
    alone: dict[int, TokenBucket] = defaultdict(lambda: TokenBucket(0.7, 3))
    now = 0.0
    for key, gap in calls:
        now += gap
        assert alone[key].take(now) == pytest.approx(keyed.take(key, now), abs=SLACK)


@given(st.lists(st.tuples(st.integers(), st.floats(0, 1)), max_size=200), st.integers(1, 8))
def test_memory_is_bounded(calls: list[tuple[int, float]], max_keys: int) -> None:
    """A flood of keys never makes more than `max_keys` buckets."""
    keyed, now = KeyedBuckets(1, 2, max_keys=max_keys), 0.0
    for key, gap in calls:
        now += gap
        keyed.take(key, now)
        assert len(keyed) <= max_keys


def test_idle_keys_are_forgotten_long_before_the_limit() -> None:
    """A thousand addresses that came once leave no trace when others come."""
    keyed = KeyedBuckets(1, 1, max_keys=10_000)
    for key in range(1000):
        keyed.take(key, 0.0)
    for key in range(1000, 1600):
        keyed.take(key, 60.0)
    assert 600 == len(keyed)


def test_a_flood_pushes_out_the_key_that_was_idle_longest() -> None:
    """The busy key keeps its empty bucket while made-up keys come and go."""
    keyed = KeyedBuckets(0.001, 1, max_keys=3)
    keyed.take("busy", 0.0)
    for flood in range(10):
        keyed.take(flood, 0.0)
        assert keyed.take("busy", 0.0) > 0.0


def test_a_refusal_rounds_the_wait_up() -> None:
    """A client that waits as told is not refused for a fraction of a millisecond."""
    assert [1, 1, 1001] == [rate_limited(wait).retry_after_ms for wait in (0.0, 0.0004, 1.0001)]
