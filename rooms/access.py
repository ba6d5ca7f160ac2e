"""The gate in front of every room: is it there for this person, and may they do this in it?"""

from datetime import datetime

from auth.policy import Action, may_in_room
from auth.types import Principal
from core.clock import to_ms
from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId
from rooms.ports import RoomStore
from rooms.types import Access


def permits(principal: Principal, action: Action, access: Access) -> bool:
    """Whether the policy lets `principal` do `action` in the room."""
    room, member = access.room, access.member
    room_role = member.role if member else None
    return may_in_room(principal.role, action, room.kind, room_role, is_open=room.settings.open)


async def readable(rooms: RoomStore, principal: Principal, room_id: RoomId) -> Access:
    """Return the room if the caller may read it; anything else is `room.not_found`, so that ids cannot be probed.

    What comes back is good for decisions only: see `RoomStore.access`.
    """
    access = await rooms.access(room_id, principal.user_id)
    if access is None or not permits(principal, Action.READ, access):
        raise HomeroomError(ErrorCode.ROOM_NOT_FOUND)
    return access


async def permitted(rooms: RoomStore, principal: Principal, action: Action, room_id: RoomId) -> Access:
    """Return the room if the caller may do `action` there, for decisions only.

    Raises `room.not_found` to those who may neither read nor do it, `room.forbidden` to those who may only read.
    """
    access = await rooms.access(room_id, principal.user_id)
    if access is not None and permits(principal, action, access):
        return access
    if access is None or not permits(principal, Action.READ, access):
        raise HomeroomError(ErrorCode.ROOM_NOT_FOUND)
    raise HomeroomError(ErrorCode.ROOM_FORBIDDEN)


def check_open_for_writing(access: Access, now: datetime) -> None:
    """Raise `room.locked` if the room is archived, `room.muted` if the member is muted."""
    if access.room.archived:
        raise HomeroomError(ErrorCode.ROOM_LOCKED)
    until = access.member.muted_until if access.member else None
    if until is not None and until > now:
        raise HomeroomError(ErrorCode.ROOM_MUTED, retry_after_ms=to_ms(until) - to_ms(now))
