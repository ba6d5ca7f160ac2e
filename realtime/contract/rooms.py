"""Room events: payloads and acks."""

from typing import Annotated, Literal

from pydantic import Field

from realtime.contract.base import Cursor, Id, Line, Payload, Seq, Wire
from realtime.contract.objects import KindName, Message, Presence, Receipt, Room, RoomRoleName

MemberIds = Annotated[list[Id], Field(max_length=1000)]


class SettingsIn(Payload):
    """Rules of a new or changed room; what is left out stays."""

    open: bool | None = None
    slow_mode_s: int | None = Field(None, ge=0, le=3600)


class RoomList(Payload):
    """List the caller's rooms."""

    kind: KindName | None = None
    cursor: Cursor | None = None
    limit: int = Field(50, ge=1, le=200)


class RoomListAck(Wire):
    """Rooms, newest activity first."""

    rooms: list[Room]
    next_cursor: str | None = None


class OpenDirect(Payload):
    """Open the conversation with one person."""

    kind: Literal["direct"]
    user_id: Id


class OpenNamed(Payload):
    """Make a room with a title."""

    kind: Literal["group", "session", "announcement"]
    title: Line
    member_ids: MemberIds = []
    settings: SettingsIn | None = None


RoomOpen = Annotated[OpenDirect | OpenNamed, Field(discriminator="kind")]


class RoomAck(Wire):
    """The room."""

    room: Room


class RoomJoin(Payload):
    """Become live in a room and get its state."""

    room_id: Id
    since_rev: Seq | None = None


class RoomSync(Payload):
    """Catch up with a room."""

    room_id: Id
    since_rev: Seq


class SnapshotAck(Wire):
    """The state of a room. See the guide on syncing for what `rev` and `reset` oblige a client to."""

    room: Room
    messages: list[Message] = Field(description="Changed after `since_rev`, in rev order; on `reset` the newest page.")
    receipts: list[Receipt]
    presence: list[Presence]
    rev: int
    reset: bool


class RoomLeave(Payload):
    """End live delivery to this connection."""

    room_id: Id


class Empty(Wire):
    """Nothing to say but ok."""


class RoomChanged(Wire):
    """A room was made known to the user, or changed."""

    room: Room


class RoomRemoved(Wire):
    """The user is no longer in this room."""

    room_id: str
    reason: str


class MemberChanged(Wire):
    """Someone's place in a room changed."""

    room_id: str
    user_id: str
    change: Literal["added", "removed", "role", "muted", "joined", "left"]
    role: RoomRoleName | None = None
