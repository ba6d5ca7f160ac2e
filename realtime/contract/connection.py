"""Events about the connection itself."""

from pydantic import Field

from realtime.contract.base import Instant, Payload, Wire
from realtime.contract.objects import User


class AuthRefresh(Payload):
    """Give a live connection a new access token of the same user."""

    token: str = Field(min_length=1, max_length=8192)


class AuthRefreshAck(Wire):
    """When the new token ends."""

    expires_at: Instant


class LimitsOut(Wire):
    """The limits that this server holds clients to."""

    body_chars: int
    frame_bytes: int
    history_page: int
    events_per_s: float
    events_burst: int
    messages_per_s: float
    messages_burst: int
    typing_interval_ms: int
    typing_ttl_ms: int
    connections_per_user: int
    broadcast_members: int
    watched_users: int


class Ready(Wire):
    """The first event after connect."""

    user: User
    connection_id: str
    server_time: Instant
    limits: LimitsOut


class AuthExpiring(Wire):
    """The access token ends soon; past it the connection is closed."""

    expires_at: Instant


class SyncRequired(Wire):
    """Live delivery may have a hole: call `room:sync` for this room, or for all if it is not named."""

    room_id: str | None = None


class ServerDraining(Wire):
    """This node is going away; come back after the delay, which is spread per client."""

    reconnect_after_ms: int


class ConnectRefused(Wire):
    """`data` of `connect_error`."""

    code: str
    retry_after_ms: int | None = None
