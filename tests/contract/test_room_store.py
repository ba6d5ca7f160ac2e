"""Rooms: creation once only, access, changes and the list."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from core.clock import to_ms
from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId, UserId, uuid7
from rooms.types import Access, Room, RoomKind, RoomRole, RoomSettings, RoomView
from tests.contract.samples import (
    ADA,
    BEN,
    CHEN,
    NOW,
    Store,
    later,
    member,
    room,
    sent,
    sent_many,
    stored_room,
    user,
)


async def test_create_stores_room_and_members(store: Store) -> None:
    """What was created is what is read, with the members counted and the numbers at zero."""
    new = room(kind=RoomKind.SESSION, title="Physik – Übung", settings=RoomSettings(open=True, slow_mode_s=30))
    members = [member(new.id, ADA, role=RoomRole.OWNER), member(new.id, BEN, muted_until=later(60))]
    expected = replace(new, member_count=2)
    assert (expected, True) == await store.rooms.create(replace(new, last_seq=7, rev=7, member_count=7), members)
    assert expected == await store.rooms.get(new.id)
    assert members == [await store.members.get(new.id, ADA), await store.members.get(new.id, BEN)]


async def test_create_of_a_known_id_returns_what_is_there(store: Store) -> None:
    """An id is created once; the members of the second call are not added."""
    first = await stored_room(store, ADA)
    again = await store.rooms.create(replace(first, title="Another"), [member(first.id, BEN)])
    assert (first, False) == again
    assert None is await store.members.get(first.id, BEN)


async def test_create_of_a_known_unique_key_returns_what_is_there(store: Store) -> None:
    """A unique key has one room, whatever id a later call brings; without a key, rooms are never the same."""
    first = await stored_room(store, ADA, BEN, unique_key="direct:ada:ben")
    second = room()
    again = await store.rooms.create(second, [member(second.id)], unique_key="direct:ada:ben")
    assert (first, False) == again
    assert None is await store.rooms.get(second.id)
    assert first != await stored_room(store, ADA, BEN)


async def test_concurrent_creates_of_one_unique_key_make_one_room(store: Store) -> None:
    """32 people open the same pair at once: one room, and everyone is told of that one."""

    async def create() -> tuple[Room, bool]:
        new = room(kind=RoomKind.DIRECT)
        return await store.rooms.create(new, [member(new.id, ADA), member(new.id, BEN)], unique_key="direct:ada:ben")

    created = await asyncio.gather(*(create() for _ in range(32)))
    assert 1 == sum(new for _, new in created)
    assert 1 == len({each.id for each, _ in created})
    assert [created[0][0].id] == await live(store, 9)


async def test_unknown_rooms_are_none(store: Store) -> None:
    """An unknown id is no error here."""
    assert None is await store.rooms.get(RoomId("none"))
    assert None is await store.rooms.access(RoomId("none"), ADA)


async def test_access_is_room_and_membership(store: Store) -> None:
    """An outsider of a room has access without a member; the domain decides what that means."""
    home = await stored_room(store, ADA)
    assert Access(home, member(home.id, ADA)) == await store.rooms.access(home.id, ADA)
    assert Access(home, None) == await store.rooms.access(home.id, BEN)


async def test_access_shows_every_change_that_returned(store: Store) -> None:
    """However often it was asked before: coming, going, roles, mutes, the member count and the room's own rules."""
    home = await stored_room(store, ADA)

    async def looks(user_id: UserId) -> tuple[RoomRole | None, datetime | None, int, bool, RoomSettings]:
        assert await store.rooms.access(home.id, user_id)
        access = await store.rooms.access(home.id, user_id)
        assert access
        who = access.member
        return (
            who.role if who else None,
            who.muted_until if who else None,
            access.room.member_count,
            access.room.archived,
            access.room.settings,
        )

    plain = (False, RoomSettings())
    assert [(RoomRole.MEMBER, None, 1, *plain), (None, None, 1, *plain)] == [await looks(who) for who in (ADA, BEN)]
    await store.members.put(member(home.id, BEN))
    assert [(RoomRole.MEMBER, None, 2, *plain)] * 2 == [await looks(who) for who in (ADA, BEN)]
    await store.members.put(member(home.id, BEN, role=RoomRole.MODERATOR, muted_until=later(9)))
    assert (RoomRole.MODERATOR, later(9), 2, *plain) == await looks(BEN)
    await store.rooms.update(home.id, lambda room: replace(room, archived=True, settings=RoomSettings(slow_mode_s=3)))
    assert (RoomRole.MODERATOR, later(9), 2, True, RoomSettings(slow_mode_s=3)) == await looks(BEN)
    await store.members.remove(home.id, BEN)
    assert [RoomRole.MEMBER, None] == [(await looks(who))[0] for who in (ADA, BEN)]
    assert 1 == (await looks(ADA))[2]


