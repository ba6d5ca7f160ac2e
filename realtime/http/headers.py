"""Headers that every response carries, and who may call from another origin."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"
"""The content security policy of answers that are not pages."""

_EXPOSED: Final = "Retry-After, X-Request-Id, Idempotent-Replay"
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, X-Request-Id",
    "Access-Control-Max-Age": "7200",
}

Prepare = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


class Cors:
    """Which other origins may read answers. No cookies are used, so none are allowed along."""

    def __init__(self, origins: str) -> None:
        self._origins = frozenset(origin.strip().rstrip("/") for origin in origins.split(",") if origin.strip())

    def headers(self, request: web.Request) -> dict[str, str]:
        """Return the headers that let the request's origin read the answer; none if it may not."""
        origin = request.headers.get("Origin", "")
        if not self._origins:
            return {}
        if "*" in self._origins:
            return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _EXPOSED}
        if origin not in self._origins:
            return {"Vary": "Origin"}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED, "Vary": "Origin"}

    def preflight(self, request: web.Request) -> web.Response | None:
        """Return the answer to a preflight of an allowed origin, else None."""
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if not asks or "Access-Control-Allow-Origin" not in self.headers(request):
            return None
        return web.Response(status=204, headers=_PREFLIGHT)


def app_policy(public_url: str | None) -> str:
    """Return the content security policy of the web app: its own scripts only, and its own server.

    `'self'` covers web sockets in current browsers; older Safari needs the address spelt out. Styles may be inline
    because formulas are set with style attributes.
    """
    connect = ["'self'", *_socket_origin(public_url)]
    directives = {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "https:", "data:", "blob:"],
        "media-src": ["'self'", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": connect,
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def page_policy(*, script_hash: str, style_hash: str) -> str:
    """Return the policy of a self-contained page: the script and the style of these SHA-256, and nothing else."""
    return (
        f"default-src 'none'; script-src 'sha256-{script_hash}'; style-src 'sha256-{style_hash}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def secured(
    cors: Cors, *, public_url: str | None, trace_header: str, trace_of: Callable[[web.Request], str | None]
) -> Prepare:
    """Return the signal that puts the common headers on each response, just before it is sent."""
    common = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}
    if public_url is not None and urlsplit(public_url).scheme == "https":
        common["Strict-Transport-Security"] = "max-age=31536000"

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.popall("Server", None)  # versions are nobody's business
        trace_id = trace_of(request)
        if trace_id is None:
            return
        response.headers.update(common)
        response.headers.setdefault("Content-Security-Policy", NOTHING)
        response.headers[trace_header] = trace_id
        response.headers.extend(cors.headers(request))  # a second Vary adds to the first

    return prepare


def _socket_origin(public_url: str | None) -> list[str]:
    if public_url is None:
        return []
    parts = urlsplit(public_url)
    return [f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"]
