"""Receipts: watermarks that only rise, told at most once a second per member and room."""

from auth.types import Principal
from core.clock import Timers
from core.ids import RoomId, UserId
from rooms.access import readable
from rooms.ports import Events, MemberStore, RoomStore
from rooms.types import Receipt, Room

PAUSE_S = 1.0
"""Time between two events of one member in one room; the first goes out at once."""

_Key = tuple[RoomId, UserId]


class ReceiptFeed:
    """Tells rooms of moved watermarks. One feed for marks and messages: what is told never goes back."""

    def __init__(self, events: Events, *, timers: Timers, broadcast_members: int) -> None:
        self._events = events
        self._timers = timers
        self._broadcast_members = broadcast_members
        self._paused: dict[_Key, Receipt | None] = {}

    def tell(self, receipt: Receipt, room: Room) -> None:
        """Tell a room, now or when the pause of its member is over; large rooms are not told."""
        if room.member_count > self._broadcast_members:
            return
        key = (receipt.room_id, receipt.user_id)
        if key in self._paused:
            self._paused[key] = receipt
        else:
            self._send(key, receipt)

    def _send(self, key: _Key, receipt: Receipt) -> None:
        self._events.receipt_changed(receipt)
        self._paused[key] = None
        self._timers.call_later(PAUSE_S, lambda: self._resume(key))

    def _resume(self, key: _Key) -> None:
        waiting = self._paused.pop(key, None)
        if waiting is not None:
            self._send(key, waiting)


class Receipts:
    """The watermarks of all rooms."""

    def __init__(self, store: MemberStore, rooms: RoomStore, feed: ReceiptFeed) -> None:
        self._store = store
        self._rooms = rooms
        self._feed = feed

    async def mark(self, principal: Principal, room_id: RoomId, *, read_seq: int, delivered_seq: int) -> Receipt:
        """Raise the caller's watermarks and tell the room, unless it is large. Raises `room.not_found`."""
        access = await readable(self._rooms, principal, room_id)
        receipt, moved = await self._store.mark(
            room_id, principal.user_id, read_seq=read_seq, delivered_seq=delivered_seq
        )
        if moved:
            self._feed.tell(receipt, access.room)
        return receipt
