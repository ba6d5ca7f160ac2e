"""The cluster of one process: shipping code, and the yardstick for the others."""

from collections.abc import Callable, Sequence

from core.ids import ConnectionId, UserId
from realtime.cluster.ports import Envelope
from rooms.types import Status


class LocalBroker:
    """Delivers within the process, at once."""

    def __init__(self) -> None:
        self._deliver: Callable[[Envelope], None] = lambda _: None

    def publish(self, envelope: Envelope) -> None:
        self._deliver(envelope)

    def attach(self, deliver: Callable[[Envelope], None]) -> None:
        self._deliver = deliver

    async def ready(self) -> bool:
        return True


class LocalPresence:
    """Presence in memory. Atomic because nothing here waits."""

    def __init__(self) -> None:
        self._connections: dict[UserId, dict[ConnectionId, Status]] = {}
        self._status: dict[UserId, Status] = {}

    async def connect(self, user_id: UserId, connection_id: ConnectionId, status: Status) -> bool:
        self._connections.setdefault(user_id, {})[connection_id] = status
        return self._follow(user_id)

    async def disconnect(self, user_id: UserId, connection_id: ConnectionId) -> None:
        connections = self._connections.get(user_id, {})
        connections.pop(connection_id, None)
        if not connections:
            self._connections.pop(user_id, None)

    async def settle(self, user_id: UserId) -> bool:
        return self._follow(user_id)

    async def statuses(self, user_ids: Sequence[UserId]) -> dict[UserId, Status]:
        return {user_id: self._status[user_id] for user_id in user_ids if user_id in self._status}

    async def connections(self, user_id: UserId) -> int:
        return len(self._connections.get(user_id, {}))

    def _follow(self, user_id: UserId) -> bool:
        before = self._status.get(user_id)
        after = combined(list(self._connections.get(user_id, {}).values()))
        if after is Status.OFFLINE:
            self._status.pop(user_id, None)
            return before is not None
        self._status[user_id] = after
        return before is not after


def combined(statuses: Sequence[Status]) -> Status:
    """Return a user's status from those of their connections: busy if any is, else online if any is."""
    for status in (Status.BUSY, Status.ONLINE, Status.AWAY):
        if status in statuses:
            return status
    return Status.OFFLINE