async def test_a_room_that_was_not_there_is_seen_once_it_is(store: Store) -> None:
    """Having asked for an id before it was made does not hide the room."""
    assert None is await store.rooms.access(RoomId("later"), ADA)
    home = await stored_room(store, ADA, id=RoomId("later"))
    assert Access(home, member(home.id, ADA)) == await store.rooms.access(home.id, ADA)


async def test_readers_beside_writers_never_see_what_was_replaced(store: Store) -> None:
    """While people come and go, whoever asks after a change has returned sees it, however many ask meanwhile."""
    home = await stored_room(store, ADA)
    done = False

    async def crowd() -> None:
        while not done:
            await asyncio.gather(*(store.rooms.access(home.id, who) for who in (ADA, BEN, CHEN)))
            await asyncio.sleep(0)

    crowds = [asyncio.create_task(crowd()) for _ in range(3)]
    for _ in range(40):
        await store.members.put(member(home.id, BEN))
        assert member(home.id, BEN) == getattr(await store.rooms.access(home.id, BEN), "member", None)
        await store.members.remove(home.id, BEN)
        assert Access(home, None) == await store.rooms.access(home.id, BEN)
    done = True
    await asyncio.gather(*crowds)


async def test_access_shows_a_change_whose_caller_went_away(store: Store) -> None:
    """A removal that is cancelled while it is being written is seen by the next who asks, as soon as it is done."""
    home = await stored_room(store, ADA, BEN)
    leaving = asyncio.create_task(store.members.remove(home.id, BEN))
    await asyncio.sleep(0)
    await store.rooms.access(home.id, BEN)
    leaving.cancel()
    await store.members.put(member(home.id, CHEN))  # written after what came before it
    access = await store.rooms.access(home.id, BEN)
    assert access
    assert (None, 2) == (access.member, access.room.member_count)


async def test_a_view_is_the_room_as_it_is_listed(store: Store) -> None:
    """With membership, last message and peer as of now, also right after an access; for outsiders without a member."""
    await store.users.put(user("ben"))
    home = await stored_room(store, ADA, BEN, kind=RoomKind.DIRECT)
    for _ in range(2):
        await store.rooms.access(home.id, ADA)
        await sent(store, home.id)
        (listed,) = await store.rooms.list_for(ADA, kind=None, before=None, limit=9)
        assert listed == await store.rooms.view(home.id, ADA)
    seen = await store.rooms.view(home.id, CHEN)
    assert seen is not None
    assert (2, None) == (seen.room.last_seq, seen.me)
    assert None is await store.rooms.view(RoomId("none"), ADA)


async def test_concurrent_accesses_each_get_their_own(store: Store) -> None:
    """Many at once, of several people, to several rooms, some unknown: nobody gets another's answer."""
    rooms = [await stored_room(store, ADA), await stored_room(store, BEN)]
    asked = [(room_id, who) for room_id in (rooms[0].id, RoomId("none"), rooms[1].id) for who in (ADA, BEN)] * 8
    expected = [
        *(Access(rooms[0], member(rooms[0].id, ADA)), Access(rooms[0], None)),
        *(None, None),
        *(Access(rooms[1], None), Access(rooms[1], member(rooms[1].id, BEN))),
    ] * 8
    assert expected == list(await asyncio.gather(*(store.rooms.access(*each) for each in asked)))


