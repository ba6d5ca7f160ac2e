"""Random numbers of simulated people: the same in every run, and of the right kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.behaviours.backoff import FIRST_S, LONGEST_S, backoff_s
from loadtest.behaviours.chance import Chance

SEEDS = st.integers(0, 2**64)


def numbers(chance: Chance, count: int = 20) -> list[float]:
    """Return the next numbers of a stream."""
    return [chance.random() for _ in range(count)]


@given(SEEDS, st.integers(0, 100_000), st.text(max_size=8))
def test_a_stream_is_the_same_again_and_within_bounds(seed: int, who: int, purpose: str) -> None:
    """Equal seeds give equal numbers, all in [0, 1), so a run can be repeated."""
    first = numbers(Chance(seed, who, purpose))
    assert first == numbers(Chance(seed, who, purpose))
    assert [] == [number for number in first if not 0 <= number < 1]


def test_people_runs_and_purposes_differ() -> None:
    """Nobody does what their neighbour does at the same moment."""
    streams = [Chance(1, 1, "talk"), Chance(2, 1, "talk"), Chance(1, 2, "talk"), Chance(1, 1, "api")]
    assert 4 == len({tuple(numbers(stream)) for stream in streams})


@pytest.mark.parametrize(("mean_s", "least_s"), [(1.0, 0.0), (10.0, 0.25), (0.5, 0.25)])
def test_gaps_have_the_mean_and_the_least(mean_s: float, least_s: float) -> None:
    """A floor under the gaps leaves their mean as it was asked for."""
    gaps = [Chance(7, who).gap_ns(mean_s, least_s) / 1e9 for who in range(20_000)]
    assert least_s <= min(gaps)
    assert sum(gaps) / len(gaps) == pytest.approx(mean_s, rel=0.03)


def test_a_mean_below_the_least_gives_the_least() -> None:
    """A scenario that asks for more than people may send gets as much as they may."""
    assert 250_000_000 == Chance(1).gap_ns(0.1, 0.25)


def test_every_choice_is_picked() -> None:
    """No choice is out of reach, and none is invented."""
    chance = Chance(3)
    assert {"a", "b", "c"} == {chance.pick("abc") for _ in range(200)}


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_stays_within_its_ceiling(attempt: int, random: float) -> None:
    """A wait is never zero, so a dead server is not hammered, and never beyond the longest."""
    wait_s = backoff_s(attempt, random)
    assert FIRST_S / 4 <= wait_s <= min(LONGEST_S, FIRST_S * 2.0 ** min(attempt, 10))
