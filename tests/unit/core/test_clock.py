"""core.clock: instants in UTC, to the millisecond, in three forms that mean the same."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import SystemClock, from_ms, to_ms, to_wire

MS = timedelta(milliseconds=1)
_FIRST, _LAST = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1900, 9000))
instants = st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)).map(
    lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000)
)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(instants)
def test_milliseconds_and_back(instant: datetime) -> None:
    """No instant of whole milliseconds changes on its way through the store, before 1970 either."""
    assert instant == from_ms(to_ms(instant))
    assert to_ms(instant) + 1 == to_ms(instant + MS)


@given(st.integers(-2_000_000_000_000, 200_000_000_000_000))
def test_every_number_of_milliseconds_is_an_instant(value: int) -> None:
    """What is stored comes back as the same number, aware and in UTC."""
    instant = from_ms(value)
    assert (value, UTC) == (to_ms(instant), instant.tzinfo)


@given(instants, zones)
def test_the_wire_form_means_the_same_instant(instant: datetime, zone: timezone) -> None:
    """RFC 3339 with milliseconds and `Z`, from whatever zone the instant was in; parsing it gives the instant."""
    text = to_wire(instant.astimezone(zone))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert instant == datetime.fromisoformat(text)


@given(instants, instants)
def test_the_wire_form_sorts_by_time(one: datetime, other: datetime) -> None:
    """Clients may compare the strings."""
    assert (one < other) == (to_wire(one) < to_wire(other))


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 11, 21, 9, 30, tzinfo=UTC), "2026-11-21T09:30:00.000Z"),
        (datetime(2026, 11, 21, 9, 30, 0, 7_999, tzinfo=UTC), "2026-11-21T09:30:00.007Z"),
        (datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-02-28T23:30:00.000Z"),
    ],
)
def test_the_wire_form_by_example(instant: datetime, text: str) -> None:
    """Zeros are written out, microseconds cut off, days counted in UTC."""
    assert text == to_wire(instant)


def test_the_system_clock_tells_the_time() -> None:
    """`now` is the machine's time in UTC, cut to milliseconds; `monotonic` does not go back."""
    clock = SystemClock()
    before = datetime.now(UTC) - MS
    now = clock.now()
    assert before <= now <= datetime.now(UTC)
    assert (UTC, 0) == (now.tzinfo, now.microsecond % 1000)
    assert clock.monotonic() <= clock.monotonic()