async def test_update_changes_title_archived_and_settings(store: Store) -> None:
    """The next rev is used, and nothing but those three may change."""
    home = await stored_room(store)
    await sent(store, home.id)
    changes: dict[str, Any] = {"title": "Geometry", "archived": True, "settings": RoomSettings(slow_mode_s=5)}
    updated, changed = await store.rooms.update(
        home.id, lambda room: replace(room, **changes, created_by=BEN, last_seq=50)
    )
    assert (replace(home, **changes, last_seq=1, rev=2, last_activity_at=NOW), True) == (updated, changed)
    assert updated == await store.rooms.get(home.id)


async def test_an_equal_update_uses_no_rev(store: Store) -> None:
    """An update that changes nothing, or nothing that may change, leaves the room as it is."""
    home = await stored_room(store)
    assert (home, False) == await store.rooms.update(home.id, lambda room: replace(room, title=home.title))
    assert (home, False) == await store.rooms.update(home.id, lambda room: replace(room, created_by=BEN, rev=9))
    assert home == await store.rooms.get(home.id)


async def test_update_of_an_unknown_room_is_refused(store: Store) -> None:
    """There is nothing to update."""
    with pytest.raises(HomeroomError) as caught:
        await store.rooms.update(RoomId("none"), lambda room: room)
    assert ErrorCode.ROOM_NOT_FOUND == caught.value.code


async def test_concurrent_updates_lose_none(store: Store) -> None:
    """20 changes at once all see each other, and each has a rev of its own."""
    home = await stored_room(store, title="")
    updated = await asyncio.gather(
        *(store.rooms.update(home.id, lambda room: replace(room, title=room.title + "x")) for _ in range(20))
    )
    assert list(range(1, 21)) == sorted(room.rev for room, _ in updated)
    final = await store.rooms.get(home.id)
    assert replace(home, title="x" * 20, rev=20) == final


async def test_rev_is_shared_by_room_and_messages(store: Store) -> None:
    """A change of the room takes the rev after that of the last message, and the next message the one after."""
    home = await stored_room(store)
    await sent(store, home.id)
    await store.rooms.update(home.id, lambda room: replace(room, title="Geometry"))
    assert 3 == (await sent(store, home.id)).rev


async def test_list_shows_each_room_with_its_last_message(store: Store) -> None:
    """A view has the room, my membership and the newest message; a room without messages has none."""
    quiet = await stored_room(store, ADA, created_at=NOW)
    busy = await stored_room(store, ADA, BEN, created_at=NOW)
    last = (await sent_many(store, busy.id, 3, BEN))[-1]
    views = await store.rooms.list_for(ADA, kind=None, before=None, limit=9)
    moved = replace(busy, last_seq=3, rev=3, last_activity_at=last.created_at)
    assert [RoomView(moved, member(busy.id), last), RoomView(quiet, member(quiet.id))] == list(views)


async def test_list_names_the_peer_of_a_direct_room(store: Store) -> None:
    """In a direct room each sees the other, if the other is a known user; no other kind has a peer."""
    await store.users.put(user("ada"))
    await store.users.put(user("ben"))
    await stored_room(store, ADA, BEN, kind=RoomKind.DIRECT)
    await stored_room(store, ADA, BEN, kind=RoomKind.GROUP)
    await stored_room(store, ADA, CHEN, kind=RoomKind.DIRECT)
    peers = [view.peer for view in await store.rooms.list_for(ADA, kind=None, before=None, limit=9)]
    assert [None, None, user("ben")] == peers
    assert [None, user("ada")] == [
        view.peer for view in await store.rooms.list_for(BEN, kind=None, before=None, limit=9)
    ]


