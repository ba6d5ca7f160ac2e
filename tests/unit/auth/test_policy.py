"""auth.policy, written out: every action, role, kind of room and role in the room."""

import itertools
from collections.abc import Iterator

import pytest

from auth.policy import Action, may_in_room, may_in_school, may_see_presence
from auth.types import Role
from rooms.types import RoomKind, RoomRole

ROLES = (Role.STUDENT, Role.TEACHER, Role.ADMIN, Role.VIEWER, Role.SERVICE)
PLACES = (None, RoomRole.OBSERVER, RoomRole.MEMBER, RoomRole.MODERATOR, RoomRole.OWNER)

SCHOOL = """
                      student  teacher  admin  viewer  service
    open_direct          x        x       x      .        .
    open_group           x        x       x      .        x
    open_session         .        x       x      .        x
    open_announcement    .        x       x      .        x
    list_users           x        x       x      .        x
    put_user             .        .       x      .        x
    mint_token           .        .       .      .        x
    revoke_user          .        .       x      .        x
    watch_operations     .        .       x      .        .
"""

# Each field is what one may as no member, observer, member, moderator, owner.
ORDINARY = """
                     student  teacher  admin   viewer  service
    read              .xxxx    .xxxx   .xxxx   .xxxx    xxxxx
    send              ..xxx    ..xxx   ..xxx   .....    xxxxx
    react             ..xxx    ..xxx   ..xxx   .....    ..xxx
    delete_any        ...xx    ...xx   ...xx   .....    xxxxx
    manage_room       ...xx    ...xx   xxxxx   .....    xxxxx
    manage_members    ...xx    ...xx   xxxxx   .....    xxxxx
    grant_roles       ....x    ....x   xxxxx   .....    xxxxx
    join_open         .....    .....   .....   .....    .....
    leave             .xxxx    .xxxx   .xxxx   .xxxx    .xxxx
"""

ANNOUNCEMENT = ORDINARY.replace(
    "send              ..xxx    ..xxx   ..xxx   .....    xxxxx",
    "send              ...xx    ...xx   ...xx   .....    xxxxx",
)

OPEN_SESSION = ORDINARY.replace(
    "join_open         .....    .....   .....   .....    .....",
    "join_open         xxxxx    xxxxx   xxxxx   xxxxx    .....",
)

DIRECT = """
                     student  teacher  admin   viewer  service
    read              .xxxx    .xxxx   .xxxx   .xxxx    xxxxx
    send              ..xxx    ..xxx   ..xxx   .....    xxxxx
    react             ..xxx    ..xxx   ..xxx   .....    ..xxx
    delete_any        .....    .....   .....   .....    .....
    manage_room       .....    .....   .....   .....    .....
    manage_members    .....    .....   .....   .....    .....
    grant_roles       .....    .....   .....   .....    .....
    join_open         .....    .....   .....   .....    .....
    leave             .....    .....   .....   .....    .....
"""

ROOMS = {
    (RoomKind.DIRECT, False): DIRECT,
    (RoomKind.DIRECT, True): DIRECT,
    (RoomKind.GROUP, False): ORDINARY,
    (RoomKind.GROUP, True): ORDINARY,
    (RoomKind.SUPPORT, False): ORDINARY,
    (RoomKind.SUPPORT, True): ORDINARY,
    (RoomKind.SESSION, False): ORDINARY,
    (RoomKind.SESSION, True): OPEN_SESSION,
    (RoomKind.ANNOUNCEMENT, False): ANNOUNCEMENT,
    (RoomKind.ANNOUNCEMENT, True): ANNOUNCEMENT,
}


def cells(table: str) -> Iterator[tuple[Action, Role, str]]:
    """Yield action, role and field of a table."""
    heads, *lines = (line.split() for line in table.strip().splitlines())
    assert list(map(str, ROLES)) == heads
    for action, *fields in lines:
        for role, cell in zip(ROLES, fields, strict=True):
            yield Action(action), role, cell


def test_the_tables_are_complete() -> None:
    """Every action is in exactly one of the two kinds of table, and every kind of room, open and closed, is there."""
    in_school = [action for action, role, _ in cells(SCHOOL) if role is Role.STUDENT]
    for table in ROOMS.values():
        in_room = [action for action, role, _ in cells(table) if role is Role.STUDENT]
        assert sorted(Action) == sorted(in_school + in_room)
    assert set(itertools.product(RoomKind, [False, True])) == set(ROOMS)
    assert (set(Role), {None, *RoomRole}) == (set(ROLES), set(PLACES))


@pytest.mark.parametrize(("action", "role", "cell"), list(cells(SCHOOL)))
def test_in_the_school(action: Action, role: Role, cell: str) -> None:
    """What a role may start anywhere is what the table says."""
    assert (cell == "x") == may_in_school(role, action)


@pytest.mark.parametrize(("kind", "is_open"), list(ROOMS))
def test_in_a_room(kind: RoomKind, *, is_open: bool) -> None:
    """What may be done in a room is what its table says, for every role and place."""
    expected = {
        (action, role, place): mark == "x"
        for action, role, cell in cells(ROOMS[kind, is_open])
        for place, mark in zip(PLACES, cell, strict=True)
    }
    actual = {
        (action, role, place): may_in_room(role, action, kind, place, is_open=is_open)
        for action, role, place in expected
    }
    assert expected == actual


@pytest.mark.parametrize("action", Action)
def test_the_two_kinds_of_action_do_not_mix(action: Action) -> None:
    """Nobody may do in a room what is decided for the school, nor the other way round, whoever asks."""
    school = {one for one, _, _ in cells(SCHOOL)}
    for role in ROLES:
        if action in school:
            assert not any(may_in_room(role, action, kind, place) for kind in RoomKind for place in PLACES)
        else:
            assert not may_in_school(role, action)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("other", ROLES)
def test_presence_is_seen_by_staff_of_staff_and_among_room_mates(role: Role, other: Role) -> None:
    """Staff and the backend see everyone, everyone sees staff; the rest see whom they share a room with."""
    staff = {Role.TEACHER, Role.ADMIN}
    assert (role in staff or role is Role.SERVICE or other in staff) == may_see_presence(role, other, share_room=False)
    assert may_see_presence(role, other, share_room=True)
