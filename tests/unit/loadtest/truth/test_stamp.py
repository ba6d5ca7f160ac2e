"""Stamps: what is written is read, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.truth.stamp import Stamp, read_stamp, write_stamp

RUN = "00c0ffee"


@given(st.integers(0, 10**6), st.integers(1, 10**9), st.integers(0, 10**18))
def test_what_is_written_is_read(sender: int, number: int, due_ns: int) -> None:
    """Sender and number come back exactly, the time to the µs, and it fits into a `client_id`."""
    written = write_stamp(RUN, sender, number, due_ns)
    assert Stamp(sender, number, due_ns // 1000 * 1000) == read_stamp(RUN, written)
    assert len(written) <= 64


@given(st.text(max_size=70))
def test_other_text_is_not_a_stamp(text: str) -> None:
    """Whatever a server or another client writes is refused, without an exception."""
    assert read_stamp(RUN, text) is None


@pytest.mark.parametrize(
    "text",
    [
        write_stamp("another1", 1, 1, 1),
        f"lt.{RUN}.1.1",
        f"lt.{RUN}.1.1.1.1",
        f"lt.{RUN}.1.0.1",
        f"lt.{RUN}.-1.1.1",
        f"lt.{RUN}.1.1.-1",
        f"lt.{RUN}.1..1",
        f"lt.{RUN}.1.ä.1",
        f"xx.{RUN}.1.1.1",
    ],
)
def test_what_is_nearly_a_stamp_is_refused(text: str) -> None:
    """Another run's, cut off, or with numbers that nobody writes."""
    assert read_stamp(RUN, text) is None
