"""Which web pages may talk to the engine. Browsers send Origin with every websocket; nothing else has to."""

from collections.abc import Iterable
from urllib.parse import urlsplit


class Origins:
    """Allows the server's own host, the listed origins, and clients that are no browser.

    `allowed` are origins such as `https://school.example`; `*` among them allows every page.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)
        self.any = "*" in self._allowed

    def permit(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of `origin` may connect to the server that it calls `host`."""
        if origin is None or self.any:
            return True
        origin = origin.lower()
        return origin in self._allowed or (host is not None and urlsplit(origin).netloc == host.lower())

    def headers(self, origin: str | None) -> dict[str, str]:
        """Return the headers that let a permitted page read an answer."""
        if self.any:
            return {"Access-Control-Allow-Origin": "*"}
        if origin is None:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
