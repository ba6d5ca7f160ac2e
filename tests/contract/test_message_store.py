"""Messages: order, once-only, changes and pages."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from core.errors import ErrorCode, HomeroomError
from core.ids import MessageId, RoomId, UserId
from rooms.ports import Appended, Changed
from rooms.types import Message, MessageKind, Receipt
from tests.contract.samples import ADA, BEN, Store, draft, ids, later, room, sent, sent_many, stored_room


async def test_append_returns_what_get_returns(store: Store) -> None:
    """Every field of a draft survives the store, also outside ASCII and the basic plane."""
    home = await stored_room(store)
    first = await sent(store, home.id)
    new = draft(home.id, kind=MessageKind.FILE, body="Γειά 👋🏽\n\0", reply_to=first.id, mentions=(BEN, ADA))
    expected = Message(
        new.id,
        home.id,
        2,
        2,
        ADA,
        new.client_id,
        MessageKind.FILE,
        "Γειά 👋🏽\n\0",
        new.created_at,
        first.id,
        (BEN, ADA),
    )
    assert Appended(expected, created=True) == await store.messages.append(new)
    assert expected == await store.messages.get(new.id)


async def test_append_numbers_a_room_from_one(store: Store) -> None:
    """seq and rev start at 1 and step by 1, in each room on its own."""
    home, other = await stored_room(store), await stored_room(store)
    await sent(store, other.id)
    assert [(1, 1), (2, 2), (3, 3)] == [(message.seq, message.rev) for message in await sent_many(store, home.id, 3)]


async def test_append_moves_the_room(store: Store) -> None:
    """last_seq, rev and the time of last activity follow the newest message."""
    home = await stored_room(store)
    await sent(store, home.id, created_at=later(5))
    assert replace(home, last_seq=1, rev=1, last_activity_at=later(5)) == await store.rooms.get(home.id)


async def test_append_to_an_unknown_room_is_refused(store: Store) -> None:
    """There is no message without a room."""
    with pytest.raises(HomeroomError) as caught:
        await store.messages.append(draft(RoomId("nowhere")))
    assert ErrorCode.ROOM_NOT_FOUND == caught.value.code


async def test_append_from_someone_outside_is_stored(store: Store) -> None:
    """Who may write is the domain's rule: the store takes a sender who is no member, and moves no watermark."""
    home = await stored_room(store, ADA)
    appended = await store.messages.append(draft(home.id, UserId("system")))
    assert (1, None) == (appended.message.seq, appended.caught_up)
    assert None is await store.members.get(home.id, UserId("system"))


async def test_a_repeat_returns_the_original(store: Store) -> None:
    """The same client id again stores nothing, uses no seq or rev, and returns the message as it is now."""
    home = await stored_room(store)
    first = await sent(store, home.id, client_id="c1", body="first")
    edited = await store.messages.change(first.id, lambda message: replace(message, body="edited"))
    again = await store.messages.append(draft(home.id, client_id="c1", body="second", created_at=later(60)))
    assert Appended(edited.message, created=False) == again
    assert replace(home, last_seq=1, rev=2, last_activity_at=first.created_at) == await store.rooms.get(home.id)


async def test_a_client_id_is_the_senders_own_and_the_rooms_own(store: Store) -> None:
    """Two senders, or one sender in two rooms, may use the same client id."""
    home, other = await stored_room(store, ADA, BEN), await stored_room(store, ADA)
    appended = [
        await store.messages.append(draft(home.id, ADA, client_id="c")),
        await store.messages.append(draft(home.id, BEN, client_id="c")),
        await store.messages.append(draft(other.id, ADA, client_id="c")),
    ]
    assert [(1, True), (2, True), (1, True)] == [(each.message.seq, each.created) for each in appended]


async def test_to_write_is_to_have_read(store: Store) -> None:
    """The sender's watermarks move to the new message; a receipt tells of it only if others' messages were skipped."""
    home = await stored_room(store, ADA, BEN)
    assert None is (await store.messages.append(draft(home.id, ADA))).caught_up
    assert None is (await store.messages.append(draft(home.id, ADA))).caught_up
    assert Receipt(home.id, BEN, 3, 3) == (await store.messages.append(draft(home.id, BEN))).caught_up
    ada, ben = await store.members.get(home.id, ADA), await store.members.get(home.id, BEN)
    assert ada
    assert ben
    assert [(2, 2), (3, 3)] == [(ada.read_seq, ada.delivered_seq), (ben.read_seq, ben.delivered_seq)]


