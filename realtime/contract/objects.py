"""The objects of WIRE.md §1, as JSON. The functions that build them are in `encode.py`."""

from typing import Literal

from pydantic import Field

from realtime.contract.base import Instant, Wire

RoleName = Literal["student", "teacher", "admin", "viewer", "service"]
KindName = Literal["direct", "group", "session", "announcement", "support"]
RoomRoleName = Literal["owner", "moderator", "member", "observer"]
StatusName = Literal["online", "away", "busy", "offline"]
NotifyName = Literal["all", "mentions", "none"]


class User(Wire):
    """A person of the school."""

    id: str = Field(description="The `sub` of the person's tokens.")
    name: str
    role: RoleName
    avatar_url: str | None = None
    tz: str | None = Field(None, description="IANA time zone.")
    locale: str | None = None


class RoomSettings(Wire):
    """Rules of one room."""

    open: bool = Field(False, description="Any signed-in user may join.")
    slow_mode_s: int = Field(0, description="Pause between one member's messages, in seconds; 0 is off.")


class Attachment(Wire):
    """A file that belongs to a message."""

    file_id: str
    name: str
    size: int
    mime: str
    url: str | None = None
    width: int | None = None
    height: int | None = None


class Message(Wire):
    """A message. A deleted one keeps id, seq and rev and has an empty body."""

    id: str
    room_id: str
    seq: int = Field(description="1, 2, 3 … within the room, without a gap.")
    rev: int = Field(description="The room's revision at this message's last change.")
    sender_id: str
    client_id: str
    kind: Literal["text", "file", "system"]
    body: str
    attachments: list[Attachment]
    reply_to: str | None = None
    mentions: list[str]
    reactions: dict[str, list[str]] = Field(description="Emoji to the ids of the users who gave it.")
    created_at: Instant
    edited_at: Instant | None = None
    deleted_at: Instant | None = None


class Me(Wire):
    """The caller's own place in a room."""

    role: RoomRoleName
    read_seq: int
    delivered_seq: int
    unread: int
    muted_until: Instant | None = None
    notify: NotifyName


class Room(Wire):
    """A room. `me`, `peer` and `last_message` are there when the answer is for one person only."""

    id: str
    kind: KindName
    title: str = Field(description="For a direct room: the other person's name.")
    created_by: str
    created_at: Instant
    last_seq: int
    rev: int
    member_count: int
    archived: bool
    settings: RoomSettings
    me: Me | None = None
    peer: User | None = Field(None, description="The other person of a direct room.")
    last_message: Message | None = None


class Receipt(Wire):
    """How far one member has read and been reached. Watermarks never move back."""

    room_id: str
    user_id: str
    read_seq: int
    delivered_seq: int


class Presence(Wire):
    """Whether someone is there."""

    user_id: str
    status: StatusName
    last_seen_at: Instant | None = None


class Error(Wire):
    """A refusal. `code` is stable; `message` is for people."""

    code: str
    message: str
    retryable: bool
    retry_after_ms: int | None = None
    fields: list[str] | None = Field(None, description="Offending paths, on `request.invalid`.")
