"""Keys of the school's backends."""

from tests.contract.samples import Store

KEY, OTHER = b"k" * 32, b"o" * 32


async def test_find_names_the_key(store: Store) -> None:
    """Only a key that was added has a name."""
    await store.service_keys.add("timetable", KEY)
    assert ["timetable", None] == [await store.service_keys.find(KEY), await store.service_keys.find(OTHER)]


async def test_add_replaces_the_key_of_a_name(store: Store) -> None:
    """A rotated key is void at once; adding the same key again changes nothing."""
    await store.service_keys.add("timetable", KEY)
    await store.service_keys.add("timetable", OTHER)
    await store.service_keys.add("timetable", OTHER)
    assert [None, "timetable"] == [await store.service_keys.find(KEY), await store.service_keys.find(OTHER)]
