"""Sets as stretches: against plain sets."""

from hypothesis import given
from hypothesis import strategies as st

from loadtest.truth.runs import Numbers, Runs, both, merged, of, size, without

numbers = st.lists(st.integers(1, 25), min_size=1, max_size=40)
sets = st.frozensets(st.integers(1, 25))


def spread(runs: Runs) -> list[int]:
    """Return the numbers one by one."""
    return [number for first, last in runs for number in range(first, last + 1)]


@given(numbers)
def test_a_growing_set_agrees_with_a_plain_one(added: list[int]) -> None:
    """After each number, in any order, it holds just those, in as few stretches as there can be."""
    growing, plain = Numbers(added[0]), {added[0]}
    for number in added:
        growing.add(number)
        plain.add(number)
        assert sorted(plain) == [each for each in range(27) if each in growing]
        assert of(sorted(plain)) == growing.runs()


@given(sets, sets)
def test_what_is_in_both_or_in_one_agrees_with_plain_sets(one: frozenset[int], other: frozenset[int]) -> None:
    """The algebra of the audit is that of sets, and its results are stretches that do not touch."""
    ours, theirs = of(sorted(one)), of(sorted(other))
    assert of(sorted(one & other)) == both(ours, theirs)
    assert of(sorted(one - other)) == without(ours, theirs)
    assert of(sorted(one | other)) == merged([*theirs, *ours])
    assert (len(one), sorted(one)) == (size(ours), spread(ours))
