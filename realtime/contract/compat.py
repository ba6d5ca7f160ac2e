"""The minimal classroom socket contract (WIRE.md §3)."""

from typing import Any, Self

import orjson
from pydantic import ConfigDict, Field, model_validator

from realtime.contract.base import Body, Id, Payload

JoinSession = Id


class SendMessage(Payload):
    """A message for a session room; whatever else it carries reaches the room unchanged."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    session_id: Id = Field(alias="sessionId")
    message: Body | None = None
    text: Body | None = None
    body: Body | None = None
    client_id: Id | None = Field(None, alias="clientId")

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if self.content is None:
            raise ValueError("a message needs `message`, `text` or `body`")
        self.passed_on()  # what cannot be sent on is refused before anything is stored
        return self

    def passed_on(self) -> bytes:
        """Return the payload as the client sent it, encoded. Raises ValueError for what no JSON can carry."""
        try:
            return orjson.dumps(self.model_dump(by_alias=True, exclude_unset=True))
        except (TypeError, ValueError) as exc:
            raise ValueError("the payload cannot be passed on as JSON") from exc

    @property
    def content(self) -> str | None:
        """What is stored as the body."""
        return self.message or self.text or self.body


NewMessage = dict[str, Any]
