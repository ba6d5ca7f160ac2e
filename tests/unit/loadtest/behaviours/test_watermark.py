"""Which numbers are held: the watermark against a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from loadtest.behaviours.watermark import Watermark

STEPS = st.lists(st.tuples(st.sampled_from(["add", "raise_to"]), st.integers(1, 30)), max_size=40)


@given(st.integers(0, 5), STEPS)
def test_it_agrees_with_a_set(start: int, steps: list[tuple[str, int]]) -> None:
    """`value` is the end of the run without a hole, and a hole is known as long as there is one."""
    mark, held = Watermark(start), set(range(start + 1))
    for step, number in steps:
        getattr(mark, step)(number)
        held |= {number} if step == "add" else set(range(number + 1))
        expected = next(value for value in range(100) if value + 1 not in held)
        assert (expected, max(held) > expected) == (mark.value, mark.has_hole)
