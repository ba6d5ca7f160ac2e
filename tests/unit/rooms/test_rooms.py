"""rooms.rooms: opening, listing, changing and entering rooms."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.types import Role
from core.errors import ErrorCode
from core.ids import RoomId, UserId
from core.paging import encode_cursor
from rooms.rooms import RoomPatch, direct_key
from rooms.types import RoomKind, RoomRole, RoomSettings
from tests.support.refusal import refused
from tests.unit.rooms.school import School

NAMED = [RoomKind.GROUP, RoomKind.SESSION, RoomKind.ANNOUNCEMENT]


@pytest.fixture
async def open_school(tmp_path: Path) -> AsyncIterator[School]:
    """A school where anyone may make a session room by joining it."""
    school = await School.open(tmp_path / "open", compat_open_sessions=True)
    yield school
    await school.store.close()


@given(st.lists(st.text(alphabet="a:1", min_size=1, max_size=4), min_size=4, max_size=4))
def test_a_pair_has_one_key_and_shares_it_with_no_other(ids: list[str]) -> None:
    """The key is the same from both sides, and different for different pairs, also if ids contain the separator."""
    a, b, c, d = map(UserId, ids)
    assert direct_key([a, b]) == direct_key([b, a])
    assert (direct_key([a, b]) == direct_key([c, d])) == (sorted([a, b]) == sorted([c, d]))


class TestDirect:
    """The conversation of two."""

    async def test_it_is_made_once_however_many_ask(self, school: School) -> None:
        """Both sides asking at once get one room, titled by the other, and each hears of it once."""
        ada, ben = await school.people("ada", "ben")
        asked = [school.rooms.open_direct(*pair) for pair in [(ada, ben.user_id), (ben, ada.user_id)] * 3]
        views = await asyncio.gather(*asked)
        (room_id,) = {view.room.id for view in views}
        assert ["ben", "ada"] == [view.peer.id for view in views[:2] if view.peer]
        told = [("room_added", room_id, who.user_id, True) for who in (ada, ben)]
        assert sorted(told) == sorted(school.events.take())

    async def test_it_needs_somebody_else_who_exists(self, school: School) -> None:
        """Not with oneself, not with nobody."""
        ada = await school.person("ada")
        with refused(ErrorCode.REQUEST_INVALID) as refusal:
            await school.rooms.open_direct(ada, ada.user_id)
        assert ["user_id"] == refusal.fields
        with refused(ErrorCode.USER_NOT_FOUND):
            await school.rooms.open_direct(ada, UserId("nobody"))

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.SERVICE])
    async def test_it_is_for_people(self, school: School, role: Role) -> None:
        """Viewers and the backend start no conversations."""
        ada, who = await school.person("ada"), await school.person("who", role)
        with refused(ErrorCode.AUTH_FORBIDDEN):
            await school.rooms.open_direct(who, ada.user_id)

    async def test_nobody_renames_archives_or_leaves_it(self, school: School) -> None:
        """A direct room belongs to both and to none, so what owners do is done by nobody, admins included."""
        ada, ben, root = *await school.people("ada", "ben"), await school.person("root", Role.ADMIN)
        view = await school.rooms.open_direct(ada, ben.user_id)
        for who, code in ((ada, ErrorCode.ROOM_FORBIDDEN), (root, ErrorCode.ROOM_NOT_FOUND)):
            with refused(code):
                await school.rooms.update(who, view.room.id, RoomPatch(title="Ours"))
        with refused(ErrorCode.ROOM_FORBIDDEN):
            await school.members.remove(ada, view.room.id, ada.user_id)


class TestOpenNamed:
    """Groups, sessions and announcements."""

    @pytest.mark.parametrize("kind", NAMED)
    async def test_its_maker_owns_it(self, school: School, kind: RoomKind) -> None:
        """The maker is owner, the others are members, each once; all hear of it, live if the kind is."""
        rao, ada, ben = await school.person("rao", Role.TEACHER), *await school.people("ada", "ben")
        ids = [ada.user_id, rao.user_id, ben.user_id, ada.user_id]
        view = await school.rooms.open_named(rao, kind, "Algebra", ids, RoomPatch(open=True, slow_mode_s=5))
        assert (3, RoomSettings(open=True, slow_mode_s=5)) == (view.room.member_count, view.room.settings)
        roles = [(await school.member(view.room, who)).role for who in (rao, ada, ben)]
        assert [RoomRole.OWNER, RoomRole.MEMBER, RoomRole.MEMBER] == roles
        live = kind is RoomKind.GROUP
        told = [("room_added", view.room.id, who.user_id, live) for who in (ada, ben, rao)]
        assert sorted(told) == sorted(school.events.take())

    @pytest.mark.parametrize("kind", NAMED)
    @pytest.mark.parametrize("role", Role)
    async def test_who_may_make_what(self, school: School, role: Role, kind: RoomKind) -> None:
        """Students make groups; classes and announcements are for staff and the backend; viewers make none."""
        may = {
            RoomKind.GROUP: set(Role) - {Role.VIEWER},
            RoomKind.SESSION: {Role.TEACHER, Role.ADMIN, Role.SERVICE},
            RoomKind.ANNOUNCEMENT: {Role.TEACHER, Role.ADMIN, Role.SERVICE},
        }
        who = await school.person("who", role)
        if role in may[kind]:
            view = await school.rooms.open_named(who, kind, "Algebra", [], RoomPatch())
            assert (role is Role.SERVICE) == (view.me is None)
        else:
            with refused(ErrorCode.AUTH_FORBIDDEN):
                await school.rooms.open_named(who, kind, "Algebra", [], RoomPatch())

    async def test_unknown_members_stop_it(self, school: School) -> None:
        """Nothing is made if one of the members does not exist; the refusal names the first."""
        ada = await school.person("ada")
        ids = [UserId("nobody"), UserId("noone")]
        with refused(ErrorCode.USER_NOT_FOUND) as refusal:
            await school.rooms.open_named(ada, RoomKind.GROUP, "Algebra", ids, RoomPatch())
        assert refusal.error is not None
        assert "There is no such user: nobody." == refusal.error.message
        assert [] == (await school.rooms.list(ada, kind=None, cursor=None, limit=10)).items


class TestList:
    """The caller's rooms."""

    async def test_pages_are_ordered_by_activity_and_have_no_hole(self, school: School) -> None:
        """A message moves its room to the top; pages of two show all rooms once."""
        ada, ben = await school.people("ada", "ben")
        rooms = []
        for _ in range(5):
            rooms.append(await school.room(ada, ben))
            await school.pass_time(1)
        await school.say(ben, rooms[1])
        listed: list[RoomId] = []
        cursor = None
        while cursor is not None or not listed:
            page = await school.rooms.list(ada, kind=None, cursor=cursor, limit=2)
            listed += [view.room.id for view in page.items]
            cursor = page.next_cursor
        assert [rooms[number].id for number in (1, 4, 3, 2, 0)] == listed

    async def test_a_kind_narrows_it(self, school: School) -> None:
        """Only rooms of the kind are listed; a stranger's list is empty."""
        ada, eve = await school.people("ada", "eve")
        session = await school.room(ada, kind=RoomKind.SESSION)
        await school.room(ada)
        found = (await school.rooms.list(ada, kind=RoomKind.SESSION, cursor=None, limit=10)).items
        assert [session.id] == [view.room.id for view in found]
        assert [] == (await school.rooms.list(eve, kind=None, cursor=None, limit=10)).items

    @pytest.mark.parametrize(
        "cursor", ["", "x", "W10", encode_cursor("a", 1), encode_cursor(2**63, "a"), encode_cursor(-(2**63), "a")]
    )
    async def test_a_cursor_of_ones_own_making_is_harmless(self, school: School, cursor: str) -> None:
        """What no page gave is `request.invalid` or an odd page, never a failure of the store."""
        ada = await school.person("ada")
        await school.room(ada)
        if cursor == encode_cursor(-(2**63), "a"):
            assert [] == (await school.rooms.list(ada, kind=None, cursor=cursor, limit=10)).items
            return
        with refused(ErrorCode.REQUEST_INVALID) as refusal:
            await school.rooms.list(ada, kind=None, cursor=cursor, limit=10)
        assert ["cursor"] == refusal.fields


