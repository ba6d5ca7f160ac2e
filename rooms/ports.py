"""What the chat domain needs from outside. Adapters do not repeat these obligations; tests/contract/ checks them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth.types import User
from core.ids import ConnectionId, MessageId, RoomId, UserId
from rooms.types import (
    Access,
    Draft,
    Member,
    Message,
    Presence,
    Receipt,
    Room,
    RoomKind,
    RoomView,
    Status,
)


@dataclass(frozen=True, slots=True)
class Appended:
    """`created` is False when the client id was known: `message` is then the original.

    `caught_up` is the sender's new receipt when the message moved it over messages of others, else None.
    """

    message: Message
    created: bool
    caught_up: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """`changed` is False when the change had nothing to do; no rev was used then."""

    message: Message
    changed: bool


class MessageStore(Protocol):
    """Messages. A returned write is durable. Within a room, writes return to one process in `rev` order."""

    async def append(self, draft: Draft) -> Appended:
        """Store a message with the room's next `seq` and `rev`, in one atomic, durable step.

        (room, sender, client_id) is unique: a repeat returns the original and changes nothing. Concurrent appends give
        contiguous seqs. The sender's watermarks move to the new seq (to write is to have read), and the room's
        `last_activity_at` to `created_at`. Raises `room.not_found`.
        """
        ...

    async def change(self, message_id: MessageId, mutate: Callable[[Message], Message]) -> Changed:
        """Replace a message by `mutate(current)` under the room's next `rev`, atomically.

        `mutate` is pure, may run more than once and on another thread, and may raise HomeroomError to refuse; an
        equal result changes nothing. Only body, reactions, mentions, edited_at and deleted_at may differ.
        Raises `message.not_found`.
        """
        ...

    async def get(self, message_id: MessageId) -> Message | None:
        """Return one message, or None."""
        ...

    async def page(
        self, room_id: RoomId, *, before_seq: int | None, after_seq: int | None, limit: int
    ) -> Sequence[Message]:
        """Return at most `limit` messages in ascending `seq`.

        With `after_seq` the first ones above it; otherwise the last ones below `before_seq` (or of the room).
        With both, the last ones between them, both ends excluded.
        """
        ...

    async def changed_since(self, room_id: RoomId, since_rev: int, *, limit: int) -> Sequence[Message]:
        """Return at most `limit` messages with `rev` above `since_rev`, in `rev` order."""
        ...


@dataclass(frozen=True, slots=True)
class Reach:
    """A user's unarchived rooms, newest activity first: `live` are the AUTO_JOINED ones, `small` have few members."""

    live: Sequence[RoomId]
    small: Sequence[RoomId]


class RoomStore(Protocol):
    """Rooms."""

    async def create(
        self, room: Room, members: Sequence[Member], *, unique_key: str | None = None
    ) -> tuple[Room, bool]:
        """Store a room with its members (`member_count` is theirs) at rev 0; return it and whether it is new.

        If a room of that id or `unique_key` exists (also from a concurrent call), return that one and False.
        """
        ...

    async def get(self, room_id: RoomId) -> Room | None:
        """Return one room, or None."""
        ...

    async def access(self, room_id: RoomId, user_id: UserId) -> Access | None:
        """Return a room and the user's membership of it (None for outsiders), or None if there is no such room.

        Asked before every event, so an adapter may remember it, and then answers without waiting. Changes of the room,
        of the membership and of the member count that returned before the call show; what moves with messages
        (`last_seq`, `rev`, `last_activity_at`, watermarks) may be older.
        """
        ...

    async def view(self, room_id: RoomId, user_id: UserId) -> RoomView | None:
        """Return a room as the user's list shows it, but with whatever kind and for outsiders too; None if unknown."""
        ...

    async def update(self, room_id: RoomId, change: Callable[[Room], Room]) -> tuple[Room, bool]:
        """Replace title, archived and settings by `change(current)` under the next `rev`, atomically.

        Returns the room as it is now, and whether it changed: an equal result uses no rev. Raises `room.not_found`.
        """
        ...

    async def list_for(
        self, user_id: UserId, *, kind: RoomKind | None, before: tuple[int, str] | None, limit: int
    ) -> Sequence[RoomView]:
        """Return the user's rooms with last message and, for direct rooms, the peer; newest activity first.

        Ordered by (last activity in ms, id) descending; `before` is that pair of the last row of the page before.
        A room without messages counts its creation as activity. Archived rooms are included.
        """
        ...

    async def reach(self, user_id: UserId, *, live_limit: int, max_members: int, small_limit: int) -> Reach:
        """Return where somebody who comes in is live, and who hears of it; `small` as `small_ids` has it."""
        ...

    async def small_ids(self, user_id: UserId, *, max_members: int, limit: int) -> Sequence[RoomId]:
        """Return the ids of the user's unarchived rooms with at most `max_members`, newest activity first."""
        ...


@dataclass(frozen=True, slots=True)
class SyncRead:
    """A consistent reading of one room for one member; `reset` as in `rooms.types.Snapshot`."""

    view: RoomView
    messages: Sequence[Message]
    receipts: Sequence[Receipt]
    reset: bool


