"""People: who they are, when their tokens became void, when they were last here."""

import asyncio
from datetime import datetime

from auth.ports import Standing
from auth.types import Role
from core.ids import UserId
from tests.contract.samples import ADA, BEN, CHEN, NOW, Store, later, user


async def test_put_inserts_and_replaces(store: Store) -> None:
    """Every field is kept; a second put is the user from then on."""
    first = user("ada", "Ada L.", role=Role.TEACHER, avatar_url="https://x/a.png", tz="Europe/London", locale="en-GB")
    second = user("ada", "Ada Lovelace")
    await store.users.put(first)
    assert first == await store.users.get(ADA)
    await store.users.put(second)
    await store.users.put(second)
    assert second == await store.users.get(ADA)
    assert [] == list(await store.users.search("ada l.", after=None, limit=9))


async def test_get_of_an_unknown_user_is_none(store: Store) -> None:
    """An unknown id is no error here."""
    assert None is await store.users.get(ADA)


async def test_get_many_returns_those_that_exist(store: Store) -> None:
    """Unknown ids and repeats are passed over."""
    for name in ("ada", "ben", "chen"):
        await store.users.put(user(name))
    assert {ADA: user("ada"), BEN: user("ben")} == await store.users.get_many([ADA, UserId("nobody"), BEN, ADA])
    assert {} == await store.users.get_many([])


async def test_search_ignores_case_in_any_script(store: Store) -> None:
    """Names and ids are found by any part of them, also where upper and lower case are not ASCII."""
    people = [user("u1", "Łukasz Żak"), user("u2", "ΣΟΦΙΑ"), user("U3", "Straße"), user("u4", "Ada")]
    for each in people:
        await store.users.put(each)
    found = {
        query: [each.id for each in await store.users.search(query, after=None, limit=9)]
        for query in ("łUKASZ", "żAK", "σοφια", "STRASSE", "u3", "nobody", "%", "_")
    }
    none: list[str] = []
    expected = {"łUKASZ": ["u1"], "żAK": ["u1"], "σοφια": ["u2"], "STRASSE": ["U3"], "u3": ["U3"]}
    assert {**expected, "nobody": none, "%": none, "_": none} == found


async def test_search_pages_in_order_of_name_and_id(store: Store) -> None:
    """The empty query lists everyone; the last (folded name, id) leads to the next page, also among namesakes."""
    people = [user("b", "sam"), user("a", "Sam"), user("c", "Élodie"), user("d", "zoe"), user("e", "ADA")]
    for each in people:
        await store.users.put(each)
    seen: list[str] = []
    after: tuple[str, str] | None = None
    while page := await store.users.search("", after=after, limit=2):
        seen += [each.id for each in page]
        after = (page[-1].name.casefold(), page[-1].id)
    assert ["e", "a", "b", "d", "c"] == seen


async def test_valid_after_never_moves_back(store: Store) -> None:
    """Tokens that were void stay void, whoever voids them again; it also holds for a user not known yet."""
    assert None is await store.users.valid_after(ADA)
    await store.users.set_valid_after(ADA, later(10))
    await store.users.set_valid_after(ADA, NOW)
    assert later(10) == await store.users.valid_after(ADA)
    await store.users.put(user("ada"))
    assert later(10) == await store.users.valid_after(ADA)
    assert None is await store.users.valid_after(BEN)


def anybody(valid_after: datetime | None) -> bool:
    """The rule of a school that nobody was sent away from."""
    return True


async def test_a_sign_in_inserts_and_changes_nobody_who_is_there(store: Store) -> None:
    """Of many at once each is there afterwards as first described; a repeat or another description is passed over."""
    teacher = user("ada", "Ada Lovelace", role=Role.TEACHER, tz="Europe/London")
    await store.users.put(teacher)
    newcomers = [user(f"n{number}", avatar_url="https://x/n.png", locale="en-GB") for number in range(20)]
    coming = [*newcomers, user("ada"), newcomers[3]]
    found = await asyncio.gather(*(store.users.sign_in(each, anybody) for each in coming))
    assert Standing(teacher, None) == found[20]
    assert [Standing(None, None)] * 20 == found[:20]
    assert Standing(newcomers[3], None) == await store.users.sign_in(user("n3", "Another"), anybody)
    assert {each.id: each for each in newcomers} == await store.users.get_many([each.id for each in newcomers])
    assert teacher == await store.users.get(ADA)
    assert ["n3"] == [each.id for each in await store.users.search("n3", after=None, limit=9)]


async def test_a_sign_in_that_is_refused_inserts_nobody(store: Store) -> None:
    """The rule is asked with the instant of the last revocation, for each of many at once on their own."""
    await store.users.set_valid_after(BEN, later(5))
    await store.users.set_valid_after(CHEN, later(7))

    def before_six(valid_after: datetime | None) -> bool:
        return valid_after is None or valid_after < later(6)

    people = [user("ada"), user("ben"), user("chen")]
    found = await asyncio.gather(*(store.users.sign_in(each, before_six) for each in people))
    assert [Standing(None, None), Standing(None, later(5)), Standing(None, later(7))] == list(found)
    assert {ADA, BEN} == set(await store.users.get_many([ADA, BEN, CHEN]))


async def test_last_seen_keeps_the_latest(store: Store) -> None:
    """A late report of an earlier instant changes nothing; people never seen are not in the answer."""
    await store.last_seen.set_last_seen(ADA, later(10))
    await store.last_seen.set_last_seen(ADA, NOW)
    await store.last_seen.set_last_seen(BEN, NOW)
    seen = await store.last_seen.last_seen([ADA, BEN, UserId("nobody")])
    assert {ADA: later(10), BEN: NOW} == seen


async def test_ping_answers(store: Store) -> None:
    """A store that works says so."""
    assert None is await store.ping()  # type: ignore[func-returns-value]
