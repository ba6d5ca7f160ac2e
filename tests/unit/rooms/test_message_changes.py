"""rooms.messages: deleting, reacting, reading back, and failures of the store."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.types import Role
from core.errors import ErrorCode, HomeroomError
from core.ids import MessageId, RoomId, UserId
from rooms.access_cache import AccessCache
from rooms.messages import MAX_REACTIONS, with_reaction
from rooms.types import Access, Message, MessageKind, RoomKind, RoomRole
from storage.sqlite.rooms import SqliteRoomStore
from tests.support.fakes import START
from tests.support.refusal import refused
from tests.unit.rooms.school import School

MESSAGE = Message(
    MessageId("m1"), RoomId("r1"), 1, 1, UserId("ada"), "c1", MessageKind.TEXT, "Hello", START, reactions={}
)


class TestDelete:
    """Emptying a message."""

    async def test_a_deleted_message_keeps_only_its_place(self, school: School) -> None:
        """Body, mentions and reactions go; id, seq and the others stay, under a new rev."""
        ada, ben = await school.people("ada", "ben")
        message = await school.say(ada, await school.room(ada, ben), mentions=[ben.user_id])
        await school.messages.react(ben, message.id, "👍", on=True)
        school.events.take()
        deleted = await school.messages.delete(ada, message.id)
        expected = replace(message, rev=3, body="", mentions=(), reactions={}, deleted_at=school.time.now())
        assert expected == deleted
        assert [("message_updated", deleted)] == school.events.take()

    async def test_deleting_twice_is_deleting_once(self, school: School) -> None:
        """The second delete answers with the first one's result, at any later time, and tells nobody."""
        ada = await school.person("ada")
        message = await school.say(ada, await school.room(ada))
        deleted = await school.messages.delete(ada, message.id)
        school.events.take()
        await school.pass_time(5)
        assert deleted == await school.messages.delete(ada, message.id)
        assert [] == school.events.take()

    @pytest.mark.parametrize(
        ("role", "room_role", "may"),
        [
            (Role.STUDENT, RoomRole.OWNER, True),
            (Role.STUDENT, RoomRole.MODERATOR, True),
            (Role.STUDENT, RoomRole.MEMBER, False),
            (Role.TEACHER, RoomRole.MEMBER, False),
            (Role.ADMIN, RoomRole.MEMBER, False),
            (Role.SERVICE, None, True),
        ],
    )
    async def test_who_deletes_for_others(
        self, school: School, role: Role, room_role: RoomRole | None, *, may: bool
    ) -> None:
        """Those who keep the room do, and the school's backend; a role in the school alone is not enough."""
        ada, ben = await school.person("ada"), await school.person("ben", role)
        room = await school.room(ada, *([(ben, room_role)] if room_role else []))
        message = await school.say(ada, room)
        if may:
            assert "" == (await school.messages.delete(ben, message.id)).body
        else:
            with refused(ErrorCode.MESSAGE_FORBIDDEN):
                await school.messages.delete(ben, message.id)

    async def test_direct_rooms_have_no_keeper(self, school: School) -> None:
        """In a conversation of two nobody deletes the other's words."""
        ada, ben = await school.people("ada", "ben")
        message = await school.say(ada, await school.room(ada, (ben, RoomRole.OWNER), kind=RoomKind.DIRECT))
        with refused(ErrorCode.MESSAGE_FORBIDDEN):
            await school.messages.delete(ben, message.id)


