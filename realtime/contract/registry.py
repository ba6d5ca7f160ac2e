"""Every event by name: the one list that dispatch, AsyncAPI, the docs and the tests read."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from realtime.contract import compat, connection, messages, presence, receipts, rooms
from realtime.contract.base import union_tags


@dataclass(frozen=True)
class ClientEvent:
    """An event that clients send. `payload` is anything pydantic can validate."""

    name: str
    payload: Any
    ack: type[BaseModel] | None
    summary: str

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """The validator of the payload."""
        return TypeAdapter(self.payload)

    @cached_property
    def tags(self) -> frozenset[str]:
        """What tells the members of the payload apart, if it is a union."""
        return union_tags(self.adapter)


@dataclass(frozen=True)
class ServerEvent:
    """An event that the server sends. `ephemeral` ones are shed first when a client reads slowly."""

    name: str
    payload: Any
    summary: str
    ephemeral: bool = False


_CLIENT: Final = [
    ClientEvent("room:list", rooms.RoomList, rooms.RoomListAck, "The caller's rooms, newest activity first."),
    ClientEvent("room:open", rooms.RoomOpen, rooms.RoomAck, "Open a direct room, or make a room."),
    ClientEvent("room:join", rooms.RoomJoin, rooms.SnapshotAck, "Become live in a room and get its state."),
    ClientEvent("room:sync", rooms.RoomSync, rooms.SnapshotAck, "Everything that changed after a revision."),
    ClientEvent("room:leave", rooms.RoomLeave, rooms.Empty, "End live delivery to this connection."),
    ClientEvent("message:send", messages.MessageSend, messages.MessageAck, "Send a message; an ok ack means stored."),
    ClientEvent("message:edit", messages.MessageEdit, messages.MessageAck, "Change one's own message."),
    ClientEvent("message:delete", messages.MessageDelete, messages.MessageAck, "Empty a message."),
    ClientEvent("message:react", messages.MessageReact, messages.MessageAck, "Give or take back a reaction."),
    ClientEvent("message:history", messages.MessageHistory, messages.MessageHistoryAck, "Read a page of messages."),
    ClientEvent("receipt:mark", receipts.ReceiptMark, receipts.ReceiptAck, "Raise one's read and delivered marks."),
    ClientEvent("typing:set", receipts.TypingSet, rooms.Empty, "Start or stop showing that one is writing."),
    ClientEvent("presence:set", presence.PresenceSet, presence.PresenceAck, "Set this connection's status."),
    ClientEvent("presence:watch", presence.PresenceWatch, presence.PresenceWatchAck, "Hear of people's presence."),
    ClientEvent("presence:unwatch", presence.PresenceWatch, rooms.Empty, "Stop hearing of people's presence."),
    ClientEvent("auth:refresh", connection.AuthRefresh, connection.AuthRefreshAck, "Renew the token of a connection."),
    ClientEvent("join-session", compat.JoinSession, rooms.Empty, "Compatibility: join a session room by its id."),
    ClientEvent("send-message", compat.SendMessage, messages.MessageAck, "Compatibility: send to a session room."),
]

_SERVER: Final = [
    ServerEvent("ready", connection.Ready, "First event after connect."),
    ServerEvent("message:new", messages.MessageAck, "A message was sent."),
    ServerEvent("message:updated", messages.MessageAck, "A message was edited, deleted or reacted to."),
    ServerEvent("receipt:changed", receipts.ReceiptAck, "Someone's watermarks moved."),
    ServerEvent("typing:changed", receipts.TypingChanged, "Someone started or stopped writing.", ephemeral=True),
    ServerEvent("presence:changed", presence.PresenceAck, "Someone came, went or changed status.", ephemeral=True),
    ServerEvent("room:changed", rooms.RoomChanged, "A room is new for the user, or changed."),
    ServerEvent("room:removed", rooms.RoomRemoved, "The user is no longer in a room."),
    ServerEvent("room:member_changed", rooms.MemberChanged, "Someone's place in a room changed."),
    ServerEvent("sync:required", connection.SyncRequired, "Live delivery may have a hole: call `room:sync`."),
    ServerEvent("auth:expiring", connection.AuthExpiring, "The access token ends in about a minute."),
    ServerEvent("server:draining", connection.ServerDraining, "This node is going away."),
    ServerEvent("new-message", compat.NewMessage, "Compatibility: a message of a session room."),
]

CLIENT_EVENTS: Final = {event.name: event for event in _CLIENT}
SERVER_EVENTS: Final = {event.name: event for event in _SERVER}