class TestUpdate:
    """Title, settings, archive flag."""

    @pytest.mark.parametrize(
        ("role", "room_role", "code"),
        [
            (Role.STUDENT, RoomRole.OWNER, None),
            (Role.STUDENT, RoomRole.MODERATOR, None),
            (Role.STUDENT, RoomRole.MEMBER, ErrorCode.ROOM_FORBIDDEN),
            (Role.STUDENT, RoomRole.OBSERVER, ErrorCode.ROOM_FORBIDDEN),
            (Role.STUDENT, None, ErrorCode.ROOM_NOT_FOUND),
            (Role.TEACHER, None, ErrorCode.ROOM_NOT_FOUND),
            (Role.VIEWER, RoomRole.OWNER, ErrorCode.ROOM_FORBIDDEN),
            (Role.ADMIN, None, None),
            (Role.SERVICE, None, None),
        ],
    )
    async def test_who_may(
        self, school: School, role: Role, room_role: RoomRole | None, code: ErrorCode | None
    ) -> None:
        """Those who keep the room and the office may; members are told no, strangers that there is no room."""
        who = await school.person("who", role)
        room = await school.room(*([(who, room_role)] if room_role else []))
        if code is None:
            changed = (await school.rooms.update(who, room.id, RoomPatch(title="Geometry"))).room
            assert replace(room, title="Geometry", rev=1) == changed
            assert [("room_changed", changed)] == school.events.take()
        else:
            with refused(code):
                await school.rooms.update(who, room.id, RoomPatch(title="Geometry"))
            assert [] == school.events.take()

    async def test_a_patch_changes_what_it_names(self, school: School) -> None:
        """Each field stands for itself; what a patch leaves out stays, and False and 0 are values."""
        ada = await school.person("ada")
        room = await school.room((ada, RoomRole.OWNER), settings=RoomSettings(open=True, slow_mode_s=5))
        steps = [
            (RoomPatch(slow_mode_s=0), RoomSettings(open=True, slow_mode_s=0), False),
            (RoomPatch(open=False), RoomSettings(), False),
            (RoomPatch(archived=True), RoomSettings(), True),
            (RoomPatch(archived=False), RoomSettings(), False),
        ]
        for rev, (patch, settings, archived) in enumerate(steps, 1):
            changed = (await school.rooms.update(ada, room.id, patch)).room
            assert (room.title, settings, archived, rev) == (
                changed.title,
                changed.settings,
                changed.archived,
                changed.rev,
            )

    async def test_no_change_is_not_told(self, school: School) -> None:
        """An equal title uses no rev and no event."""
        ada = await school.person("ada")
        room = await school.room((ada, RoomRole.OWNER))
        assert room == (await school.rooms.update(ada, room.id, RoomPatch(title=room.title))).room
        assert [] == school.events.take()