async def test_list_shows_only_my_rooms(store: Store) -> None:
    """Another's room is never in the list, and a left room no longer."""
    mine, left = await stored_room(store, ADA, BEN), await stored_room(store, ADA, BEN)
    await stored_room(store, BEN)
    await store.members.remove(left.id, ADA)
    assert [mine.id] == [view.room.id for view in await store.rooms.list_for(ADA, kind=None, before=None, limit=9)]


async def test_list_includes_archived_rooms_and_filters_by_kind(store: Store) -> None:
    """An archived room can still be read."""
    archived = await stored_room(store, kind=RoomKind.SUPPORT)
    await store.rooms.update(archived.id, lambda room: replace(room, archived=True))
    group = await stored_room(store, kind=RoomKind.GROUP)
    everything = await store.rooms.list_for(ADA, kind=None, before=None, limit=9)
    assert {archived.id, group.id} == {view.room.id for view in everything}
    support = await store.rooms.list_for(ADA, kind=RoomKind.SUPPORT, before=None, limit=9)
    assert [archived.id] == [view.room.id for view in support]


async def test_list_pages_newest_activity_first(store: Store) -> None:
    """Paging by the last row's (activity, id) visits every room once; ties are broken by id, descending."""
    ids = sorted(RoomId(uuid7()) for _ in range(9))
    for number, room_id in enumerate(ids):
        await stored_room(store, id=room_id, created_at=later(number // 3))
    await sent(store, ids[0], created_at=later(10))
    seen: list[RoomId] = []
    before: tuple[int, str] | None = None
    while views := await store.rooms.list_for(ADA, kind=None, before=before, limit=2):
        seen += [view.room.id for view in views]
        last = views[-1].room
        before = (to_ms(last.last_activity_at or last.created_at), last.id)
    assert [ids[0], *reversed(ids[1:])] == seen


async def live(store: Store, limit: int) -> list[RoomId]:
    """Return where Ada is live when she comes in."""
    return list((await store.rooms.reach(ADA, live_limit=limit, max_members=0, small_limit=9)).live)


async def small(store: Store, max_members: int, limit: int) -> list[RoomId]:
    """Return the rooms that hear of Ada, which both ways to ask agree on."""
    found = list(await store.rooms.small_ids(ADA, max_members=max_members, limit=limit))
    reach = await store.rooms.reach(ADA, live_limit=0, max_members=max_members, small_limit=limit)
    assert (found, []) == (list(reach.small), list(reach.live))
    return found


async def test_live_are_the_unarchived_auto_joined_rooms(store: Store) -> None:
    """Direct, group and support rooms are live on connect, newest activity first, up to the limit."""
    kinds = list(RoomKind)
    rooms = {kind: await stored_room(store, kind=kind, created_at=later(number)) for number, kind in enumerate(kinds)}
    archived = await stored_room(store, created_at=later(50))
    await store.rooms.update(archived.id, lambda room: replace(room, archived=True))
    await stored_room(store, UserId("other"), created_at=later(60))
    await sent(store, rooms[RoomKind.DIRECT].id, created_at=later(99))
    expected = [rooms[kind].id for kind in (RoomKind.DIRECT, RoomKind.SUPPORT, RoomKind.GROUP)]
    assert expected == await live(store, 9)
    assert expected[:2] == await live(store, 2)


async def test_small_are_the_unarchived_rooms_of_few(store: Store) -> None:
    """Rooms of every kind count, up to the number of members and the limit, newest activity first."""
    pair = await stored_room(store, ADA, BEN, kind=RoomKind.DIRECT, created_at=later(1))
    session = await stored_room(store, ADA, kind=RoomKind.SESSION, created_at=later(2))
    crowd = await stored_room(store, ADA, BEN, CHEN, created_at=later(3))
    archived = await stored_room(store, ADA, created_at=later(4))
    await store.rooms.update(archived.id, lambda room: replace(room, archived=True))
    await stored_room(store, BEN, created_at=later(5))
    assert [session.id, pair.id] == await small(store, 2, 9)
    assert [crowd.id] == await small(store, 3, 1)
    await sent(store, pair.id, created_at=later(99))
    assert [pair.id, session.id] == await small(store, 2, 9)
