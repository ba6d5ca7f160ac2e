"""Catching up: what a client that was away is told, as of one instant."""

import asyncio
from dataclasses import replace

import pytest

from core.ids import RoomId, UserId
from rooms.ports import SyncRead
from rooms.types import Access, Receipt, RoomKind, RoomView
from tests.contract.samples import ADA, BEN, CHEN, Store, ids, member, sent, sent_many, stored_room, user


async def read(
    store: Store, room_id: RoomId, since_rev: int | None, user_id: UserId = ADA, *, max_receipts: int = 100
) -> SyncRead:
    """Read with a page of 3 and a limit of 4; the room must exist."""
    found = await store.sync.read(
        room_id, user_id, may_read=anybody, since_rev=since_rev, page=3, limit=4, max_receipts=max_receipts
    )
    assert isinstance(found, SyncRead)
    return found


def anybody(access: Access) -> bool:
    """The rule of tests that are not about who may read."""
    return True


async def test_an_unknown_room_is_none(store: Store) -> None:
    """An unknown id is no error here."""
    read_ = store.sync.read(RoomId("none"), ADA, may_read=anybody, since_rev=0, page=3, limit=4, max_receipts=9)
    assert None is await read_


async def test_who_may_not_read_gets_what_was_decided_on(store: Store) -> None:
    """The rule is asked once, with the room and the membership as they are; refused, it is all that comes back."""
    home = await stored_room(store, ADA)
    await sent(store, home.id)
    asked: list[Access] = []

    def members_only(access: Access) -> bool:
        asked.append(access)
        return access.member is not None

    async def look(user_id: UserId) -> SyncRead | Access | None:
        return await store.sync.read(
            home.id, user_id, may_read=members_only, since_rev=None, page=3, limit=4, max_receipts=9
        )

    assert isinstance(await look(ADA), SyncRead)
    refused = await look(BEN)
    assert isinstance(refused, Access)
    assert (1, None) == (refused.room.last_seq, refused.member)
    assert [home.id, home.id] == [access.room.id for access in asked]
    assert refused == asked[1]


async def test_the_view_is_that_of_the_list(store: Store) -> None:
    """A room looks the same whether it is listed or joined."""
    await store.users.put(user("ben"))
    home = await stored_room(store, ADA, BEN, kind=RoomKind.DIRECT)
    await sent_many(store, home.id, 2, BEN)
    (listed,) = await store.rooms.list_for(ADA, kind=None, before=None, limit=9)
    assert listed == (await read(store, home.id, None)).view
    assert user("ben") == listed.peer


async def test_an_outsider_has_no_membership_in_the_view(store: Store) -> None:
    """Who may read is the domain's rule."""
    home = await stored_room(store, ADA)
    assert RoomView(home, None) == (await read(store, home.id, None, BEN)).view


async def test_a_first_join_gets_the_newest_page(store: Store) -> None:
    """In seq order; `reset` tells that there is more before it."""
    home = await stored_room(store, ADA)
    empty = await read(store, home.id, None)
    assert ([], False) == (list(empty.messages), empty.reset)
    written = await sent_many(store, home.id, 3)
    everything = await read(store, home.id, None)
    assert (ids(written), False) == (ids(everything.messages), everything.reset)
    written.append(await sent(store, home.id))
    newest = await read(store, home.id, None)
    assert (ids(written[1:]), True) == (ids(newest.messages), newest.reset)


async def test_a_catch_up_gets_what_changed(store: Store) -> None:
    """Every message changed after the rev, once, in rev order; nothing if nothing did."""
    home = await stored_room(store, ADA)
    one, two, three = await sent_many(store, home.id, 3)
    await store.messages.change(one.id, lambda message: replace(message, body="edited"))
    caught_up = await read(store, home.id, 1)
    assert ([two.id, three.id, one.id], False) == (ids(caught_up.messages), caught_up.reset)
    assert ["message 2", "message 3", "edited"] == [message.body for message in caught_up.messages]
    nothing = await read(store, home.id, 4)
    assert ([], False, 4) == (list(nothing.messages), nothing.reset, nothing.view.room.rev)


@pytest.mark.parametrize(("since_rev", "seqs", "reset"), [(2, [3, 4, 5, 6], False), (1, [4, 5, 6], True)])
async def test_a_catch_up_is_bounded(store: Store, since_rev: int, seqs: list[int], reset: bool) -> None:
    """Up to the limit everything is told; beyond it the newest page, and the client starts afresh."""
    home = await stored_room(store, ADA)
    await sent_many(store, home.id, 6)
    found = await read(store, home.id, since_rev)
    assert (seqs, reset) == ([message.seq for message in found.messages], found.reset)


async def test_a_client_ahead_of_the_room_starts_afresh(store: Store) -> None:
    """A rev that the room has not reached comes from a store that was restored: what the client holds is not ours."""
    home = await stored_room(store, ADA)
    written = await sent_many(store, home.id, 2)
    found = await read(store, home.id, 99)
    assert (ids(written), True) == (ids(found.messages), found.reset)


async def test_receipts_are_those_of_every_member(store: Store) -> None:
    """In a room of more members than asked for there are none."""
    home = await stored_room(store, ADA, BEN, CHEN)
    await sent_many(store, home.id, 2, ADA)
    await store.members.mark(home.id, BEN, read_seq=1, delivered_seq=2)
    receipts = (await read(store, home.id, None, max_receipts=3)).receipts
    assert {Receipt(home.id, ADA, 2, 2), Receipt(home.id, BEN, 1, 2), Receipt(home.id, CHEN, 0, 0)} == set(receipts)
    assert [] == list((await read(store, home.id, None, max_receipts=2)).receipts)


async def test_a_reading_is_of_one_instant(store: Store) -> None:
    """Beside 20 writers, room, last message, watermark and messages always belong together."""
    home = await stored_room(store, ADA)
    writing = asyncio.gather(*(sent_many(store, home.id, 10, ADA) for _ in range(20)))
    readings = 0
    while not writing.done():
        found = await store.sync.read(home.id, ADA, may_read=anybody, since_rev=0, page=50, limit=500, max_receipts=9)
        assert isinstance(found, SyncRead)
        seq = found.view.room.last_seq
        assert list(range(1, seq + 1)) == [message.seq for message in found.messages]
        assert (found.messages[-1] if seq else None) == found.view.last_message
        assert member(home.id, read_seq=seq, delivered_seq=seq) == found.view.me
        assert [Receipt(home.id, ADA, seq, seq)] == list(found.receipts)
        readings += 1
    await writing
    assert readings > 3
