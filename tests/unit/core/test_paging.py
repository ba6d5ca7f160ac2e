"""core.paging: cursors that survive the trip, and strangers' cursors that do no harm."""

import base64
import string

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import ErrorCode, HomeroomError
from core.paging import decode_cursor, encode_cursor
from tests.support.refusal import outcome, refused

URL_SAFE = set(string.ascii_letters + string.digits + "-_")
texts = st.text(st.characters(exclude_categories=["Cs"]))
positions = st.lists(st.one_of(texts, st.integers(-(2**63), 2**63 - 1)), max_size=4)


def forged(value: object) -> str:
    """Return a cursor as a client could make it."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


@given(positions)
def test_a_position_survives_the_trip(position: list[str | int]) -> None:
    """Any position comes back as it was, through a cursor that needs no escaping in a URL."""
    cursor = encode_cursor(*position)
    assert position == decode_cursor(cursor, *map(type, position))
    assert set(cursor) <= URL_SAFE


@given(positions, positions)
def test_a_cursor_of_another_list_is_refused(position: list[str | int], other: list[str | int]) -> None:
    """A cursor fits only where its values have the right number and types."""
    shape = [type(value) for value in other]
    if [type(value) for value in position] != shape:
        with refused(ErrorCode.REQUEST_INVALID):
            decode_cursor(encode_cursor(*position), *shape)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        "====",
        "a",
        "żółć",
        "\x00",
        "\ud800",
        "' OR 1=1 --",
        "../../etc/passwd",
        forged("a"),
        forged({"0": 1, "1": "a"}),
        forged(None),
        forged([1]),
        forged(["a", 1]),
        forged([1.0, "a"]),
        forged([True, "a"]),
        forged([None, "a"]),
        forged([1, "a", 2]),
        forged([[1], "a"]),
        base64.urlsafe_b64encode(b"[1e999,1]").decode(),
        base64.urlsafe_b64encode(b'[99999999999999999999,"a"]').decode(),
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
        base64.urlsafe_b64encode(b"[" * 1500 + b"]" * 1500).decode(),
        base64.urlsafe_b64encode(b'[1,"\xff"]').decode(),
        base64.urlsafe_b64encode(b'[1,"\\ud800"]').decode(),
    ],
)
def test_hostile_cursors_are_refused_by_name(cursor: str) -> None:
    """Whatever is wrong, the answer is `request.invalid` and names the field."""
    with refused(ErrorCode.REQUEST_INVALID) as refusal:
        decode_cursor(cursor, int, str)
    assert ["cursor"] == refusal.fields


@given(st.text())
@example("W10")
def test_no_text_breaks_it(cursor: str) -> None:
    """Any text is a position of the right shape or a refusal."""
    position = outcome(lambda: decode_cursor(cursor, int, str))
    if isinstance(position, HomeroomError):
        assert ErrorCode.REQUEST_INVALID == position.code
    else:
        assert [int, str] == [type(value) for value in position]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64 - 1])
def test_a_number_that_no_store_can_hold_is_refused(number: int) -> None:
    """Stores count in 64 bits, signed; a larger number is no position, and must not fail inside the store."""
    cursor = base64.urlsafe_b64encode(b'[%d,"a"]' % number).decode()
    with refused(ErrorCode.REQUEST_INVALID):
        decode_cursor(cursor, int, str)
