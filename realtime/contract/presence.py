"""Presence events."""

from typing import Annotated, Literal

from pydantic import Field

from realtime.contract.base import Id, Payload, Wire
from realtime.contract.objects import Presence


class PresenceSet(Payload):
    """Set the status of this connection; the user's is busy if any is, else online if any is."""

    status: Literal["online", "away", "busy"]


class PresenceAck(Wire):
    """The caller's presence as others see it."""

    presence: Presence


class PresenceWatch(Payload):
    """Hear of changes of these people, or no longer."""

    user_ids: Annotated[list[Id], Field(max_length=200)]


class PresenceWatchAck(Wire):
    """Their presence now."""

    presence: list[Presence]
