"""How the faulty server turns people away: everything that can go wrong before a connection is there."""

import asyncio

import orjson
from aiohttp import web

from tests.support.faulty_plan import Obstacle

PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
DRIP_S = 0.05
RETRY_AFTER_MS = 120
WRONG_UPGRADE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: bm90IHRoZSBrZXkgYXQgYWxsIQ==\r\n\r\n"
)


def problem(status: int, code: str, **headers: str) -> web.Response:
    """Return problem details."""
    body = orjson.dumps({"title": code, "status": status, "code": code, "retryable": True})
    return web.Response(status=status, body=body, content_type="application/problem+json", headers=headers)


def bad_gateway() -> web.Response:
    """Return what a proxy says when nobody is behind it."""
    return web.Response(status=502, text=PAGE, content_type="text/html")


def refusal(obstacle: Obstacle | None) -> dict[str, object] | None:
    """Return what `connect_error` carries."""
    if obstacle is Obstacle.OVERLOADED:
        data = {"code": "server.overloaded", "retry_after_ms": RETRY_AFTER_MS}
        return {"message": "The server is full.", "data": data}
    if obstacle is Obstacle.FORBIDDEN:
        return {"message": "Not here.", "data": {"code": "auth.forbidden"}}
    return None


async def obstruct(request: web.Request, obstacle: Obstacle, over: asyncio.Event) -> web.StreamResponse | None:
    """Answer a handshake wrongly, or not at all; None if it may go on for now."""
    transport = request.transport
    assert isinstance(transport, asyncio.Transport)
    if obstacle is Obstacle.BAD_GATEWAY:
        return bad_gateway()
    if obstacle is Obstacle.TOO_MANY:
        return problem(429, "rate.limited", **{"Retry-After": "1"})
    if obstacle is Obstacle.CLOSE:
        transport.abort()
    elif obstacle is Obstacle.NOT_HTTP:
        transport.write(b"220 mail.example ESMTP\r\n\r\n")
        transport.close()
    elif obstacle is Obstacle.WRONG_ACCEPT:
        transport.write(WRONG_UPGRADE)
        await over.wait()
    elif obstacle is Obstacle.STALL:
        await over.wait()
    elif obstacle is Obstacle.DRIP:
        await drip(transport, over)
    else:
        return None
    return web.Response(status=503)  # to a connection that is gone


async def drip(transport: asyncio.Transport, over: asyncio.Event) -> None:
    """Send a header byte by byte, for ever."""
    transport.write(b"HTTP/1.1 101 Switching Protocols\r\nX-Drip: ")
    while not transport.is_closing() and not over.is_set():
        transport.write(b"x")
        await asyncio.sleep(DRIP_S)
