"""rooms.messages: who may write what, what a repeat does, and that only what was stored is told."""

import asyncio
from dataclasses import replace

import pytest

from auth.types import Role
from core.errors import ErrorCode, HomeroomError
from core.ids import MessageId, RoomId, UserId
from rooms.messages import Outgoing
from rooms.types import MessageKind, Receipt, RoomKind, RoomRole, RoomSettings
from tests.support.refusal import refused
from tests.unit.rooms.school import BODY_CHARS, School

OUTSIDERS = [Role.STUDENT, Role.TEACHER, Role.ADMIN, Role.VIEWER]


async def test_a_sent_message_is_stored_then_told(school: School) -> None:
    """The caller, the store and the room get one and the same message, numbered by the store."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room(ada, ben)
    message = await school.say(ada, room, "Hello", client_id="c1", mentions=[ben.user_id])
    assert (1, 1, ada.user_id, "c1", "Hello") == (
        message.seq,
        message.rev,
        message.sender_id,
        message.client_id,
        message.body,
    )
    assert message == await school.store.messages.get(message.id)
    assert [("message_new", message)] == school.events.take()


async def test_the_same_client_id_again_is_the_same_message(school: School) -> None:
    """A retry after a lost ack returns the original, whatever it carries, and nobody hears of it twice."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room(ada, ben)
    first = await school.say(ada, room, "Hello", client_id="c1")
    again = await school.say(ada, room, "Hello again", client_id="c1")
    other = await school.say(ben, room, "Hello", client_id="c1")
    assert first == again
    assert (1, 2) == (first.seq, other.seq)
    assert [first, other] == [about for name, about in school.events.take() if name == "message_new"]


async def test_writing_is_reading(school: School) -> None:
    """A message over unread ones of others tells that its sender has read them; the next one of the same does not."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room(ada, ben)
    await school.say_many(ada, room, 2)
    school.events.take()
    caught_up = await school.say(ben, room)
    follow_up = await school.say(ben, room)
    receipt = Receipt(room.id, ben.user_id, 3, 3)
    told = [("message_new", caught_up), ("receipt_changed", receipt), ("message_new", follow_up)]
    assert told == school.events.take()


async def test_a_receipt_of_writing_is_not_told_in_a_large_room(school: School) -> None:
    """Rooms above the broadcast limit get no receipts, be they of marks or of messages (WIRE.md, Limits)."""
    people = await school.people("ada", "ben", "chen", "dia")
    room = await school.room(*people)
    await school.say(people[0], room)
    school.events.take()
    await school.say(people[1], room)
    assert ["message_new"] == [name for name, *_ in school.events.take()]


async def test_a_receipt_never_moves_back(school: School) -> None:
    """Whoever listens hears a member's watermark only rise, also when a message overtakes a mark that waits."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room(ada, ben)
    await school.say_many(ada, room, 4)
    for seq in (1, 2):
        await school.receipts.mark(ben, room.id, read_seq=seq, delivered_seq=0)
    await school.say(ben, room)
    await school.pass_time(5)
    read = [about.read_seq for name, about in school.events.take() if name == "receipt_changed"]
    assert sorted(read) == read
    assert 5 == read[-1]


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_outsiders_are_told_that_there_is_no_room(school: School, role: Role) -> None:
    """Nobody can probe for ids: a room of others answers like one that does not exist, to every event."""
    ada, eve = await school.person("ada"), await school.person("eve", role)
    room = await school.room(ada)
    message = await school.say(ada, room)
    school.events.take()
    for room_id in (room.id, RoomId("nowhere")):
        with refused(ErrorCode.ROOM_NOT_FOUND):
            await school.messages.send(eve, Outgoing(room_id, "c1", "Hello"))
        with refused(ErrorCode.ROOM_NOT_FOUND):
            await school.messages.history(eve, room_id, before_seq=None, after_seq=None, limit=10)
    for message_id in (message.id, MessageId("nothing")):
        with refused(ErrorCode.MESSAGE_NOT_FOUND):
            await school.messages.edit(eve, message_id, "Mine")
        with refused(ErrorCode.MESSAGE_NOT_FOUND):
            await school.messages.delete(eve, message_id)
        with refused(ErrorCode.MESSAGE_NOT_FOUND):
            await school.messages.react(eve, message_id, "👍", on=True)
    assert [] == school.events.take()


async def test_observers_read_and_do_no_more(school: School) -> None:
    """An observer gets `forbidden`, since it knows the room, and nothing is stored."""
    ada, oli = await school.people("ada", "oli")
    room = await school.room(ada, (oli, RoomRole.OBSERVER))
    message = await school.say(ada, room)
    with refused(ErrorCode.ROOM_FORBIDDEN):
        await school.say(oli, room)
    with refused(ErrorCode.ROOM_FORBIDDEN):
        await school.messages.react(oli, message.id, "👍", on=True)
    for forbidden in (school.messages.edit(oli, message.id, "x"), school.messages.delete(oli, message.id)):
        with refused(ErrorCode.MESSAGE_FORBIDDEN):
            await forbidden
    assert ([message], False) == await school.messages.history(oli, room.id, before_seq=None, after_seq=None, limit=9)