class TestEnter:
    """Joining what is open."""

    @pytest.mark.parametrize(
        ("role", "room_role"),
        [
            (Role.STUDENT, RoomRole.MEMBER),
            (Role.TEACHER, RoomRole.MEMBER),
            (Role.ADMIN, RoomRole.MEMBER),
            (Role.VIEWER, RoomRole.OBSERVER),
        ],
    )
    async def test_an_open_session_takes_everyone_in(self, school: School, role: Role, room_role: RoomRole) -> None:
        """Whoever is signed in becomes a member (a viewer watches), once, and the room hears of it."""
        who = await school.person("who", role)
        room = await school.room(kind=RoomKind.SESSION, settings=RoomSettings(open=True))
        for _ in range(2):
            view = (await school.sync.join(who, room.id, None)).view
            assert (room_role, 1) == (view.me.role if view.me else None, view.room.member_count)
        assert [("member_changed", room.id, who.user_id, "added", room_role)] == school.events.take()

    async def test_a_crowd_comes_in_quietly(self, school: School) -> None:
        """The room hears of newcomers until it has 3 members; those after them join unannounced."""
        room = await school.room(kind=RoomKind.SESSION, settings=RoomSettings(open=True))
        people = await school.people("ada", "ben", "chen", "dia", "eli")
        for person in people:
            assert (await school.sync.join(person, room.id, None)).view.me is not None
        assert [person.user_id for person in people[:3]] == [told[2] for told in school.events.take()]

    @pytest.mark.parametrize(
        ("kind", "settings", "archived"),
        [
            (RoomKind.SESSION, RoomSettings(), False),
            (RoomKind.SESSION, RoomSettings(open=True), True),
            (RoomKind.GROUP, RoomSettings(open=True), False),
            (RoomKind.ANNOUNCEMENT, RoomSettings(open=True), False),
        ],
    )
    async def test_everything_else_is_not_there(
        self, school: School, kind: RoomKind, settings: RoomSettings, *, archived: bool
    ) -> None:
        """A closed or archived session, and an open room of another kind, look like no room at all."""
        eve = await school.person("eve")
        room = await school.room(kind=kind, settings=settings, archived=archived)
        for room_id in (room.id, RoomId("nowhere")):
            with refused(ErrorCode.ROOM_NOT_FOUND):
                await school.sync.join(eve, room_id, None)
        assert [] == school.events.take()