class TestReact:
    """Giving a reaction, and taking it back."""

    async def test_reactions_keep_the_order_in_which_they_came(self, school: School) -> None:
        """Users are listed under their emoji as they came; each change is told under the next rev."""
        ada, ben = await school.people("ada", "ben")
        message = await school.say(ada, await school.room(ada, ben))
        school.events.take()
        for who in (ben, ada):
            await school.messages.react(who, message.id, "👍", on=True)
        both = [about.reactions for _, about in school.events.take()]
        assert [{"👍": (ben.user_id,)}, {"👍": (ben.user_id, ada.user_id)}] == both
        left = await school.messages.react(ben, message.id, "👍", on=False)
        assert ({"👍": (ada.user_id,)}, 4) == (left.reactions, left.rev)

    @pytest.mark.parametrize("on", [True, False])
    async def test_what_is_so_already_is_not_told(self, school: School, *, on: bool) -> None:
        """Giving twice is giving once; taking back what was not given is nothing."""
        ada = await school.person("ada")
        message = await school.say(ada, await school.room(ada))
        if on:
            message = await school.messages.react(ada, message.id, "👍", on=True)
        school.events.take()
        assert message == await school.messages.react(ada, message.id, "👍", on=on)
        assert [] == school.events.take()

    async def test_a_message_carries_only_so_many(self, school: School) -> None:
        """One more different emoji than the cap is refused; one more of a known one is not."""
        ada, ben = await school.people("ada", "ben")
        message = await school.say(ada, await school.room(ada, ben))
        for number in range(MAX_REACTIONS):
            await school.messages.react(ada, message.id, f"e{number}", on=True)
        with refused(ErrorCode.REQUEST_INVALID) as refusal:
            await school.messages.react(ben, message.id, "one-more", on=True)
        assert ["emoji"] == refusal.fields
        assert 2 == len((await school.messages.react(ben, message.id, "e0", on=True)).reactions["e0"])
        await school.messages.react(ada, message.id, "e1", on=False)
        assert MAX_REACTIONS == len((await school.messages.react(ben, message.id, "one-more", on=True)).reactions)

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.booleans())))
    def test_reactions_are_sets_of_users(self, changes: list[tuple[str, str, bool]]) -> None:
        """After any changes a message carries exactly what was given and not taken back, without empty emoji."""
        message, expected = MESSAGE, set[tuple[str, str]]()
        for user_id, emoji, on in changes:
            message = with_reaction(message, UserId(user_id), emoji, on=on)
            expected = expected | {(emoji, user_id)} if on else expected - {(emoji, user_id)}
        carried = [(emoji, user_id) for emoji, users in message.reactions.items() for user_id in users]
        assert (expected, len(expected)) == (set(carried), len(carried))
        assert all(message.reactions.values())

    def test_a_reaction_leaves_the_original_alone(self) -> None:
        """Values are frozen all the way down: what others hold does not change under them."""
        given_once = with_reaction(MESSAGE, UserId("ada"), "x", on=True)
        with_reaction(given_once, UserId("ben"), "x", on=True)
        assert ({}, {"x": ["ada"]}) == (MESSAGE.reactions, given_once.reactions)


class TestHistory:
    """Reading back."""

    async def test_pages_join_without_a_hole_in_both_directions(self, school: School) -> None:
        """Following `before_seq` down and `after_seq` up both pass every message once, and then `has_more` is false."""
        ada = await school.person("ada")
        room = await school.room(ada)
        seqs = [message.seq for message in await school.say_many(ada, room, 7)]
        down: list[int] = []
        more = True
        while more:
            found, more = await school.messages.history(
                ada, room.id, before_seq=down[0] if down else None, after_seq=None, limit=3
            )
            down = [message.seq for message in found] + down
        up: list[int] = []
        more = True
        while more:
            found, more = await school.messages.history(
                ada, room.id, before_seq=None, after_seq=up[-1] if up else 0, limit=3
            )
            up += [message.seq for message in found]
        assert (seqs, seqs) == (down, up)

    async def test_a_page_between_two_messages_is_the_newest_of_them(self, school: School) -> None:
        """With both ends given, both are excluded, and the page hangs on the newer one."""
        ada = await school.person("ada")
        room = await school.room(ada)
        await school.say_many(ada, room, 7)
        found, more = await school.messages.history(ada, room.id, before_seq=6, after_seq=1, limit=3)
        assert ([3, 4, 5], True) == ([message.seq for message in found], more)
        found, more = await school.messages.history(ada, room.id, before_seq=6, after_seq=2, limit=3)
        assert ([3, 4, 5], False) == ([message.seq for message in found], more)


class BusyRooms(SqliteRoomStore):
    """A room store that cannot take another call."""

    async def access(self, room_id: RoomId, user_id: UserId) -> Access | None:
        raise HomeroomError(ErrorCode.SERVER_UNAVAILABLE)


async def test_a_busy_store_is_not_a_missing_message(school: School) -> None:
    """A store that refuses work is told as such (retryable), never as `not_found`, after which clients give up."""
    ada = await school.person("ada")
    message = await school.say(ada, await school.room(ada))
    messages = school.messages_at_pace(100, 100, rooms=BusyRooms(school.store.database, AccessCache()))
    with refused(ErrorCode.SERVER_UNAVAILABLE):
        await messages.edit(ada, message.id, "x")
    with refused(ErrorCode.SERVER_UNAVAILABLE):
        await messages.delete(ada, message.id)
    with refused(ErrorCode.SERVER_UNAVAILABLE):
        await messages.react(ada, message.id, "👍", on=True)