async def test_a_demoted_sender_keeps_no_right_to_edit_or_delete(school: School) -> None:
    """One's own messages are out of reach once one may only watch."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room((ada, RoomRole.OWNER), ben)
    message = await school.say(ben, room)
    await school.store.members.put(replace(await school.member(room, ben), role=RoomRole.OBSERVER))
    for forbidden in (school.messages.edit(ben, message.id, "x"), school.messages.delete(ben, message.id)):
        with refused(ErrorCode.MESSAGE_FORBIDDEN):
            await forbidden


async def test_announcements_are_written_by_their_keepers(school: School) -> None:
    """Members of an announcement room may react, and only owner and moderators write."""
    rao, mia, ada = await school.person("rao", Role.TEACHER), *await school.people("mia", "ada")
    room = await school.room((rao, RoomRole.OWNER), (mia, RoomRole.MODERATOR), ada, kind=RoomKind.ANNOUNCEMENT)
    message = await school.say(rao, room)
    assert 2 == (await school.say(mia, room)).seq
    with refused(ErrorCode.ROOM_FORBIDDEN):
        await school.say(ada, room)
    assert {"👍": (ada.user_id,)} == (await school.messages.react(ada, message.id, "👍", on=True)).reactions


async def test_an_archived_room_is_locked(school: School) -> None:
    """Nothing changes in an archived room, and it can still be read."""
    ada = await school.person("ada")
    room = await school.room((ada, RoomRole.OWNER))
    message = await school.say(ada, room)
    await school.store.rooms.update(room.id, lambda current: replace(current, archived=True))
    for locked in (
        school.say(ada, room),
        school.messages.edit(ada, message.id, "x"),
        school.messages.delete(ada, message.id),
        school.messages.react(ada, message.id, "👍", on=True),
    ):
        with refused(ErrorCode.ROOM_LOCKED):
            await locked
    assert ([message], False) == await school.messages.history(ada, room.id, before_seq=None, after_seq=None, limit=9)


async def test_the_muted_wait_until_their_time_is_over(school: School) -> None:
    """A muted member can neither write, edit nor react, is told how long, and may still take back what was said."""
    ada = await school.person("ada")
    room = await school.room(ada)
    message = await school.say(ada, room)
    await school.mute(ada, room, 60)
    for muted in (
        school.say(ada, room),
        school.messages.edit(ada, message.id, "x"),
        school.messages.react(ada, message.id, "👍", on=True),
    ):
        with refused(ErrorCode.ROOM_MUTED) as refusal:
            await muted
        assert 60_000 == refusal.retry_after_ms
    await school.messages.delete(ada, message.id)
    await school.pass_time(60)
    assert 2 == (await school.say(ada, room)).seq


@pytest.mark.parametrize("body", ["", " ", "\n\t "])
async def test_a_message_says_something(school: School, body: str) -> None:
    """White space is no message, sent or edited."""
    ada = await school.person("ada")
    room = await school.room(ada)
    message = await school.say(ada, room)
    for empty in (school.say(ada, room, body), school.messages.edit(ada, message.id, body)):
        with refused(ErrorCode.REQUEST_INVALID) as refusal:
            await empty
        assert ["body"] == refusal.fields


async def test_the_longest_message_is_a_setting(school: School) -> None:
    """A body of exactly the limit passes; one character (not byte) more does not, sent or edited."""
    ada = await school.person("ada")
    room = await school.room(ada)
    message = await school.say(ada, room, "ż" * BODY_CHARS)
    long = "ż" * (BODY_CHARS + 1)
    for refused_body in (school.say(ada, room, long), school.messages.edit(ada, message.id, long)):
        with refused(ErrorCode.MESSAGE_TOO_LONG) as refusal:
            await refused_body
        assert refusal.error is not None
        assert f"The message is too long: {BODY_CHARS + 1} of at most {BODY_CHARS} characters." == refusal.error.message


async def test_a_reply_answers_a_message_of_the_same_room(school: School) -> None:
    """`reply_to` cannot point at nothing, nor prove that a message exists elsewhere."""
    ada = await school.person("ada")
    room, other = await school.room(ada), await school.room(ada)
    target, elsewhere = await school.say(ada, room), await school.say(ada, other)
    assert target.id == (await school.say(ada, room, reply_to=target.id)).reply_to
    for wrong in (elsewhere.id, MessageId("nothing")):
        with refused(ErrorCode.MESSAGE_NOT_FOUND):
            await school.say(ada, room, reply_to=wrong)


async def test_files_are_refused_until_there_are_files(school: School) -> None:
    """An attachment that nobody uploaded is `file.not_found`, and no message is stored."""
    ada = await school.person("ada")
    room = await school.room(ada)
    with refused(ErrorCode.FILE_NOT_FOUND):
        await school.say(ada, room, kind=MessageKind.FILE, attachments=["f1"])
    assert [] == school.events.take()


async def test_only_members_can_be_mentioned(school: School) -> None:
    """Others are left out in silence, and nobody is mentioned twice."""
    ada, ben, eve = await school.people("ada", "ben", "eve")
    room = await school.room(ada, ben)
    message = await school.say(ada, room, mentions=[eve.user_id, ben.user_id, UserId("nobody"), ben.user_id])
    assert [ben.user_id] == list(message.mentions)


async def test_the_pace_is_kept_for_each_user_and_room(school: School) -> None:
    """Beyond the burst one waits; another room, and another person, do not."""
    ada, ben = await school.people("ada", "ben")
    room, other = await school.room(ada, ben), await school.room(ada)
    school.messages = school.messages_at_pace(5, 2)
    await school.say_many(ada, room, 2)
    with refused(ErrorCode.RATE_LIMITED) as refusal:
        await school.say(ada, room)
    assert 200 == refusal.retry_after_ms
    await school.say(ada, other)
    await school.say(ben, room)
    await school.pass_time(0.2)
    assert 4 == (await school.say(ada, room)).seq


class TestSlowMode:
    """A room's own pause between two messages of a member."""

    async def test_members_wait_and_keepers_do_not(self, school: School) -> None:
        """Each member waits for themselves; who may delete for everybody may also write at will."""
        ada, ben, mia = await school.people("ada", "ben", "mia")
        room = await school.room(ada, ben, (mia, RoomRole.MODERATOR), settings=RoomSettings(slow_mode_s=30))
        await school.say(ada, room)
        await school.say(ben, room)
        await school.say_many(mia, room, 3)
        await school.pass_time(29.5)
        with refused(ErrorCode.ROOM_SLOW_MODE) as refusal:
            await school.say(ada, room)
        assert 500 == refusal.retry_after_ms
        await school.pass_time(0.5)
        assert 6 == (await school.say(ada, room)).seq

    async def test_two_at_once_are_one_too_many(self, school: School) -> None:
        """The pause counts from the request, so two messages in flight together do not both pass."""
        ada = await school.person("ada")
        room = await school.room(ada, settings=RoomSettings(slow_mode_s=30))
        both = [school.say(ada, room, "first"), school.say(ada, room, "second")]
        first, second = await asyncio.gather(*both, return_exceptions=True)
        assert isinstance(second, HomeroomError)
        assert ErrorCode.ROOM_SLOW_MODE == second.code
        assert [("message_new", first)] == school.events.take()

    async def test_a_refused_message_costs_nothing(self, school: School) -> None:
        """A message that was not stored starts no pause."""
        ada = await school.person("ada")
        room = await school.room(ada, settings=RoomSettings(slow_mode_s=30))
        with refused(ErrorCode.MESSAGE_NOT_FOUND):
            await school.say(ada, room, reply_to=MessageId("nothing"))
        assert 1 == (await school.say(ada, room)).seq

    async def test_a_retry_is_not_a_second_message(self, school: School) -> None:
        """The same client id within the pause returns the original: its ack was lost, so it must not look refused."""
        ada = await school.person("ada")
        room = await school.room(ada, settings=RoomSettings(slow_mode_s=30))
        message = await school.say(ada, room, client_id="c1")
        assert message == await school.say(ada, room, client_id="c1")


