"""Memberships: who is in a room, and how far they have read."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId, UserId
from rooms.types import Member, Notify, Receipt, RoomRole
from tests.contract.conftest import ADAPTERS
from tests.contract.samples import (
    ADA,
    BEN,
    CHEN,
    FixedClock,
    Store,
    later,
    member,
    sent,
    sent_many,
    stored_room,
    user,
)


async def test_put_adds_a_member_who_has_nothing_unread(store: Store) -> None:
    """A new member starts at the room's last message, whatever watermarks the call brings."""
    home = await stored_room(store, ADA)
    await sent_many(store, home.id, 3)
    new = member(home.id, BEN, role=RoomRole.OBSERVER, muted_until=later(9), notify=Notify.MENTIONS, read_seq=1)
    assert True is await store.members.put(new)
    assert replace(new, read_seq=3, delivered_seq=3) == await store.members.get(home.id, BEN)


async def test_put_changes_a_member_and_keeps_its_place(store: Store) -> None:
    """Role, muting and notification change; the watermarks and the day of joining stay."""
    home = await stored_room(store, ADA, BEN)
    await sent_many(store, home.id, 3)
    changed = member(home.id, BEN, role=RoomRole.MODERATOR, muted_until=later(5), notify=Notify.NONE)
    assert False is await store.members.put(replace(changed, joined_at=later(99), read_seq=2))
    assert changed == await store.members.get(home.id, BEN)


async def test_put_into_an_unknown_room_is_refused(store: Store) -> None:
    """There is no membership without a room."""
    with pytest.raises(HomeroomError) as caught:
        await store.members.put(member(RoomId("none")))
    assert ErrorCode.ROOM_NOT_FOUND == caught.value.code


async def test_remove_ends_a_membership(store: Store) -> None:
    """A second removal finds nothing."""
    home = await stored_room(store, ADA, BEN)
    assert True is await store.members.remove(home.id, BEN)
    assert None is await store.members.get(home.id, BEN)
    assert False is await store.members.remove(home.id, BEN)
    assert False is await store.members.remove(RoomId("none"), BEN)


async def member_count(store: Store, room_id: RoomId) -> int | None:
    found = await store.rooms.get(room_id)
    return found.member_count if found else None


async def test_member_count_follows(store: Store) -> None:
    """Adding counts once, changing does not, removing counts once."""
    home = await stored_room(store, ADA)
    await store.members.put(member(home.id, BEN))
    await store.members.put(member(home.id, BEN, role=RoomRole.MODERATOR))
    assert 2 == await member_count(store, home.id)
    await store.members.remove(home.id, BEN)
    await store.members.remove(home.id, BEN)
    assert 1 == await member_count(store, home.id)


async def test_member_count_is_right_after_concurrent_changes(store: Store) -> None:
    """The count equals the members, whoever came and went at once."""
    home = await stored_room(store, ADA)
    people = [UserId(f"user-{number}") for number in range(20)]
    puts = [store.members.put(member(home.id, who)) for who in people for _ in range(2)]
    removals = [store.members.remove(home.id, who) for who in people[:10] for _ in range(2)]
    await asyncio.gather(*puts, *removals)
    listed = await store.members.list(home.id, after=None, limit=99)
    assert len(listed) == await member_count(store, home.id)


async def test_changes_of_members_use_no_rev(store: Store) -> None:
    """rev numbers messages and the room itself; membership is told by events of its own."""
    home = await stored_room(store, ADA)
    await store.members.put(member(home.id, BEN))
    await store.members.mark(home.id, BEN, read_seq=0, delivered_seq=0)
    assert 1 == (await sent(store, home.id)).rev


async def test_list_pages_by_user_id(store: Store) -> None:
    """Members come with their users, where known, in the order of their ids."""
    home = await stored_room(store, CHEN, ADA, BEN)
    await store.users.put(user("ben"))
    everyone = await store.members.list(home.id, after=None, limit=9)
    assert [(member(home.id, ADA), None), (member(home.id, BEN), user("ben")), (member(home.id, CHEN), None)] == list(
        everyone
    )
    assert [everyone[1]] == list(await store.members.list(home.id, after=ADA, limit=1))
    assert [] == list(await store.members.list(home.id, after=CHEN, limit=9))


async def test_mark_moves_both_watermarks(store: Store) -> None:
    """Reading implies delivery; the receipt is the member's, and tells whether anything moved."""
    home = await stored_room(store, ADA, BEN)
    await sent_many(store, home.id, 5)
    assert (Receipt(home.id, BEN, 0, 2), True) == await store.members.mark(home.id, BEN, read_seq=0, delivered_seq=2)
    assert (Receipt(home.id, BEN, 4, 4), True) == await store.members.mark(home.id, BEN, read_seq=4, delivered_seq=0)
    assert (Receipt(home.id, BEN, 4, 4), False) == await store.members.mark(home.id, BEN, read_seq=3, delivered_seq=4)
    assert member(home.id, BEN, read_seq=4, delivered_seq=4) == await store.members.get(home.id, BEN)


