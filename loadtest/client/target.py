"""The server under load, and over which transport people come."""

from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import SplitResult, urlsplit

Transport = Literal["websocket", "polling", "upgrade", "mixed"]
"""`upgrade`: polling first, then over to a websocket, as the official clients do. `mixed`: every second one so, the
others by websocket from the start."""
PATH = "/socket.io/"
DEFAULT_PORTS = {"http": 80, "https": 443}


class BadTarget(ValueError):
    """The text is not the address of a server; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server. `url` is http(s)://host[:port], without a slash at the end."""

    url: str
    transport: Transport = "websocket"
    connect_timeout_s: float = 30.0
    """For the whole of it: TCP, TLS, and the Engine.IO and Socket.IO handshakes."""

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        """The name or the IP address, without brackets."""
        return self._parts.hostname or ""

    @property
    def port(self) -> int:
        """The port, said or implied."""
        return self._parts.port or DEFAULT_PORTS[self._parts.scheme]

    @property
    def secure(self) -> bool:
        """Whether the server is reached over TLS."""
        return self._parts.scheme == "https"

    @property
    def websocket_url(self) -> str:
        """Where a websocket connection begins."""
        return f"ws{self.url.removeprefix('http')}{PATH}?EIO=4&transport=websocket"

    @property
    def polling_url(self) -> str:
        """Where a polling connection begins."""
        return f"{self.url}{PATH}?EIO=4&transport=polling"


def parse_target(url: str, transport: str = "websocket") -> Target:
    """Return the target that a person means. Raises BadTarget."""
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError as exc:
        raise BadTarget(f"{url!r} is not the address of a server: {exc}") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise BadTarget(f"{url!r} is not the address of a server: it should look like http://127.0.0.1:8080")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise BadTarget(f"{url!r} says more than a server: leave out everything but {parts.scheme}://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    for known in get_args(Transport):
        if transport == known:
            return Target(f"{parts.scheme}://{host}{port}", known)
    raise BadTarget(f"{transport!r} is not a transport: {' or '.join(get_args(Transport))}")
