"""What the chat is made of. Frozen: a change makes a new value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from auth.types import User
from core.ids import MessageId, RoomId, UserId


class RoomKind(StrEnum):
    """What a room is for."""

    DIRECT = "direct"
    GROUP = "group"
    SESSION = "session"
    ANNOUNCEMENT = "announcement"
    SUPPORT = "support"


AUTO_JOINED = frozenset({RoomKind.DIRECT, RoomKind.GROUP, RoomKind.SUPPORT})
"""Kinds that are live on connect; the others are joined explicitly (WIRE.md §1)."""


class RoomRole(StrEnum):
    """What someone is in one room, weakest last."""

    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"
    OBSERVER = "observer"


class MessageKind(StrEnum):
    """What a message carries."""

    TEXT = "text"
    FILE = "file"
    SYSTEM = "system"


class Status(StrEnum):
    """Whether someone is there."""

    ONLINE = "online"
    AWAY = "away"
    BUSY = "busy"
    OFFLINE = "offline"


class Notify(StrEnum):
    """Which messages of a room should ring."""

    ALL = "all"
    MENTIONS = "mentions"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """Rules of one room. `open`: any signed-in user may join. `slow_mode_s`: pause between a member's messages."""

    open: bool = False
    slow_mode_s: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """A room. `seq` numbers its messages, `rev` every durable change (WIRE.md, Objects)."""

    id: RoomId
    kind: RoomKind
    title: str
    created_by: UserId
    created_at: datetime
    last_seq: int = 0
    rev: int = 0
    member_count: int = 0
    archived: bool = False
    settings: RoomSettings = field(default_factory=RoomSettings)
    last_activity_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One person's place in one room. Watermarks never move back."""

    room_id: RoomId
    user_id: UserId
    role: RoomRole
    joined_at: datetime
    read_seq: int = 0
    delivered_seq: int = 0
    muted_until: datetime | None = None
    notify: Notify = Notify.ALL


@dataclass(frozen=True, slots=True)
class Access:
    """A room as one member sees it: what every decision about a message needs. `member` is None for outsiders."""

    room: Room
    member: Member | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message. `rev` is the room's revision at its last change. Deleted: empty body, `deleted_at` set.

    `reactions` maps an emoji to the users who gave it, in the order they did.
    """

    id: MessageId
    room_id: RoomId
    seq: int
    rev: int
    sender_id: UserId
    client_id: str
    kind: MessageKind
    body: str
    created_at: datetime
    reply_to: MessageId | None = None
    mentions: Sequence[UserId] = ()
    reactions: Mapping[str, Sequence[UserId]] = field(default_factory=dict)
    edited_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before the store gives it `seq` and `rev`."""

    id: MessageId
    room_id: RoomId
    sender_id: UserId
    client_id: str
    kind: MessageKind
    body: str
    created_at: datetime
    reply_to: MessageId | None = None
    mentions: Sequence[UserId] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """How far one member has read and been reached."""

    room_id: RoomId
    user_id: UserId
    read_seq: int
    delivered_seq: int


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether someone is there; `last_seen_at` is None while they are, or if they never were."""

    user_id: UserId
    status: Status
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as one member's list shows it. `peer` is the other person of a direct room."""

    room: Room
    me: Member | None
    last_message: Message | None = None
    peer: User | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The answer to a join or a sync.

    `reset` False: `messages` are all that changed after the asked rev. True: they are the newest page, and what the
    client held before must be dropped. `rev` is the room's revision that this brings a client to.
    """

    view: RoomView
    messages: Sequence[Message]
    receipts: Sequence[Receipt]
    presence: Sequence[Presence]
    rev: int
    reset: bool
