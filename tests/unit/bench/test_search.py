"""The search for the highest rate, against servers that are nothing but a limit."""

from hypothesis import given
from hypothesis import strategies as st

from bench.search import Highest, search
from bench.trial import Trial

MOST = 160_000.0


def trial(rate: float, *, late: bool, doubts: tuple[str, ...] = ()) -> Trial:
    """Return what a run at `rate` finds."""
    return Trial(
        deliveries_per_s=rate,
        cpu_us=10,
        broker_cpu_us=None,
        p50_ms=1,
        p99_ms=500 if late else 2,
        connect_ms=0.3,
        connection_kb=10,
        load_cores=0.01,
        kept_up=True,
        doubts=doubts,
    )


@given(capacity=st.floats(100, 150_000), guess=st.floats(0.3, 3))
def test_the_limit_is_found(capacity: float, guess: float) -> None:
    """From a guess three times too low or too high, twelve tries come within 8 % of the limit, and never above it."""
    found = search(lambda rate: trial(rate, late=rate > capacity), capacity * guess, most=MOST, tries=12)
    assert found is not None
    assert capacity / 1.08 <= found.per_s <= capacity
    assert not found.at_least


@given(capacity=st.floats(100, 150_000), guess=st.floats(0.3, 3), tries=st.integers(1, 12))
def test_no_rate_is_claimed_that_was_not_held(capacity: float, guess: float, tries: int) -> None:
    """Whatever the tries, a rate that is returned was held; without one, nothing is."""
    offered = []

    def offer(rate: float) -> Trial:
        offered.append(rate)
        return trial(rate, late=rate > capacity)

    found = search(offer, capacity * guess, most=MOST, tries=tries)
    held = [rate for rate in offered if rate <= capacity]
    assert max(held, default=None) == (found and found.per_s)
    assert len(offered) <= tries


def test_the_generator_may_give_up_first() -> None:
    """A late run that the generator is to blame for ends the search: the server can do at least what it did before."""
    found = search(
        lambda rate: trial(rate, late=rate > 5000, doubts=("it was late",) if rate > 5000 else ()),
        4000,
        most=MOST,
        tries=9,
    )
    assert Highest(4000, at_least=True) == found


def test_the_people_may_run_out() -> None:
    """A server that holds the most that is ever offered can do at least that."""
    assert Highest(MOST, at_least=True) == search(lambda rate: trial(rate, late=False), 90_000, most=MOST, tries=9)


def test_there_may_be_no_time_to_look_further() -> None:
    """A search that never saw the server fail says `at least`."""
    assert Highest(1000, at_least=True) == search(lambda rate: trial(rate, late=False), 1000, most=MOST, tries=1)
