"""Membership: who is in a room, as what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from auth.policy import Action
from auth.ports import UserStore
from auth.types import Principal, User
from core.clock import Clock
from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId, UserId
from core.paging import Page, decode_cursor, encode_cursor
from rooms.access import permits, permitted, readable
from rooms.ports import Events, MemberStore, RoomStore
from rooms.types import AUTO_JOINED, Access, Member, Notify, RoomRole, RoomView

_ELEVATED = frozenset({RoomRole.OWNER, RoomRole.MODERATOR})


@dataclass(frozen=True, slots=True)
class MemberPatch:
    """What to set of a membership; None leaves (or defaults) a field. `muted_until` in the past lifts a mute."""

    role: RoomRole | None = None
    muted_until: datetime | None = None
    notify: Notify | None = None


class Members:
    """The members of all rooms."""

    def __init__(self, store: MemberStore, rooms: RoomStore, users: UserStore, events: Events, *, clock: Clock) -> None:
        self._store = store
        self._rooms = rooms
        self._users = users
        self._events = events
        self._clock = clock

    async def list(
        self, principal: Principal, room_id: RoomId, *, cursor: str | None, limit: int
    ) -> Page[tuple[Member, User | None]]:
        """Return the members of a room that the caller may read, by user id."""
        await readable(self._rooms, principal, room_id)
        after = UserId(str(decode_cursor(cursor, str)[0])) if cursor is not None else None
        rows: Sequence[tuple[Member, User | None]] = await self._store.list(room_id, after=after, limit=limit + 1)
        if len(rows) <= limit:
            return Page(rows, None)
        return Page(rows[:limit], encode_cursor(rows[limit - 1][0].user_id))

    async def get(self, principal: Principal, room_id: RoomId, user_id: UserId) -> Member:
        """Return one membership. Raises `room.not_found`, `user.not_found`."""
        await readable(self._rooms, principal, room_id)
        member = await self._store.get(room_id, user_id)
        if member is None:
            raise HomeroomError(ErrorCode.USER_NOT_FOUND, "This user is not in the room.")
        return member

    async def put(self, principal: Principal, room_id: RoomId, user_id: UserId, patch: MemberPatch) -> Member:
        """Add a member or change one, and tell the room. One's own `notify` needs no right beyond reading."""
        current = await self._store.get(room_id, user_id)
        own_notify = user_id == principal.user_id and patch.role is None and patch.muted_until is None
        if current is not None and own_notify:
            await readable(self._rooms, principal, room_id)
        else:
            await self._check_may_manage(principal, room_id, current, patch)
        if current is None:
            return await self._add(room_id, user_id, patch)
        return await self._set(current, patch)

    async def remove(self, principal: Principal, room_id: RoomId, user_id: UserId) -> None:
        """End a membership (one's own: leave) and tell both."""
        own = user_id == principal.user_id
        action = Action.LEAVE if own else Action.MANAGE_MEMBERS
        access = await permitted(self._rooms, principal, action, room_id)
        current = await self._store.get(room_id, user_id)
        if current is None:
            raise HomeroomError(ErrorCode.USER_NOT_FOUND, "This user is not in the room.")
        if not own and current.role in _ELEVATED and not permits(principal, Action.GRANT_ROLES, access):
            raise HomeroomError(ErrorCode.ROOM_FORBIDDEN)
        if await self._store.remove(room_id, user_id):
            self._events.room_removed(room_id, user_id, "left" if own else "removed")
            self._events.member_changed(room_id, user_id, "removed")

    async def _check_may_manage(
        self, principal: Principal, room_id: RoomId, current: Member | None, patch: MemberPatch
    ) -> Access:
        access = await permitted(self._rooms, principal, Action.MANAGE_MEMBERS, room_id)
        if access.room.archived:
            raise HomeroomError(ErrorCode.ROOM_LOCKED)
        elevates = patch.role in _ELEVATED or (current is not None and current.role in _ELEVATED)
        if elevates and not permits(principal, Action.GRANT_ROLES, access):
            raise HomeroomError(ErrorCode.ROOM_FORBIDDEN)
        return access

    async def _add(self, room_id: RoomId, user_id: UserId, patch: MemberPatch) -> Member:
        if await self._users.get(user_id) is None:
            raise HomeroomError(ErrorCode.USER_NOT_FOUND)
        role = patch.role or RoomRole.MEMBER
        member = Member(room_id, user_id, role, self._clock.now(), notify=patch.notify or Notify.ALL)
        if patch.muted_until:
            member = replace(member, muted_until=patch.muted_until)
        await self._store.put(member)
        added = await self._store.get(room_id, user_id) or member
        room = await self._rooms.get(room_id)
        if room is not None:
            self._events.room_added(RoomView(room, added), user_id, live=room.kind in AUTO_JOINED)
            self._events.member_changed(room_id, user_id, "added", role)
        return added

    async def _set(self, current: Member, patch: MemberPatch) -> Member:
        member = replace(
            current,
            role=patch.role or current.role,
            muted_until=patch.muted_until or current.muted_until,
            notify=patch.notify or current.notify,
        )
        if member == current:
            return current
        await self._store.put(member)
        if member.role != current.role:
            self._events.member_changed(member.room_id, member.user_id, "role", member.role)
        if member.muted_until != current.muted_until:
            self._events.member_changed(member.room_id, member.user_id, "muted", member.role)
        return member