async def test_mark_is_bounded_by_the_last_message(store: Store) -> None:
    """Nobody has read what was not written."""
    home = await stored_room(store, ADA, BEN)
    await sent_many(store, home.id, 2)
    assert (Receipt(home.id, BEN, 2, 2), True) == await store.members.mark(home.id, BEN, read_seq=99, delivered_seq=99)


@pytest.mark.parametrize("known", [True, False])
async def test_mark_by_an_outsider_is_refused(store: Store, known: bool) -> None:
    """An outsider cannot tell a room that exists from one that does not."""
    room_id = (await stored_room(store, ADA)).id if known else RoomId("none")
    with pytest.raises(HomeroomError) as caught:
        await store.members.mark(room_id, BEN, read_seq=1, delivered_seq=1)
    assert ErrorCode.ROOM_NOT_FOUND == caught.value.code


async def test_concurrent_marks_end_at_the_highest(store: Store) -> None:
    """Marks of a moment, in any order and of several members, return receipts that never move back."""
    home = await stored_room(store, ADA, BEN, CHEN)
    await sent_many(store, home.id, 20, ADA)
    order = [7, 3, 20, 11, 1, 19]
    marked = await asyncio.gather(
        *(store.members.mark(home.id, who, read_seq=seq, delivered_seq=0) for seq in order for who in (BEN, CHEN))
    )
    assert [7, 7, 20, 20, 20, 20] == [receipt.read_seq for receipt, _ in marked if receipt.user_id == BEN]
    assert [True, False, True, False, False, False] == [moved for receipt, moved in marked if receipt.user_id == CHEN]
    assert member(home.id, CHEN, read_seq=20, delivered_seq=20) == await store.members.get(home.id, CHEN)


async def test_marks_and_appends_of_a_moment_agree(store: Store) -> None:
    """A member who writes and marks at once ends at the higher of the two."""
    home = await stored_room(store, ADA, BEN)
    await sent_many(store, home.id, 3, ADA)
    await asyncio.gather(
        sent(store, home.id, BEN), store.members.mark(home.id, BEN, read_seq=2, delivered_seq=2), return_exceptions=True
    )
    assert member(home.id, BEN, read_seq=4, delivered_seq=4) == await store.members.get(home.id, BEN)


async def test_among_finds_the_members(store: Store) -> None:
    """Members of another room, strangers and an unknown room give nobody."""
    home = await stored_room(store, ADA, BEN)
    await stored_room(store, CHEN)
    assert {ADA, BEN} == await store.members.among(home.id, [BEN, CHEN, ADA, UserId("nobody"), BEN])
    assert set() == await store.members.among(home.id, [])
    assert set() == await store.members.among(RoomId("none"), [ADA])


async def test_shared_finds_those_who_share_a_room(store: Store) -> None:
    """A room in common is enough, of any kind; strangers and unknown people share none."""
    await stored_room(store, ADA, BEN)
    await stored_room(store, ADA, CHEN)
    await stored_room(store, CHEN, UserId("dia"))
    assert {BEN, CHEN} == await store.members.shared(ADA, [BEN, CHEN, UserId("dia"), UserId("nobody")])
    assert set() == await store.members.shared(UserId("nobody"), [ADA, BEN])
    assert set() == await store.members.shared(ADA, [])


MARKS = st.lists(st.tuples(st.integers(-2, 12), st.integers(-2, 12)), max_size=8)


@pytest.mark.parametrize("adapter", ADAPTERS)
@settings(max_examples=40, deadline=None)
@given(marks=MARKS, written=st.integers(0, 8))
def test_watermarks_only_rise(adapter: str, marks: list[tuple[int, int]], written: int) -> None:
    """Any sequence of marks leaves the highest of each, within the last message, and delivered not below read."""
    assert _expected(marks, written) == asyncio.run(_marked(adapter, marks, written))


def _expected(marks: list[tuple[int, int]], written: int) -> list[tuple[int, int, bool]]:
    """The rule of the port, told over the whole past rather than step by step."""
    expected = [(0, 0, False)]
    for count in range(1, len(marks) + 1):
        read = min(written, max(0, *(mark[0] for mark in marks[:count])))
        delivered = min(written, max(0, read, *(mark[1] for mark in marks[:count])))
        expected.append((read, delivered, (read, delivered) != expected[-1][:2]))
    return expected[1:]


async def _marked(adapter: str, marks: list[tuple[int, int]], written: int) -> list[tuple[int, int, bool]]:
    with tempfile.TemporaryDirectory() as directory:
        store = await ADAPTERS[adapter](Path(directory), FixedClock())
        home = await stored_room(store, ADA, BEN)
        await sent_many(store, home.id, written)
        outcomes = [
            await store.members.mark(home.id, BEN, read_seq=read, delivered_seq=delivered) for read, delivered in marks
        ]
        last: Member | None = await store.members.get(home.id, BEN)
        await store.close()
    assert last
    assert (last.read_seq, last.delivered_seq) == (
        (outcomes[-1][0].read_seq, outcomes[-1][0].delivered_seq) if outcomes else (0, 0)
    )
    return [(receipt.read_seq, receipt.delivered_seq, moved) for receipt, moved in outcomes]