class TestEdit:
    """Replacing one's own words."""

    async def test_an_edit_keeps_the_place(self, school: School) -> None:
        """Body and `edited_at` change, under the room's next rev; the seq stays."""
        ada = await school.person("ada")
        room = await school.room(ada)
        message = await school.say(ada, room)
        await school.pass_time(5)
        school.events.take()
        edited = await school.messages.edit(ada, message.id, "Better")
        assert replace(message, rev=2, body="Better", edited_at=school.time.now()) == edited
        assert [("message_updated", edited)] == school.events.take()

    async def test_the_same_words_are_no_edit(self, school: School) -> None:
        """An edit that changes nothing uses no rev and is not told."""
        ada = await school.person("ada")
        message = await school.say(ada, await school.room(ada), "Hello")
        school.events.take()
        assert message == await school.messages.edit(ada, message.id, "Hello")
        assert [] == school.events.take()

    @pytest.mark.parametrize("role", [RoomRole.OWNER, RoomRole.MODERATOR, RoomRole.MEMBER])
    async def test_nobody_edits_for_another(self, school: School, role: RoomRole) -> None:
        """Not even those who keep the room put words into somebody's mouth."""
        ada, ben = await school.people("ada", "ben")
        message = await school.say(ada, await school.room(ada, (ben, role)))
        with refused(ErrorCode.MESSAGE_FORBIDDEN):
            await school.messages.edit(ben, message.id, "Mine")

    async def test_what_was_deleted_stays_deleted(self, school: School) -> None:
        """A deleted message can be neither edited nor reacted to."""
        ada = await school.person("ada")
        message = await school.say(ada, await school.room(ada))
        await school.messages.delete(ada, message.id)
        school.events.take()
        for late in (
            school.messages.edit(ada, message.id, "Back"),
            school.messages.react(ada, message.id, "👍", on=True),
        ):
            with refused(ErrorCode.MESSAGE_NOT_FOUND):
                await late
        assert [] == school.events.take()
