"""Who may do what: pure decisions over roles, without I/O, so that a table can test all of them.

A role in the school decides what anyone may start; a role in a room decides what may be done there. Whoever may not
even read a room is told that it does not exist; that is the caller's doing, with `Action.READ`.
"""

from enum import StrEnum
from typing import Final

from auth.types import Role


class Action(StrEnum):
    """Everything that is decided."""

    # in the school
    OPEN_DIRECT = "open_direct"
    OPEN_GROUP = "open_group"
    OPEN_SESSION = "open_session"
    OPEN_ANNOUNCEMENT = "open_announcement"
    LIST_USERS = "list_users"
    PUT_USER = "put_user"
    MINT_TOKEN = "mint_token"  # noqa: S105 - the name of an action
    REVOKE_USER = "revoke_user"
    WATCH_OPERATIONS = "watch_operations"
    # in a room
    READ = "read"
    SEND = "send"
    REACT = "react"
    DELETE_ANY = "delete_any"
    MANAGE_ROOM = "manage_room"
    MANAGE_MEMBERS = "manage_members"
    GRANT_ROLES = "grant_roles"
    JOIN_OPEN = "join_open"
    LEAVE = "leave"


_PEOPLE: Final = frozenset({Role.STUDENT, Role.TEACHER, Role.ADMIN})
_STAFF: Final = frozenset({Role.TEACHER, Role.ADMIN})
_OFFICE: Final = frozenset({Role.ADMIN, Role.SERVICE})

_SCHOOL: Final[dict[Action, frozenset[Role]]] = {
    Action.OPEN_DIRECT: _PEOPLE,
    Action.OPEN_GROUP: _PEOPLE | {Role.SERVICE},
    Action.OPEN_SESSION: _STAFF | {Role.SERVICE},
    Action.OPEN_ANNOUNCEMENT: _STAFF | {Role.SERVICE},
    Action.LIST_USERS: _PEOPLE | {Role.SERVICE},
    Action.PUT_USER: _OFFICE,
    Action.MINT_TOKEN: frozenset({Role.SERVICE}),
    Action.REVOKE_USER: _OFFICE,
    Action.WATCH_OPERATIONS: frozenset({Role.ADMIN}),
}

_ANYONE: Final = frozenset({"owner", "moderator", "member", "observer"})
_SPEAKERS: Final = frozenset({"owner", "moderator", "member"})
_KEEPERS: Final = frozenset({"owner", "moderator"})

_ROOM: Final[dict[Action, frozenset[str]]] = {
    Action.READ: _ANYONE,
    Action.SEND: _SPEAKERS,
    Action.REACT: _SPEAKERS,
    Action.DELETE_ANY: _KEEPERS,
    Action.MANAGE_ROOM: _KEEPERS,
    Action.MANAGE_MEMBERS: _KEEPERS,
    Action.GRANT_ROLES: frozenset({"owner"}),
    Action.LEAVE: _ANYONE,
}

_NOT_IN_DIRECT: Final = frozenset(
    {Action.DELETE_ANY, Action.MANAGE_ROOM, Action.MANAGE_MEMBERS, Action.GRANT_ROLES, Action.LEAVE}
)
_OFFICE_MAY: Final = frozenset({Action.MANAGE_ROOM, Action.MANAGE_MEMBERS, Action.GRANT_ROLES})
_SERVICE_MAY: Final = frozenset({Action.READ, Action.SEND, Action.DELETE_ANY})
_VIEWER_MAY: Final = frozenset({Action.READ, Action.LEAVE})


def may_in_school(role: Role, action: Action) -> bool:
    """Whether `role` may do `action` anywhere in the school."""
    return role in _SCHOOL.get(action, frozenset())


def may_in_room(role: Role, action: Action, kind: str, room_role: str | None, *, is_open: bool = False) -> bool:
    """Whether someone with `role`, who is `room_role` in a room of `kind` (None: no member), may do `action` there."""
    if action in _NOT_IN_DIRECT and kind == "direct":
        return False
    if action is Action.JOIN_OPEN:
        return is_open and kind == "session" and role is not Role.SERVICE
    if role in _OFFICE and action in _OFFICE_MAY:
        return True
    if role is Role.SERVICE and action in _SERVICE_MAY:
        return True
    if role is Role.VIEWER and action not in _VIEWER_MAY:
        return False
    if action is Action.SEND and kind == "announcement":
        return room_role in _KEEPERS
    return room_role in _ROOM.get(action, frozenset())


def may_see_presence(role: Role, other: Role, *, share_room: bool) -> bool:
    """Whether presence of someone of role `other` is shown: staff see everyone, everyone sees staff and room mates."""
    return role in _STAFF | {Role.SERVICE} or other in _STAFF or share_room
