"""realtime.engine.places: connections are counted, whatever their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.engine.places import OTHER_FILES, Places, most_connections


@given(st.integers(0, 4), st.integers(0, 3), st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["", *"abc"]))))
def test_no_limit_is_passed_and_nothing_is_forgotten(most: int, each: int, steps: list[tuple[int, str]]) -> None:
    """However connections come, turn out to be somebody's, and go: never too many, and at the end none."""
    places = Places(most, each)
    counted = {place: "" for _ in range(10) if (place := places.enter())}
    assert (most or 10) == len(places) == len(counted)
    order = list(counted)
    for number, address in steps:
        place = order[number % len(order)]
        if number == 9:
            place.leave()
            counted.pop(place, None)
        elif place in counted and place.count_for(address):
            counted[place] = address
        now = list(counted.values())
        assert len(counted) == len(places)
        assert all(now.count(name) <= (each or 10) for name in "abc")
    for place in order:
        place.leave()
    assert 0 == len(places)
    assert not each or all(fresh.count_for("a") for _ in range(min(each, most or each)) if (fresh := places.enter()))


def test_a_refused_connection_counts_for_whom_it_did() -> None:
    """Where there is no room for a client, its connection is not lost to the count."""
    places = Places(0, 1)
    first, second = places.enter(), places.enter()
    assert first is not None
    assert second is not None
    assert [True, True, False] == [first.count_for("a"), second.count_for("b"), second.count_for("a")]
    assert [True, False] == [second.count_for("b"), first.count_for("b")]
    first.leave()
    assert second.count_for("a")


def test_a_place_is_left_once() -> None:
    """Two who know of the end of a connection do not free two places."""
    places = Places(2, 0)
    place = places.enter()
    assert place is not None
    assert places.enter() is not None
    place.leave()
    place.leave()
    assert 1 == len(places)
    assert place.count_for("anybody")


def test_neighbours_in_an_ipv6_network_are_one_client() -> None:
    """A client owns a whole /64."""
    places = Places(0, 1)
    counted = [place.count_for(f"2001:db8::{n}") for n in range(2) if (place := places.enter())]
    assert [True, False] == counted


@pytest.mark.parametrize(
    ("setting", "open_files", "expected"),
    [(0, None, 0), (5, None, 5), (0, 1024, 768), (500, 1024, 500), (5000, 1024, 768), (0, 10, 1), (0, OTHER_FILES, 1)],
)
def test_open_files_are_the_last_limit(setting: int, open_files: int | None, expected: int) -> None:
    """No more connections than files that may be open, some of which are needed for other things."""
    assert expected == most_connections(setting, open_files)
