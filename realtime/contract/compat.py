"""The minimal classroom socket contract (WIRE.md §3)."""

from typing import Any

from pydantic import AliasChoices, ConfigDict, Field

from realtime.contract.base import Body, Id, Payload

JoinSession = Id


class SendMessage(Payload):
    """A message for a session room; whatever else it carries reaches the room unchanged."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    session_id: Id = Field(alias="sessionId")
    body: Body = Field(validation_alias=AliasChoices("message", "text", "body"))
    client_id: Id | None = Field(None, alias="clientId")


NewMessage = dict[str, Any]
