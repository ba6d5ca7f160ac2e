"""What the edge needs of a cluster."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from core.ids import UserId


@dataclass(frozen=True, slots=True)
class Effect:
    """A change of who is live where, applied by each node just before (`live`) or after the delivery."""

    kind: Literal["live", "unlive", "disconnect"]
    user_id: UserId
    topic: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An encoded event on its way. `data` is its JSON payload; `rev` is set on durable changes of a room.

    Reaches every connection in one of `topics` once, except those of `skip_user`.
    """

    topics: tuple[str, ...]
    event: str
    data: bytes
    rev: int | None = None
    ephemeral: bool = False
    skip_user: UserId | None = None
    effect: Effect | None = None
    extra: bytes | None = None


class Broker(Protocol):
    """Carries envelopes to every node that has members of their topics."""

    def publish(self, envelope: Envelope) -> None:
        """Send to all nodes, this one included, at once; per topic the order of calls is the order of arrival."""
        ...

    def attach(self, deliver: Callable[[Envelope], None]) -> None:
        """Set where arriving envelopes go."""
        ...

    async def ready(self) -> bool:
        """Whether what is published now reaches the other nodes."""
        ...