async def test_a_repeat_moves_no_watermark(store: Store) -> None:
    """A retry after a lost ack says nothing about what its sender has read since."""
    home = await stored_room(store, ADA, BEN)
    await sent(store, home.id, ADA, client_id="c")
    await sent(store, home.id, BEN)
    assert None is (await store.messages.append(draft(home.id, ADA, client_id="c"))).caught_up
    ada = await store.members.get(home.id, ADA)
    assert ada
    assert 1 == ada.read_seq


async def test_concurrent_appends_are_contiguous(store: Store) -> None:
    """64 senders at once: seq and rev are 1 … 640 with no hole, and each sender's own order is kept."""
    home = await stored_room(store)

    async def chatter(sender: int) -> list[Message]:
        return await sent_many(store, home.id, 10, UserId(f"sender-{sender}"))

    by_sender = await asyncio.gather(*(chatter(sender) for sender in range(64)))
    everything = sorted((message.seq, message.rev) for messages in by_sender for message in messages)
    assert [(number, number) for number in range(1, 641)] == everything
    assert all(messages == sorted(messages, key=lambda message: message.seq) for messages in by_sender)


async def test_writes_of_a_room_return_in_rev_order(store: Store) -> None:
    """Awaiters resume in rev order, whatever mix of appends and changes they wait for: fan-out relies on it."""
    home = await stored_room(store)
    first = await sent(store, home.id)
    returned: list[int] = []

    async def append() -> None:
        returned.append((await sent(store, home.id)).rev)

    async def edit(number: int) -> None:
        changed = await store.messages.change(first.id, lambda message: replace(message, body=f"edit {number}"))
        returned.append(changed.message.rev)

    await asyncio.gather(*(append() if number % 3 else edit(number) for number in range(90)))
    assert list(range(2, 92)) == returned


async def test_concurrent_repeats_store_one_message(store: Store) -> None:
    """A client that sends the same message 32 times at once gets one message 32 times; one call created it."""
    home = await stored_room(store)
    appended = await asyncio.gather(*(store.messages.append(draft(home.id, client_id="same")) for _ in range(32)))
    assert 1 == sum(each.created for each in appended)
    assert 1 == len({each.message.id for each in appended})
    assert replace(home, last_seq=1, rev=1, last_activity_at=home.created_at) == await store.rooms.get(home.id)


async def test_repeats_among_others_leave_no_hole(store: Store) -> None:
    """Repeats and refusals between the appends of a moment take no number from them."""
    home = await stored_room(store)
    drafts = [draft(home.id, client_id=f"c{number % 20}") for number in range(60)]
    drafts.insert(30, draft(RoomId("nowhere")))
    outcomes = await asyncio.gather(*(store.messages.append(each) for each in drafts), return_exceptions=True)
    appended = [outcome for outcome in outcomes if isinstance(outcome, Appended)]
    assert 60 == len(appended)
    assert list(range(1, 21)) == sorted(each.message.seq for each in appended if each.created)
    assert {f"c{number}": number + 1 for number in range(20)} == {
        each.message.client_id: each.message.seq for each in appended
    }


async def test_concurrent_appends_catch_senders_up_once_each(store: Store) -> None:
    """Watermarks are right also when the messages of a moment come from several senders of one room."""
    home = await stored_room(store, ADA, BEN)
    senders = [ADA, ADA, BEN, BEN, ADA, BEN]
    appended = await asyncio.gather(*(store.messages.append(draft(home.id, sender)) for sender in senders))
    caught_up = {each.message.seq: each.caught_up.read_seq for each in appended if each.caught_up}
    assert {3: 3, 5: 5, 6: 6} == caught_up


async def test_change_replaces_what_may_change(store: Store) -> None:
    """Body, mentions, reactions and the two instants take their new values under the room's next rev; nothing else."""
    home = await stored_room(store)
    first = await sent(store, home.id)
    await sent(store, home.id)
    changes: dict[str, Any] = {"body": "", "mentions": (BEN,), "reactions": {"👍": (BEN, ADA), "🎉": (ADA,)}}
    instants: dict[str, Any] = {"edited_at": later(1), "deleted_at": later(2)}
    changed = await store.messages.change(
        first.id, lambda message: replace(message, **changes, **instants, seq=99, sender_id=BEN)
    )
    expected = replace(first, rev=3, **changes, **instants)
    assert Changed(expected, changed=True) == changed
    assert expected == await store.messages.get(first.id)
    assert replace(home, last_seq=2, rev=3, last_activity_at=home.created_at) == await store.rooms.get(home.id)


