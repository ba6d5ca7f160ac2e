"""Histograms: against the plain list of what was recorded."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.measure.histogram import HIGHEST_US, Histogram

recorded = st.lists(st.integers(0, HIGHEST_US * 1000), min_size=1, max_size=200)


def histogram(values: list[int]) -> Histogram:
    """Return one with these latencies, in ns."""
    found = Histogram()
    for ns in values:
        found.record(ns)
    return found


def at(values: list[int], percentile: float) -> float:
    """Return, in ms, the value at that part of all, to the nearest rank."""
    ordered = sorted(max(1000, ns // 1000 * 1000) for ns in values)
    return ordered[max(1, math.floor(percentile / 100 * len(ordered) + 0.5)) - 1] / 1e6


@given(recorded)
@settings(max_examples=25)
def test_percentiles_agree_with_the_plain_list(values: list[int]) -> None:
    """Every figure is that of the sorted list, to 0.2 %."""
    found = histogram(values).percentiles()
    assert len(values) == found.count
    ms = [max(1000, ns // 1000 * 1000) / 1e6 for ns in values]
    expected = [at(values, percentile) for percentile in (50, 90, 99, 99.9, 99.99)]
    measured = [found.p50, found.p90, found.p99, found.p99_9, found.p99_99]
    assert pytest.approx(expected, rel=2e-3) == measured
    assert pytest.approx([min(ms), sum(ms) / len(ms), max(ms)], rel=2e-3) == [found.min, found.mean, found.max]


@given(recorded)
@settings(max_examples=25)
def test_the_curve_rises_to_the_maximum(values: list[int]) -> None:
    """Both its coordinates only rise; it ends at 100 % and the longest."""
    found = histogram(values).percentiles()
    assert sorted(found.curve) == found.curve
    assert sorted(ms for _, ms in found.curve) == [ms for _, ms in found.curve]
    assert pytest.approx((100.0, found.max), rel=2e-3) == found.curve[-1]


@given(recorded, recorded)
@settings(max_examples=25)
def test_parts_add_up_to_the_whole(one: list[int], other: list[int]) -> None:
    """Sent by two workers and joined, they are what one worker would have measured."""
    joined = Histogram()
    for part in (one, other):
        joined.add(Histogram.decode(histogram(part).encode()))
    whole = histogram(one + other)
    expected, found = whole.percentiles(), joined.percentiles()
    assert expected.curve == found.curve
    assert pytest.approx((expected.min, expected.mean, expected.max), rel=2e-3) == (found.min, found.mean, found.max)
    assert whole.latency().model_copy(update={"max": 0}) == joined.latency().model_copy(update={"max": 0})


def test_recording_goes_on_after_a_look() -> None:
    """Figures may be read at any time; `reset` begins anew."""
    found = histogram([1_000_000])
    assert (1, 1) == (found.count, found.latency().count)
    found.record(3_000_000)
    assert pytest.approx((2, 2, 3.0), rel=2e-3) == (found.count, found.latency().count, found.latency().max)
    found.reset()
    assert (0, 0, 0.0) == (found.count, found.latency().count, found.latency().p99)


def test_what_is_beyond_the_range_counts_at_its_end() -> None:
    """A latency is never left out: neither one of an hour, nor one that a clock made negative."""
    found = histogram([-5_000, 3_600 * 10**9]).percentiles()
    assert pytest.approx((2, 0.001, 600_000), rel=2e-3) == (found.count, found.min, found.max)


def test_an_empty_one_has_no_curve() -> None:
    """It is all zero."""
    found = Histogram().percentiles()
    assert (0, 0.0, 0.0, []) == (found.count, found.p50, found.max, found.curve)