class TestJoinSession:
    """Sessions of clients of the minimal contract (WIRE.md §3)."""

    @pytest.mark.parametrize("role", [Role.TEACHER, Role.ADMIN])
    async def test_staff_make_the_room_by_coming_first(self, school: School, role: Role) -> None:
        """An unknown id becomes an open session that its first comer owns, and that students may enter."""
        rao, ada = await school.person("rao", role), await school.person("ada")
        room_id = RoomId("algebra-101")
        with refused(ErrorCode.ROOM_NOT_FOUND):
            await school.rooms.join_session(ada, room_id)
        made = await school.rooms.join_session(rao, room_id)
        assert (RoomKind.SESSION, True) == (made.room.kind, made.room.settings.open)
        assert RoomRole.OWNER == (await school.member(made.room, rao)).role
        entered = await school.rooms.join_session(ada, room_id)
        assert (2, RoomRole.MEMBER) == (entered.room.member_count, (await school.member(made.room, ada)).role)

    async def test_the_setting_lets_anyone_make_it(self, open_school: School) -> None:
        """With open sessions a student makes the room, and does not own it; a viewer still cannot."""
        ada, vic = await open_school.person("ada"), await open_school.person("vic", Role.VIEWER)
        with refused(ErrorCode.ROOM_NOT_FOUND):
            await open_school.rooms.join_session(vic, RoomId("algebra"))
        made = await open_school.rooms.join_session(ada, RoomId("algebra"))
        assert RoomRole.MEMBER == (await open_school.member(made.room, ada)).role

    async def test_a_class_that_comes_at_once_makes_one_room(self, open_school: School) -> None:
        """Of many first comers one makes the room and all are in it."""
        people = await open_school.people(*(f"p{number}" for number in range(8)))
        await asyncio.gather(*(open_school.rooms.join_session(who, RoomId("algebra")) for who in people))
        room = await open_school.store.rooms.get(RoomId("algebra"))
        assert room is not None
        assert 8 == room.member_count

    async def test_it_is_for_sessions_only(self, school: School) -> None:
        """The id of another room, even one's own, is no session."""
        rao = await school.person("rao", Role.TEACHER)
        room = await school.room(rao)
        with refused(ErrorCode.ROOM_NOT_FOUND):
            await school.rooms.join_session(rao, room.id)
