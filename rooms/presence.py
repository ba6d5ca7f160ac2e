"""Presence: who is there, on several devices, without a flap when one reconnects."""

from collections.abc import Sequence

from auth.policy import may_see_presence
from auth.ports import UserStore
from auth.types import Principal
from core.clock import Clock, Timer, Timers
from core.ids import ConnectionId, RoomId, UserId
from core.tasks import Background
from rooms.ports import Events, LastSeenStore, MemberStore, PresenceStore, RoomStore
from rooms.types import Presence, Status

MAX_ROOMS = 200
"""Rooms that hear of one person, the most active first."""


class PresenceBook:
    """Who is there. Told to those who share a small room, and to watchers."""

    def __init__(
        self,
        store: PresenceStore,
        rooms: RoomStore,
        members: MemberStore,
        users: UserStore,
        seen: LastSeenStore,
        events: Events,
        background: Background,
        *,
        clock: Clock,
        timers: Timers,
        grace_s: float,
        broadcast_members: int,
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._members = members
        self._users = users
        self._seen = seen
        self._events = events
        self._background = background
        self._clock = clock
        self._timers = timers
        self._grace_s = grace_s
        self._broadcast_members = broadcast_members
        self._settling: dict[UserId, Timer] = {}
        self._announcing: dict[UserId, object] = {}

    async def connected(
        self, user_id: UserId, connection_id: ConnectionId, room_ids: Sequence[RoomId] | None = None
    ) -> None:
        """Count a new connection, online. `room_ids` are the rooms to tell, if the caller has just read them."""
        if await self._store.connect(user_id, connection_id, Status.ONLINE):
            await self._announce(user_id, room_ids)

    async def set(self, user_id: UserId, connection_id: ConnectionId, status: Status) -> Presence:
        """Set the status of one connection; return the user's."""
        if await self._store.connect(user_id, connection_id, status):
            await self._announce(user_id)
        return (await self.of([user_id]))[0]

    async def disconnected(self, user_id: UserId, connection_id: ConnectionId) -> None:
        """Take a connection off. Others hear of it after the grace, if it has not come back by then."""
        await self._store.disconnect(user_id, connection_id)
        if (pending := self._settling.pop(user_id, None)) is not None:
            pending.cancel()
        self._settling[user_id] = self._timers.call_later(self._grace_s, lambda: self._settle_soon(user_id))

    async def of(self, user_ids: Sequence[UserId]) -> Sequence[Presence]:
        """Return the presence of users, in the order asked, without asking who may see it."""
        statuses = await self._store.statuses(user_ids)
        away = [user_id for user_id in user_ids if user_id not in statuses]
        seen = await self._seen.last_seen(away) if away else {}
        return [Presence(one, statuses.get(one, Status.OFFLINE), seen.get(one)) for one in user_ids]

    async def visible(
        self, principal: Principal, user_ids: Sequence[UserId]
    ) -> tuple[Sequence[UserId], list[Presence]]:
        """Return which of the users the caller may watch, and the presence of all: hidden ones look offline."""
        users = await self._users.get_many(user_ids)
        shared = await self._members.shared(principal.user_id, user_ids)
        may = [
            one
            for one in user_ids
            if one in users and may_see_presence(principal.role, users[one].role, share_room=one in shared)
        ]
        known = {presence.user_id: presence for presence in await self.of(may)}
        return may, [known.get(one) or Presence(one, Status.OFFLINE) for one in user_ids]

    async def connections(self, user_id: UserId) -> int:
        """Return how many connections a user has."""
        return await self._store.connections(user_id)

    async def close(self) -> None:
        """Settle at once whoever is waiting for it, so that last-seen times are kept."""
        waiting = list(self._settling)
        for timer in self._settling.values():
            timer.cancel()
        self._settling.clear()
        for user_id in waiting:
            await self._settle(user_id)

    def _settle_soon(self, user_id: UserId) -> None:
        self._settling.pop(user_id, None)
        self._background.start(self._settle(user_id))

    async def _settle(self, user_id: UserId) -> None:
        if not await self._store.settle(user_id):
            return
        if not await self._store.statuses([user_id]):
            await self._seen.set_last_seen(user_id, self._clock.now())
        await self._announce(user_id)

    async def _announce(self, user_id: UserId, room_ids: Sequence[RoomId] | None = None) -> None:
        mine = self._announcing[user_id] = object()
        if room_ids is None:
            room_ids = await self._rooms.small_ids(user_id, max_members=self._broadcast_members, limit=MAX_ROOMS)
        presence = (await self.of([user_id]))[0]
        # of two changes close together, only the later one speaks: the earlier may have read what is no longer true
        if self._announcing.get(user_id) is mine:
            del self._announcing[user_id]
            self._events.presence_changed(presence, room_ids)
