"""Rooms: open, list, change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from auth.policy import Action, may_in_school
from auth.ports import UserStore
from auth.types import Principal, Role, User
from core.clock import Clock, to_ms
from core.errors import ErrorCode, HomeroomError, invalid
from core.ids import IdSource, RoomId, UserId
from core.paging import Page, decode_cursor, encode_cursor
from rooms.access import permits, permitted, readable
from rooms.ports import Events, MemberStore, RoomStore
from rooms.types import AUTO_JOINED, Access, Member, Room, RoomKind, RoomRole, RoomSettings, RoomView

_OPEN_ACTION = {
    RoomKind.GROUP: Action.OPEN_GROUP,
    RoomKind.SESSION: Action.OPEN_SESSION,
    RoomKind.ANNOUNCEMENT: Action.OPEN_ANNOUNCEMENT,
}


@dataclass(frozen=True, slots=True)
class RoomPatch:
    """What to change of a room; None leaves a field as it is."""

    title: str | None = None
    archived: bool | None = None
    open: bool | None = None
    slow_mode_s: int | None = None

    def apply(self, room: Room) -> Room:
        """Return the room with this change made."""
        settings = replace(
            room.settings,
            open=room.settings.open if self.open is None else self.open,
            slow_mode_s=room.settings.slow_mode_s if self.slow_mode_s is None else self.slow_mode_s,
        )
        archived = room.archived if self.archived is None else self.archived
        return replace(room, title=self.title or room.title, archived=archived, settings=settings)


def direct_key(pair: Sequence[UserId]) -> str:
    """Return the key that makes the direct room of two users the only one; the length keeps ids with `:` apart."""
    first, second = sorted(pair)
    return f"direct:{len(first)}:{first}:{second}"


class Rooms:
    """The rooms of the school."""

    def __init__(
        self,
        store: RoomStore,
        members: MemberStore,
        users: UserStore,
        events: Events,
        *,
        clock: Clock,
        new_id: IdSource,
        compat_open_sessions: bool,
        broadcast_members: int,
    ) -> None:
        self._store = store
        self._members = members
        self._users = users
        self._events = events
        self._clock = clock
        self._new_id = new_id
        self._compat_open_sessions = compat_open_sessions
        self._broadcast_members = broadcast_members

    async def open_direct(self, principal: Principal, user_id: UserId) -> RoomView:
        """Return the conversation of the caller with one person, made at the first call; the pair has only one."""
        _check_school(principal, Action.OPEN_DIRECT)
        if user_id == principal.user_id:
            raise invalid("A direct room needs somebody else.", "user_id")
        peer = (await self._known([user_id]))[user_id]
        pair = [principal.user_id, user_id]
        room = self._new_room(RoomKind.DIRECT, "", principal)
        members = [self._member(room, one, RoomRole.MEMBER) for one in pair]
        room, created = await self._store.create(room, members, unique_key=direct_key(pair))
        if created:
            self._tell_added(room, members, {principal.user_id: peer, user_id: principal.as_user()})
        return await self._view(principal, room.id)

    async def open_named(
        self, principal: Principal, kind: RoomKind, title: str, member_ids: Sequence[UserId], patch: RoomPatch
    ) -> RoomView:
        """Make a group, session or announcement room that the caller owns. Raises `user.not_found`."""
        _check_school(principal, _OPEN_ACTION[kind])
        others = [user_id for user_id in dict.fromkeys(member_ids) if user_id != principal.user_id]
        await self._known(others)
        room = patch.apply(self._new_room(kind, title, principal))
        members = [self._member(room, user_id, RoomRole.MEMBER) for user_id in others]
        if principal.role is not Role.SERVICE:
            members.append(self._member(room, principal.user_id, RoomRole.OWNER))
        room, _ = await self._store.create(room, members)
        self._tell_added(room, members)
        return await self._view(principal, room.id)

    async def list(
        self, principal: Principal, *, kind: RoomKind | None, cursor: str | None, limit: int
    ) -> Page[RoomView]:
        """Return the caller's rooms, newest activity first."""
        before = None
        if cursor is not None:
            at, room_id = decode_cursor(cursor, int, str)
            before = (int(at), str(room_id))
        views = await self._store.list_for(principal.user_id, kind=kind, before=before, limit=limit + 1)
        if len(views) <= limit:
            return Page(views, None)
        last = views[limit - 1].room
        return Page(views[:limit], encode_cursor(to_ms(last.last_activity_at or last.created_at), last.id))

    async def get(self, principal: Principal, room_id: RoomId) -> RoomView:
        """Return one room as the caller sees it. Raises `room.not_found`."""
        return await self._view(principal, room_id)

    async def update(self, principal: Principal, room_id: RoomId, patch: RoomPatch) -> RoomView:
        """Change title, settings or archive flag, and tell the room."""
        access = await permitted(self._store, principal, Action.MANAGE_ROOM, room_id)
        room, changed = await self._store.update(room_id, patch.apply)
        if changed:
            self._events.room_changed(room)
        if permits(principal, Action.READ, access):
            return await self._view(principal, room_id)
        return RoomView(room, None)

    async def join_session(self, principal: Principal, room_id: RoomId) -> Access:
        """Return a session room for a client of the minimal contract, making it and the membership where allowed.

        An unknown id becomes an open room when staff come first, or anyone if the school allows it (WIRE.md §3).
        """
        access = await self._store.access(room_id, principal.user_id)
        if access is None and self._may_make(principal):
            access = await self._make_session(principal, room_id)
        if access is None or access.room.kind is not RoomKind.SESSION:
            raise HomeroomError(ErrorCode.ROOM_NOT_FOUND)
        await self.enter(principal, access)
        return await readable(self._store, principal, room_id)

    async def enter(self, principal: Principal, access: Access) -> None:
        """Make the caller a member of an open room, unless they may read it already. Raises `room.not_found`.

        The others are told of it in small rooms: see `Roster`.
        """
        if access.member is not None or permits(principal, Action.READ, access):
            return
        if access.room.archived or not permits(principal, Action.JOIN_OPEN, access):
            raise HomeroomError(ErrorCode.ROOM_NOT_FOUND)
        role = RoomRole.OBSERVER if principal.role is Role.VIEWER else RoomRole.MEMBER
        added = await self._members.put(self._member(access.room, principal.user_id, role))
        if added and access.room.member_count < self._broadcast_members:
            self._events.member_changed(access.room.id, principal.user_id, "added", role)

    def _may_make(self, principal: Principal) -> bool:
        anyone = self._compat_open_sessions and may_in_school(principal.role, Action.OPEN_GROUP)
        return anyone or may_in_school(principal.role, Action.OPEN_SESSION)

    async def _make_session(self, principal: Principal, room_id: RoomId) -> Access | None:
        settings = RoomSettings(open=True)
        room = replace(self._new_room(RoomKind.SESSION, room_id, principal), id=room_id, settings=settings)
        staff = may_in_school(principal.role, Action.OPEN_SESSION)
        role = RoomRole.OWNER if staff else RoomRole.MEMBER
        members = [] if principal.role is Role.SERVICE else [self._member(room, principal.user_id, role)]
        room, created = await self._store.create(room, members)
        if created:
            self._tell_added(room, members)
        return await self._store.access(room_id, principal.user_id)

    async def _view(self, principal: Principal, room_id: RoomId) -> RoomView:
        view = await self._store.view(room_id, principal.user_id)
        if view is None or not permits(principal, Action.READ, Access(view.room, view.me)):
            raise HomeroomError(ErrorCode.ROOM_NOT_FOUND)
        return view

    async def _known(self, user_ids: Sequence[UserId]) -> dict[UserId, User]:
        found = await self._users.get_many(user_ids)
        missing = [user_id for user_id in user_ids if user_id not in found]
        if missing:
            raise HomeroomError(ErrorCode.USER_NOT_FOUND, f"There is no such user: {missing[0]}.")
        return found

    def _new_room(self, kind: RoomKind, title: str, principal: Principal) -> Room:
        now = self._clock.now()
        return Room(RoomId(self._new_id()), kind, title, principal.user_id, now, last_activity_at=now)

    def _member(self, room: Room, user_id: UserId, role: RoomRole) -> Member:
        return Member(room.id, user_id, role, joined_at=self._clock.now())

    def _tell_added(self, room: Room, members: Sequence[Member], peers: Mapping[UserId, User] | None = None) -> None:
        for member in members:
            view = RoomView(room, member, None, (peers or {}).get(member.user_id))
            self._events.room_added(view, member.user_id, live=room.kind in AUTO_JOINED)


def _check_school(principal: Principal, action: Action) -> None:
    if not may_in_school(principal.role, action):
        raise HomeroomError(ErrorCode.AUTH_FORBIDDEN)
