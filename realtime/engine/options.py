"""What an engine and its door are told at their making."""

from dataclasses import dataclass, field

from auth.errors import SettingRefused
from realtime.engine.origins import Origins
from realtime.engine.proxies import Proxies


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """All of it. Times are in seconds, sizes in bytes."""

    path: str = "/socket.io/"
    ping_interval_s: float = 25.0
    ping_timeout_s: float = 20.0
    connect_timeout_s: float = 10.0
    """How long a connection may be on no namespace: at first, and after it left the last one."""
    message_bytes: int = 131_072
    """The largest message, or polling payload, that is taken."""
    advertised_bytes: int = 65_536
    """The largest payload that clients are asked to send."""
    queue_bytes: int = 1_048_576
    queue_frames: int = 1000
    """What may wait for a client that does not read, before it is cut."""
    origins: Origins = field(default_factory=lambda: Origins(()))


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRules:
    """Who may come in. For counts 0 is no limit. Raises auth.errors.SettingRefused for what would let nobody in."""

    proxies: Proxies = field(default_factory=lambda: Proxies(""))
    proxy_protocol: bool = False
    """Whether connections begin with a header of the PROXY protocol, and so come from a trusted proxy only."""
    connections: int = 0
    connections_per_address: int = 0
    head_timeout_s: float = 10.0
    """Time for a head to arrive: from the start of the connection, and later from its first byte."""
    stall_timeout_s: float = 30.0
    """Time for which a client may read nothing at all of an answer. Websockets have pings instead."""

    def __post_init__(self) -> None:
        if self.proxy_protocol and not self.proxies:
            raise SettingRefused("HOMEROOM_PROXY_PROTOCOL: name the proxy that sends it in HOMEROOM_TRUSTED_PROXIES.")
