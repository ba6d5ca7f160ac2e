"""What happens to a connection from its first packet to its last."""

import random
from collections.abc import Mapping
from datetime import datetime
from functools import partial

import orjson

from auth.limits import TokenBucket
from auth.policy import Action, may_in_school
from auth.types import Principal
from core.clock import Timers, to_ms, to_wire
from core.errors import ErrorCode, HomeroomError
from core.ids import ConnectionId
from realtime.config import Limits
from realtime.connection import Connection
from realtime.contract.encode import user_json
from realtime.dispatch import Dispatch
from realtime.engine.frames import event_frame
from realtime.engine.ports import Link
from realtime.hub import Hub, room_topic
from realtime.roster import Roster
from realtime.services import Services
from rooms.ports import RoomStore
from rooms.presence import MAX_ROOMS

NAMESPACES = frozenset({"/", "/admin"})
EXPIRY_NOTICE_S = 75
"""How long before its token ends a connection is told; the contract promises 60 s."""

_OVERLOADED_RETRY_MS = 10_000
_TOLD_LIMITS = (
    "body_chars",
    "frame_bytes",
    "history_page",
    "events_per_s",
    "events_burst",
    "messages_per_s",
    "messages_burst",
    "typing_interval_ms",
    "typing_ttl_ms",
    "connections_per_user",
    "broadcast_members",
    "watched_users",
)


class LiveEdge:
    """The `Edge` of the product: admits connections, makes them live, ends them."""

    def __init__(
        self,
        services: Services,
        hub: Hub,
        roster: Roster,
        rooms: RoomStore,
        dispatch: Dispatch,
        *,
        timers: Timers,
        limits: Limits,
    ) -> None:
        self._services = services
        self._hub = hub
        self._roster = roster
        self._rooms = rooms
        self._dispatch = dispatch
        self._timers = timers
        self._limits = limits
        self._limits_json = orjson.Fragment(orjson.dumps({name: getattr(limits, name) for name in _TOLD_LIMITS}))
        self._opening: dict[str, Connection] = {}
        self.draining = False

    async def accept(self, sid: str, namespace: str, auth: object, headers: Mapping[str, str], link: Link) -> None:
        if self.draining:
            raise HomeroomError(ErrorCode.SERVER_DRAINING, retry_after_ms=random.randint(500, 3000))
        principal = await self._services.admission.admit(_token(auth, headers))
        if namespace == "/admin" and not may_in_school(principal.role, Action.WATCH_OPERATIONS):
            raise HomeroomError(ErrorCode.AUTH_FORBIDDEN)
        if len(self._hub.of_user(principal.user_id)) >= self._limits.connections_per_user:
            text = f"At most {self._limits.connections_per_user} connections per user. Close one and try again."
            raise HomeroomError(ErrorCode.SERVER_OVERLOADED, text, retry_after_ms=_OVERLOADED_RETRY_MS)
        bucket = TokenBucket(self._limits.events_per_s, self._limits.events_burst)
        self._opening[sid] = Connection(ConnectionId(sid), namespace, principal, link, bucket)

    async def opened(self, sid: str) -> None:
        connection = self._opening.pop(sid)
        connection.link.push(event_frame("ready", self._ready(connection), namespace=connection.namespace))
        self._watch_expiry(connection)
        self._hub.add(connection)
        if connection.namespace == "/":
            await self._go_live(connection)

    async def received(self, sid: str, event: object, args: list[object], ack_id: int | None, size: int) -> None:
        connection = self._hub.connections.get(ConnectionId(sid))
        if connection is not None:
            await self._dispatch.handle(connection, event, args, ack_id, size)

    async def closed(self, sid: str, reason: str) -> None:
        self._opening.pop(sid, None)
        connection = self._hub.connections.get(ConnectionId(sid))
        if connection is None:
            return
        self._hub.remove(connection)
        if connection.expiry is not None:
            connection.expiry.cancel()
        self._roster.dropped(connection)
        if connection.namespace == "/":
            await self._services.presence.disconnected(connection.user_id, connection.id)

    async def renew(self, connection: Connection, token: str) -> datetime:
        """Put a new token of the same user in place of the one a connection has; return when it ends."""
        principal = await self._services.admission.admit(token)
        if principal.user_id != connection.user_id:
            raise HomeroomError(ErrorCode.AUTH_FORBIDDEN, "The token is of another user.")
        if principal.expires_at is None:
            raise HomeroomError(ErrorCode.AUTH_INVALID_TOKEN)
        connection.principal = principal
        self._watch_expiry(connection)
        return principal.expires_at

    def drain(self, window_s: float) -> list[tuple[float, Connection]]:
        """Refuse new connections and tell the live ones to go, spread over `window_s`; return when each should."""
        self.draining = True
        plan = []
        for connection in list(self._hub.connections.values()):
            delay_s = random.uniform(0, window_s)
            data = orjson.dumps({"reconnect_after_ms": round(delay_s * 1000)})
            connection.link.push(event_frame("server:draining", data, namespace=connection.namespace))
            plan.append((delay_s, connection))
        return sorted(plan, key=lambda item: item[0])

    async def _go_live(self, connection: Connection) -> None:
        reach = await self._rooms.reach(
            connection.user_id,
            live_limit=self._limits.live_rooms,
            max_members=self._limits.broadcast_members,
            small_limit=MAX_ROOMS,
        )
        excluded, connection.excluded = connection.excluded or frozenset(), None
        if connection.id not in self._hub.connections:
            return
        for topic in map(room_topic, reach.live):
            if topic not in excluded:
                self._hub.subscribe(connection, topic)
        await self._services.presence.connected(connection.user_id, connection.id, reach.small)

    def _ready(self, connection: Connection) -> bytes:
        return orjson.dumps(
            {
                "user": user_json(connection.principal.as_user()),
                "connection_id": connection.id,
                "server_time": to_wire(self._services.clock.now()),
                "limits": self._limits_json,
            }
        )

    def _watch_expiry(self, connection: Connection) -> None:
        if connection.expiry is not None:
            connection.expiry.cancel()
        left_s = self._seconds_left(connection.principal)
        if left_s is not None:
            notice_s = max(0.0, left_s - EXPIRY_NOTICE_S)
            connection.expiry = self._timers.call_later(notice_s, partial(self._notify_expiring, connection))

    def _notify_expiring(self, connection: Connection) -> None:
        principal = connection.principal
        left_s = self._seconds_left(principal)
        if left_s is None or principal.expires_at is None:
            return
        data = orjson.dumps({"expires_at": to_wire(principal.expires_at)})
        connection.link.push(event_frame("auth:expiring", data, namespace=connection.namespace))
        connection.expiry = self._timers.call_later(max(0.0, left_s), partial(connection.link.close, "token_expired"))

    def _seconds_left(self, principal: Principal) -> float | None:
        if principal.expires_at is None:
            return None
        return (to_ms(principal.expires_at) - to_ms(self._services.clock.now())) / 1000


def _token(auth: object, headers: Mapping[str, str]) -> str:
    token = auth.get("token") if isinstance(auth, dict) else None
    if token is None:
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        token = credential.strip() if scheme.lower() == "bearer" else None
    if not isinstance(token, str) or not token:
        raise HomeroomError(ErrorCode.AUTH_INVALID_TOKEN, "The handshake carries no token.")
    return token