class SyncStore(Protocol):
    """Catching up."""

    async def read(
        self,
        room_id: RoomId,
        user_id: UserId,
        *,
        may_read: Callable[[Access], bool],
        since_rev: int | None,
        page: int,
        limit: int,
        max_receipts: int,
    ) -> SyncRead | Access | None:
        """Read room, messages and receipts as of one instant; None if there is no such room.

        `may_read` is pure, may run on another thread, and decides as of that instant; if it refuses, nothing else is
        read, and what it was given comes back.
        With `since_rev`: at most `limit` messages changed after it, in rev order; if there are more, or the room has
        not come so far, the newest `page` in seq order and `reset`. Without: the newest `page`, and `reset` if older
        messages exist. Receipts are left out of rooms with more than `max_receipts` members.
        """
        ...


class MemberStore(Protocol):
    """Memberships and watermarks."""

    async def get(self, room_id: RoomId, user_id: UserId) -> Member | None:
        """Return one membership, or None."""
        ...

    async def put(self, member: Member) -> bool:
        """Add a member, or change role, muted_until and notify of one (watermarks stay); return True if new.

        A new member's watermarks start at the room's `last_seq`, so that old messages are not unread. `member_count`
        follows. Atomic. Raises `room.not_found`.
        """
        ...

    async def remove(self, room_id: RoomId, user_id: UserId) -> bool:
        """End a membership; return False if there was none. `member_count` follows. Atomic."""
        ...

    async def list(self, room_id: RoomId, *, after: UserId | None, limit: int) -> Sequence[tuple[Member, User | None]]:
        """Return members and their users, by user id."""
        ...

    async def mark(
        self, room_id: RoomId, user_id: UserId, *, read_seq: int, delivered_seq: int
    ) -> tuple[Receipt, bool]:
        """Raise watermarks, never above the room's `last_seq` and never back; reading implies delivery.

        Returns the receipt as it is now, and whether it moved. Raises `room.not_found` for outsiders.
        """
        ...

    async def among(self, room_id: RoomId, user_ids: Sequence[UserId]) -> set[UserId]:
        """Return those of `user_ids` who are members of the room."""
        ...

    async def shared(self, user_id: UserId, other_ids: Sequence[UserId]) -> set[UserId]:
        """Return those of `other_ids` who share at least one room with the user."""
        ...


class LastSeenStore(Protocol):
    """When people were last here. Kept lazily: losing the last few seconds is allowed."""

    async def set_last_seen(self, user_id: UserId, instant: datetime) -> None:
        """Remember the instant, unless a later one is known."""
        ...

    async def last_seen(self, user_ids: Sequence[UserId]) -> dict[UserId, datetime]:
        """Return the known instants by user."""
        ...


class Events(Protocol):
    """Tells connected people what happened. Calls return at once and keep their order; delivery is best effort.

    A caller publishes a committed change before it awaits anything else, so that `rev` order is kept.
    """

    def message_new(self, message: Message, *, extra: bytes | None = None) -> None:
        """A message was stored. `extra` travels with the live event of the minimal contract only."""
        ...

    def message_updated(self, message: Message) -> None: ...

    def room_changed(self, room: Room) -> None:
        """A change of the room itself, to everyone live in it."""
        ...

    def room_added(self, view: RoomView, user_id: UserId, *, live: bool) -> None:
        """A room appeared for a user, who sees it as `view`: tell them and, if `live`, start delivery to them."""
        ...

    def room_removed(self, room_id: RoomId, user_id: UserId, reason: str) -> None:
        """A room is gone for a user: tell their connections and end delivery to them."""
        ...

    def member_changed(self, room_id: RoomId, user_id: UserId, change: str, role: str | None = None) -> None: ...

    def receipt_changed(self, receipt: Receipt) -> None: ...

    def typing_changed(self, room_id: RoomId, user_id: UserId, *, on: bool) -> None: ...

    def presence_changed(self, presence: Presence, room_ids: Sequence[RoomId]) -> None:
        """Tell everyone live in one of the rooms, and everyone who watches the user, once each."""
        ...


class PresenceStore(Protocol):
    """Who is connected. Each transition is atomic: of all nodes exactly one sees a given change of a user's status."""

    async def connect(self, user_id: UserId, connection_id: ConnectionId, status: Status) -> bool:
        """Add or update a connection; return True if the user's status changed by it."""
        ...

    async def disconnect(self, user_id: UserId, connection_id: ConnectionId) -> None:
        """Remove a connection. The user's status stays as it is until `settle`."""
        ...

    async def settle(self, user_id: UserId) -> bool:
        """Make the status follow the connections that are left; return True if it changed by that."""
        ...

    async def statuses(self, user_ids: Sequence[UserId]) -> dict[UserId, Status]:
        """Return the status of those who are not offline."""
        ...

    async def connections(self, user_id: UserId) -> int:
        """Return how many connections the user has."""
        ...
