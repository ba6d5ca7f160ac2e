"""rooms.sync: one answer makes a client level with a room, or says that it has to start anew."""

import pytest

from auth.types import Principal, Role
from core.errors import ErrorCode
from core.ids import ConnectionId, RoomId
from rooms.rooms import RoomPatch
from rooms.sync import PAGE
from rooms.types import Presence, Receipt, Room, RoomKind, RoomRole, RoomSettings, Snapshot, Status
from tests.support.refusal import refused
from tests.unit.rooms.school import SYNC_MESSAGES, School


async def scene(school: School, messages: int) -> tuple[Principal, Room]:
    """Return Ada, owner of a room with Ben, in which she wrote so many messages."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room((ada, RoomRole.OWNER), ben)
    await school.say_many(ada, room, messages)
    return ada, room


def shape(snapshot: Snapshot) -> tuple[list[int], int, bool]:
    """Return the seqs of the messages, the rev and whether it is a reset."""
    return [message.seq for message in snapshot.messages], snapshot.rev, snapshot.reset


async def test_what_changed_comes_in_the_order_of_its_change(school: School) -> None:
    """Edits, deletions and reactions bring old messages up, once each, as they are now."""
    ada, room = await scene(school, 4)
    messages = [await school.say(ada, room, body) for body in ("five", "six")]
    await school.messages.edit(ada, messages[0].id, "5")
    await school.messages.react(ada, messages[1].id, "👍", on=True)
    await school.messages.delete(ada, messages[0].id)
    snapshot = await school.sync.sync(ada, room.id, 4)
    assert ([6, 5], 9, False) == shape(snapshot)
    assert [8, 9] == [message.rev for message in snapshot.messages]
    assert ["six", ""] == [message.body for message in snapshot.messages]


async def test_who_is_level_gets_nothing(school: School) -> None:
    """At the room's own rev there is nothing to bring, and no reset."""
    ada, room = await scene(school, 3)
    assert ([], 3, False) == shape(await school.sync.sync(ada, room.id, 3))


async def test_a_change_of_the_room_needs_no_message(school: School) -> None:
    """A new title moves the rev; the answer is the room itself."""
    ada, room = await scene(school, 2)
    await school.rooms.update(ada, room.id, RoomPatch(title="Geometry"))
    snapshot = await school.sync.sync(ada, room.id, 2)
    assert ([], 3, False) == shape(snapshot)
    assert "Geometry" == snapshot.view.room.title


@pytest.mark.parametrize(
    ("since_rev", "seqs", "reset"),
    [
        (PAGE + 20 - SYNC_MESSAGES, list(range(PAGE + 20 - SYNC_MESSAGES + 1, PAGE + 21)), False),
        (PAGE + 20 - SYNC_MESSAGES - 1, list(range(21, PAGE + 21)), True),
        (0, list(range(21, PAGE + 21)), True),
        (PAGE + 21, list(range(21, PAGE + 21)), True),
        (2**53 - 1, list(range(21, PAGE + 21)), True),
    ],
    ids=["at the limit", "one beyond", "from nothing", "one ahead of the room", "far ahead"],
)
async def test_too_far_behind_or_ahead_is_a_reset(
    school: School, since_rev: int, seqs: list[int], *, reset: bool
) -> None:
    """Up to the limit come the changes; beyond it, or from a rev that the room never had, the newest page anew."""
    ada, room = await scene(school, PAGE + 20)
    assert (seqs, PAGE + 20, reset) == shape(await school.sync.sync(ada, room.id, since_rev))
    assert (seqs, PAGE + 20, reset) == shape(await school.sync.join(ada, room.id, since_rev))


@pytest.mark.parametrize(("messages", "first", "reset"), [(0, 1, False), (PAGE, 1, False), (PAGE + 1, 2, True)])
async def test_a_first_join_brings_the_newest_page(school: School, messages: int, first: int, *, reset: bool) -> None:
    """Without a rev comes the newest page, in seq order; `reset` says that there are older messages."""
    ada, room = await scene(school, messages)
    assert (list(range(first, messages + 1)), messages, reset) == shape(await school.sync.join(ada, room.id, None))


async def test_receipts_and_presence_come_along(school: School) -> None:
    """The answer has every member's watermarks and whether they are there."""
    ada, room = await scene(school, 2)
    await school.presence.connected(ada.user_id, ConnectionId("phone"))
    ben = await school.person("ben")
    await school.receipts.mark(ben, room.id, read_seq=1, delivered_seq=2)
    snapshot = await school.sync.sync(ada, room.id, 2)
    assert {Receipt(room.id, ada.user_id, 2, 2), Receipt(room.id, ben.user_id, 1, 2)} == set(snapshot.receipts)
    expected = {Presence(ada.user_id, Status.ONLINE), Presence(ben.user_id, Status.OFFLINE)}
    assert expected == set(snapshot.presence)
    assert (2, 2) == (snapshot.view.me.read_seq, snapshot.view.me.delivered_seq) if snapshot.view.me else False


async def test_large_rooms_leave_receipts_and_presence_out(school: School) -> None:
    """Above the broadcast limit the answer stays small."""
    people = await school.people("ada", "ben", "chen", "dia")
    room = await school.room(*people)
    snapshot = await school.sync.join(people[0], room.id, None)
    assert ([], []) == (snapshot.receipts, snapshot.presence)


async def test_a_join_enters_an_open_session_and_a_sync_does_not(school: School) -> None:
    """Joining makes one a member, with nothing unread; syncing is for those who are in."""
    ada, rao = await school.person("ada"), await school.person("rao", Role.TEACHER)
    room = await school.room((rao, RoomRole.OWNER), kind=RoomKind.SESSION, settings=RoomSettings(open=True))
    await school.say_many(rao, room, 2)
    with refused(ErrorCode.ROOM_NOT_FOUND):
        await school.sync.sync(ada, room.id, 0)
    snapshot = await school.sync.join(ada, room.id, None)
    assert ([1, 2], 2, False) == shape(snapshot)
    assert (2, 2) == (snapshot.view.room.member_count, snapshot.view.me.read_seq if snapshot.view.me else None)
    assert shape(snapshot) == shape(await school.sync.sync(ada, room.id, 0))


async def test_strangers_learn_nothing(school: School) -> None:
    """Joining and syncing a room of others is joining and syncing no room."""
    _, room = await scene(school, 1)
    eve = await school.person("eve", Role.ADMIN)
    for room_id in (room.id, RoomId("nowhere")):
        with refused(ErrorCode.ROOM_NOT_FOUND):
            await school.sync.join(eve, room_id, None)
        with refused(ErrorCode.ROOM_NOT_FOUND):
            await school.sync.sync(eve, room_id, 0)
    assert not [name for name, *_ in school.events.take() if name == "member_changed"]
