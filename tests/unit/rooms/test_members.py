"""rooms.members: who may add, change and remove whom, and who hears of it."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from auth.types import Principal, Role
from core.errors import ErrorCode
from core.ids import RoomId, UserId
from core.paging import encode_cursor
from rooms.members import MemberPatch
from rooms.types import Member, Notify, Room, RoomKind, RoomRole
from tests.support.refusal import refused
from tests.unit.rooms.school import School

OWNER, MODERATOR, MEMBER, OBSERVER = RoomRole
ELEVATED = {OWNER, MODERATOR}

ACTORS: dict[tuple[Role, RoomRole | None], str] = {
    (Role.STUDENT, OWNER): "grants",
    (Role.STUDENT, MODERATOR): "manages",
    (Role.STUDENT, MEMBER): "forbidden",
    (Role.STUDENT, OBSERVER): "forbidden",
    (Role.STUDENT, None): "not found",
    (Role.TEACHER, None): "not found",
    (Role.VIEWER, OWNER): "forbidden",
    (Role.ADMIN, None): "grants",
    (Role.ADMIN, MEMBER): "grants",
    (Role.SERVICE, None): "grants",
}
"""What each actor may: `grants` every role, `manages` plain members only."""


def expected_code(right: str, *roles: RoomRole | None) -> ErrorCode | None:
    """Return the refusal of an actor with this right when the change has to do with these roles; None if it may."""
    if right == "grants" or (right == "manages" and not ELEVATED.intersection(roles)):
        return None
    return ErrorCode.ROOM_NOT_FOUND if right == "not found" else ErrorCode.ROOM_FORBIDDEN


async def scene(
    school: School, actor: tuple[Role, RoomRole | None], target: RoomRole | None
) -> tuple[Principal, Principal, Room]:
    """Return who acts, on whom, and the room of both."""
    role, room_role = actor
    who, ben = await school.person("who", role), await school.person("ben")
    members = [(who, room_role)] if room_role else []
    return who, ben, await school.room(*members, *([(ben, target)] if target else []))


@pytest.mark.parametrize("actor", ACTORS, ids=str)
@pytest.mark.parametrize("granted", [None, *RoomRole])
async def test_who_adds_whom(school: School, actor: tuple[Role, RoomRole | None], granted: RoomRole | None) -> None:
    """Moderators add plain members and observers, owners and the office anyone; both sides hear of it."""
    who, ben, room = await scene(school, actor, None)
    code = expected_code(ACTORS[actor], granted)
    if code is not None:
        with refused(code):
            await school.members.put(who, room.id, ben.user_id, MemberPatch(role=granted))
        assert ([], None) == (school.events.take(), await school.store.members.get(room.id, ben.user_id))
        return
    member = await school.members.put(who, room.id, ben.user_id, MemberPatch(role=granted))
    assert (granted or MEMBER, school.time.now()) == (member.role, member.joined_at)
    told = [
        ("room_added", room.id, ben.user_id, True),
        ("member_changed", room.id, ben.user_id, "added", granted or MEMBER),
    ]
    assert told == school.events.take()


@pytest.mark.parametrize("actor", ACTORS, ids=str)
@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(RoomRole, 2)))
async def test_who_changes_roles(
    school: School, actor: tuple[Role, RoomRole | None], before: RoomRole, after: RoomRole
) -> None:
    """To raise to moderator or owner, and to lower from there, is for owners and the office."""
    who, ben, room = await scene(school, actor, before)
    code = expected_code(ACTORS[actor], before, after)
    if code is not None:
        with refused(code):
            await school.members.put(who, room.id, ben.user_id, MemberPatch(role=after))
        assert before == (await school.member(room, ben)).role
    else:
        assert after == (await school.members.put(who, room.id, ben.user_id, MemberPatch(role=after))).role
        assert [("member_changed", room.id, ben.user_id, "role", after)] == school.events.take()


@pytest.mark.parametrize("actor", ACTORS, ids=str)
@pytest.mark.parametrize("target", RoomRole)
async def test_who_removes_and_mutes_whom(
    school: School, actor: tuple[Role, RoomRole | None], target: RoomRole
) -> None:
    """Moderators act on plain members and observers only; what is done is told, the removal to both."""
    who, ben, room = await scene(school, actor, target)
    until = school.time.now() + timedelta(minutes=5)
    code = expected_code(ACTORS[actor], target)
    if code is not None:
        with refused(code):
            await school.members.put(who, room.id, ben.user_id, MemberPatch(muted_until=until))
        with refused(code):
            await school.members.remove(who, room.id, ben.user_id)
        assert Member(room.id, ben.user_id, target, school.time.now()) == await school.member(room, ben)
        assert [] == school.events.take()
        return
    assert until == (await school.members.put(who, room.id, ben.user_id, MemberPatch(muted_until=until))).muted_until
    assert [("member_changed", room.id, ben.user_id, "muted", target)] == school.events.take()
    await school.members.remove(who, room.id, ben.user_id)
    told = [
        ("room_removed", room.id, ben.user_id, "removed"),
        ("member_changed", room.id, ben.user_id, "removed", None),
    ]
    assert told == school.events.take()
    assert await school.store.members.get(room.id, ben.user_id) is None


@pytest.mark.parametrize("role", RoomRole)
@pytest.mark.parametrize("archived", [False, True])
async def test_everybody_may_leave(school: School, role: RoomRole, *, archived: bool) -> None:
    """Leaving asks nobody, works in an archived room too, and is told to both."""
    ada = await school.person("ada")
    room = await school.room((ada, role), archived=archived)
    await school.members.remove(ada, room.id, ada.user_id)
    told = [("room_removed", room.id, ada.user_id, "left"), ("member_changed", room.id, ada.user_id, "removed", None)]
    assert told == school.events.take()
    with refused(ErrorCode.ROOM_NOT_FOUND):
        await school.members.remove(ada, room.id, ada.user_id)


async def test_a_viewer_may_leave(school: School) -> None:
    """Even who may only watch is not held."""
    vic = await school.person("vic", Role.VIEWER)
    room = await school.room((vic, OBSERVER))
    await school.members.remove(vic, room.id, vic.user_id)
    assert await school.store.members.get(room.id, vic.user_id) is None


@pytest.mark.parametrize("kind", [RoomKind.SESSION, RoomKind.ANNOUNCEMENT])
async def test_a_new_member_is_not_live_in_rooms_that_are_joined(school: School, kind: RoomKind) -> None:
    """A session or announcement is made known to the new member, and delivered once they join."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room((ada, OWNER), kind=kind)
    await school.members.put(ada, room.id, ben.user_id, MemberPatch())
    assert ("room_added", room.id, ben.user_id, False) == school.events.take()[0]


