"""Message events: payloads and acks."""

from typing import Annotated, Literal

from pydantic import Field

from realtime.contract.base import Body, Emoji, Id, Payload, Seq, Wire
from realtime.contract.objects import Message

Mentions = Annotated[list[Id], Field(max_length=50)]


class MessageAddress(Payload):
    """Where a message goes, and the name that makes it one message however often it is sent."""

    room_id: Id
    client_id: Id


class MessageContent(Payload):
    """What a message says, whichever way it is sent."""

    body: Body
    kind: Literal["text", "file"] = "text"
    reply_to: Id | None = None
    attachments: list[Id] = Field(default_factory=list, max_length=10, description="File ids.")
    mentions: Mentions = Field(default_factory=list)


class MessageSend(MessageContent, MessageAddress):
    """Send a message. Sending the same `client_id` again returns the first one."""


class MessageEdit(Payload):
    """Change the body of one's own message."""

    message_id: Id
    body: Body


class MessageDelete(Payload):
    """Empty a message."""

    message_id: Id


class MessageReact(Payload):
    """Give a reaction, or take it back."""

    message_id: Id
    emoji: Emoji
    on: bool


class MessageAck(Wire):
    """The message as it is stored now."""

    message: Message


class MessageHistory(Payload):
    """Read older (or, with `after_seq`, newer) messages."""

    room_id: Id
    before_seq: Seq | None = None
    after_seq: Seq | None = None
    limit: int = Field(50, ge=1, le=100)


class MessageHistoryAck(Wire):
    """Messages in ascending `seq`."""

    messages: list[Message]
    has_more: bool
