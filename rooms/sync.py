"""Catching up: what a client needs to be level with a room."""

from functools import partial

from auth.policy import Action
from auth.types import Principal
from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId
from rooms.access import permits
from rooms.ports import SyncRead, SyncStore
from rooms.presence import PresenceBook
from rooms.rooms import Rooms
from rooms.types import Access, Snapshot

PAGE = 50
"""Messages of a first join and of a reset."""


class Sync:
    """Joins and syncs."""

    def __init__(
        self,
        store: SyncStore,
        rooms: Rooms,
        presence: PresenceBook,
        *,
        max_messages: int,
        max_members: int,
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._presence = presence
        self._max_messages = max_messages
        self._max_members = max_members

    async def join(self, principal: Principal, room_id: RoomId, since_rev: int | None) -> Snapshot:
        """Return the room's state, entering it first if it is open. Raises `room.not_found`."""
        found = await self._read(principal, room_id, since_rev)
        if isinstance(found, Access):
            await self._rooms.enter(principal, found)
            found = await self._read(principal, room_id, since_rev)
        return await self._snapshot(found)

    async def sync(self, principal: Principal, room_id: RoomId, since_rev: int) -> Snapshot:
        """Return what changed after `since_rev`. Raises `room.not_found`."""
        return await self._snapshot(await self._read(principal, room_id, since_rev))

    async def _read(self, principal: Principal, room_id: RoomId, since_rev: int | None) -> SyncRead | Access:
        found = await self._store.read(
            room_id,
            principal.user_id,
            may_read=partial(permits, principal, Action.READ),
            since_rev=since_rev,
            page=PAGE,
            limit=self._max_messages,
            max_receipts=self._max_members,
        )
        if found is None:
            raise HomeroomError(ErrorCode.ROOM_NOT_FOUND)
        return found

    async def _snapshot(self, found: SyncRead | Access) -> Snapshot:
        if isinstance(found, Access):
            raise HomeroomError(ErrorCode.ROOM_NOT_FOUND)
        presence = await self._presence.of([receipt.user_id for receipt in found.receipts])
        return Snapshot(found.view, found.messages, found.receipts, presence, found.view.room.rev, found.reset)