async def test_an_equal_change_uses_no_rev(store: Store) -> None:
    """A change that changes nothing is told as such, also when the reactions come back as other sequence types."""
    home = await stored_room(store)
    first = await sent(store, home.id)
    await store.messages.change(first.id, lambda message: replace(message, reactions={"👍": [ADA]}))
    same = await store.messages.change(first.id, lambda message: replace(message, reactions={"👍": [ADA]}))
    assert (False, 2) == (same.changed, same.message.rev)
    assert same.message == await store.messages.get(first.id)
    unchanged = await store.rooms.get(home.id)
    assert unchanged
    assert 2 == unchanged.rev


async def test_a_refused_change_changes_nothing(store: Store) -> None:
    """What `mutate` raises reaches the caller, and the message and the room stay as they were."""
    home = await stored_room(store)
    first = await sent(store, home.id)

    def refuse(message: Message) -> Message:
        raise HomeroomError(ErrorCode.MESSAGE_FORBIDDEN)

    with pytest.raises(HomeroomError) as caught:
        await store.messages.change(first.id, refuse)
    assert ErrorCode.MESSAGE_FORBIDDEN == caught.value.code
    assert first == await store.messages.get(first.id)
    assert 2 == (await sent(store, home.id)).rev


async def test_change_of_an_unknown_message_is_refused(store: Store) -> None:
    """There is nothing to change."""
    with pytest.raises(HomeroomError) as caught:
        await store.messages.change(MessageId("none"), lambda message: message)
    assert ErrorCode.MESSAGE_NOT_FOUND == caught.value.code


async def test_concurrent_changes_lose_none(store: Store) -> None:
    """50 people react at once: every reaction is there, and every change has a rev of its own."""
    home = await stored_room(store)
    first = await sent(store, home.id)

    def react(user_id: UserId, message: Message) -> Message:
        return replace(message, reactions={"👍": (*message.reactions.get("👍", ()), user_id)})

    people = [UserId(f"user-{number}") for number in range(50)]
    changed = await asyncio.gather(*(store.messages.change(first.id, partial(react, who)) for who in people))
    assert list(range(2, 52)) == sorted(each.message.rev for each in changed)
    final = await store.messages.get(first.id)
    assert final
    assert set(people) == set(final.reactions["👍"])
    assert 51 == final.rev


async def test_get_of_an_unknown_message_is_none(store: Store) -> None:
    """An unknown id is no error here."""
    assert None is await store.messages.get(MessageId("none"))


@pytest.mark.parametrize(
    ("before_seq", "after_seq", "expected"),
    [
        (None, None, [8, 9, 10]),
        (8, None, [5, 6, 7]),
        (2, None, [1]),
        (1, None, []),
        (None, 0, [1, 2, 3]),
        (None, 4, [5, 6, 7]),
        (None, 9, [10]),
        (None, 10, []),
        (9, 2, [6, 7, 8]),
        (5, 3, [4]),
        (4, 3, []),
    ],
)
async def test_page(store: Store, before_seq: int | None, after_seq: int | None, expected: list[int]) -> None:
    """Pages ascend by seq: the first above `after_seq`, else the last below `before_seq`; both ends are excluded."""
    home, other = await stored_room(store), await stored_room(store)
    await sent_many(store, other.id, 3)
    await sent_many(store, home.id, 10)
    page = await store.messages.page(home.id, before_seq=before_seq, after_seq=after_seq, limit=3)
    assert expected == [message.seq for message in page]


async def test_bounds_beyond_any_number_are_bounds(store: Store) -> None:
    """A position that no message can have is before or after all of them."""
    home = await stored_room(store)
    written = await sent_many(store, home.id, 2)
    huge = 2**80
    assert ids(written) == ids(await store.messages.page(home.id, before_seq=huge, after_seq=None, limit=9))
    assert [] == ids(await store.messages.page(home.id, before_seq=None, after_seq=huge, limit=9))
    assert [] == ids(await store.messages.changed_since(home.id, huge, limit=9))


async def test_page_of_an_unknown_room_is_empty(store: Store) -> None:
    """A room that is not there has no messages."""
    assert [] == list(await store.messages.page(room().id, before_seq=None, after_seq=None, limit=3))


async def test_changed_since_is_in_rev_order(store: Store) -> None:
    """A message counts once, at its last change; a catch-up reads on from the last rev it got."""
    home = await stored_room(store)
    one, two, three = await sent_many(store, home.id, 3)
    await store.messages.change(one.id, lambda message: replace(message, body="edited"))
    assert [two.id, three.id, one.id] == ids(await store.messages.changed_since(home.id, 0, limit=9))
    assert [three.id, one.id] == ids(await store.messages.changed_since(home.id, 2, limit=9))
    assert [two.id, three.id] == ids(await store.messages.changed_since(home.id, 0, limit=2))
    assert [] == ids(await store.messages.changed_since(home.id, 4, limit=9))