async def test_an_added_member_has_nothing_unread(school: School) -> None:
    """The answer carries the watermarks that the store gave: old messages are not unread."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room((ada, OWNER))
    await school.say_many(ada, room, 3)
    member = await school.members.put(ada, room.id, ben.user_id, MemberPatch(notify=Notify.MENTIONS))
    assert (3, 3, Notify.MENTIONS) == (member.read_seq, member.delivered_seq, member.notify)


async def test_nobody_can_add_who_does_not_exist(school: School) -> None:
    """An unknown user is `user.not_found`, to those who may add."""
    ada = await school.person("ada")
    room = await school.room((ada, OWNER))
    with refused(ErrorCode.USER_NOT_FOUND):
        await school.members.put(ada, room.id, UserId("nobody"), MemberPatch())
    for call in (school.members.get, school.members.remove):
        with refused(ErrorCode.USER_NOT_FOUND):
            await call(ada, room.id, UserId("nobody"))


async def test_an_archived_room_takes_no_members(school: School) -> None:
    """Adding to, and changing in, an archived room is `room.locked`."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room((ada, OWNER), archived=True)
    for patch in (MemberPatch(), MemberPatch(role=MODERATOR)):
        with refused(ErrorCode.ROOM_LOCKED):
            await school.members.put(ada, room.id, ben.user_id, patch)


@pytest.mark.parametrize("role", RoomRole)
async def test_how_one_is_notified_is_ones_own_affair(school: School, role: RoomRole) -> None:
    """Everybody sets their own `notify`, in any role, which concerns nobody else."""
    ada = await school.person("ada")
    room = await school.room((ada, role))
    member = await school.members.put(ada, room.id, ada.user_id, MemberPatch(notify=Notify.NONE))
    assert (Notify.NONE, role) == (member.notify, member.role)
    assert [] == school.events.take()


@pytest.mark.parametrize("role", [MODERATOR, MEMBER, OBSERVER])
async def test_nobody_raises_or_unmutes_themselves(school: School, role: RoomRole) -> None:
    """One's own role and mute are others' to change, unless one owns the room."""
    ada = await school.person("ada")
    room = await school.room((ada, role))
    await school.mute(ada, room, 60)
    for patch in (MemberPatch(role=OWNER), MemberPatch(muted_until=school.time.now())):
        with refused(ErrorCode.ROOM_FORBIDDEN):
            await school.members.put(ada, room.id, ada.user_id, patch)


async def test_a_mute_is_lifted_by_an_instant_that_is_past(school: School) -> None:
    """`muted_until` now lets the member write again."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room((ada, OWNER), ben)
    await school.mute(ben, room, 60)
    await school.members.put(ada, room.id, ben.user_id, MemberPatch(muted_until=school.time.now()))
    assert 1 == (await school.say(ben, room)).seq


async def test_the_same_again_is_not_told(school: School) -> None:
    """Putting what is so already tells nobody, and what a patch leaves out stays."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room((ada, OWNER), (ben, OBSERVER))
    before = replace(await school.member(room, ben))
    assert before == await school.members.put(ada, room.id, ben.user_id, MemberPatch(role=OBSERVER))
    assert [] == school.events.take()


async def test_members_are_listed_in_pages_to_those_who_may_read(school: School) -> None:
    """By user id, each once; strangers get `room.not_found`, a made-up cursor `request.invalid`."""
    *people, eve = await school.people("chen", "ada", "ben", "eve")
    room = await school.room(*people)
    page = await school.members.list(people[0], room.id, cursor=None, limit=2)
    assert ["ada", "ben"] == [member.user_id for member, _ in page.items]
    rest = await school.members.list(people[0], room.id, cursor=page.next_cursor, limit=2)
    assert (["chen"], None) == ([user.name.lower() for _, user in rest.items if user], rest.next_cursor)
    with refused(ErrorCode.ROOM_NOT_FOUND):
        await school.members.list(eve, room.id, cursor=None, limit=2)
    for cursor in ("", "x", encode_cursor(1)):
        with refused(ErrorCode.REQUEST_INVALID):
            await school.members.list(people[0], room.id, cursor=cursor, limit=2)


async def test_one_membership_can_be_read(school: School) -> None:
    """By members; for strangers there is no such room."""
    ada, ben, eve = await school.people("ada", "ben", "eve")
    room = await school.room(ada, ben)
    assert await school.member(room, ben) == await school.members.get(ada, room.id, ben.user_id)
    for room_id in (room.id, RoomId("nowhere")):
        with refused(ErrorCode.ROOM_NOT_FOUND):
            await school.members.get(eve, room_id, ben.user_id)
