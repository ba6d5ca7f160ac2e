"""The polling transport: what an Engine.IO session looks like through plain HTTP, on aiohttp."""

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Mapping
from functools import partial
from typing import Final

import orjson
from aiohttp import web

from realtime.engine.door import visit_of
from realtime.engine.frames import SEPARATOR
from realtime.engine.packets import Malformed
from realtime.engine.session import Session
from realtime.engine.sessions import Sessions

BODY_S: Final = 20.0
"""How long the body of a POST may take."""
_COMPRESSED: Final = 1024
"""Bytes from which compression pays."""
_KEPT: Final = ("authorization", "user-agent", "origin")
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "7200",
}

# Codes and words of the reference implementation, which clients print.
UNKNOWN_TRANSPORT: Final = (0, "Transport unknown")
UNKNOWN_SESSION: Final = (1, "Session ID unknown")
BAD_METHOD: Final = (2, "Bad handshake method")
BAD_REQUEST: Final = (3, "Bad request")
FORBIDDEN: Final = (4, "Forbidden")
UNSUPPORTED_VERSION: Final = (5, "Unsupported protocol version")

Problem = tuple[int, str]


def problem_body(problem: Problem) -> bytes:
    """Return a refusal as the protocol words it."""
    code, message = problem
    return orjson.dumps({"code": code, "message": message})


def query_problem(query: Mapping[str, str]) -> Problem | None:
    """Return what is wrong with the parameters of a request, if anything is."""
    if query.get("transport") not in {"polling", "websocket"}:
        return UNKNOWN_TRANSPORT
    if query.get("EIO") != "4":
        return UNSUPPORTED_VERSION
    return None


def kept(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a handshake that the application may want to see."""
    return {name: headers[name] for name in _KEPT if name in headers}


class Polling:
    """Handles requests to the path of the engine that are no websockets."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._origins = sessions.options.origins

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        headers = request.headers
        origin = headers.get("Origin")
        if not self._origins.permit(origin, headers.get("Host")):
            return web.Response(status=403, body=problem_body(FORBIDDEN), content_type="application/json")
        response = await self._answer(request)
        response.headers.extend(self._origins.headers(origin))
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=_PREFLIGHT)
        query = request.query
        if (problem := query_problem(query)) is not None:
            return _refused(problem)
        if query["transport"] != "polling" or request.method not in {"GET", "POST"}:
            return _refused(BAD_REQUEST)
        session_id = query.get("sid")
        if session_id is None:
            return self._open(request)
        session = self._sessions.find(session_id)
        if session is None:
            return _refused(UNKNOWN_SESSION)
        if session.on_websocket:
            return _refused(BAD_REQUEST)
        return await (self._poll(request, session) if request.method == "GET" else self._post(request, session))

    def _open(self, request: web.Request) -> web.Response:
        if request.method != "GET":
            return _refused(BAD_METHOD)
        session = self._sessions.open(kept({name.lower(): value for name, value in request.headers.items()}))
        self._sessions.application.opened(session)
        return _text(self._sessions.opening(session, upgrades=True).data)

    async def _poll(self, request: web.Request, session: Session) -> web.Response:
        if session.polled:  # two polls at one time would tear the order
            session.end("transport error")
            return _refused(BAD_REQUEST)
        if request.transport is None:  # the client is gone before it was heard
            session.lost("transport close")
        visit = visit_of(request)
        if visit is not None:
            visit.on_lost = partial(session.lost, "transport close")
        try:
            payload = await session.poll()
        finally:
            if visit is not None:
                visit.on_lost = None
        response = _text(payload)
        if len(payload) >= _COMPRESSED:
            response.enable_compression()
        return response

    async def _post(self, request: web.Request, session: Session) -> web.Response:
        if session.posting:  # two at one time have no order
            session.end("transport error")
            return _refused(BAD_REQUEST)
        session.posting = True
        try:
            return await self._receive(request, session)
        finally:
            session.posting = False

    async def _receive(self, request: web.Request, session: Session) -> web.Response:
        most = self._sessions.options.message_bytes
        if (request.content_length or 0) > most:
            return web.Response(status=413)
        body = await _read(request, most)
        if body is None:
            session.end("transport error")
            return _refused(BAD_REQUEST)
        if len(body) > most:
            return web.Response(status=413)
        _take(session, body)
        await _settled(session)
        return _refused(BAD_REQUEST) if session.broken else web.Response(text="ok")


async def _read(request: web.Request, most: int) -> bytes | None:
    """Return the body of a POST, or the first part of one that is longer than `most`; None if it cannot be read."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    break
    except (web.RequestPayloadError, ConnectionError, TimeoutError):
        return None
    return bytes(body)


def _take(session: Session, body: bytes) -> None:
    """Have a session receive the packets of a payload, up to the first that is none."""
    try:
        body.decode()
    except UnicodeDecodeError:
        session.failed(Malformed("a payload that is not UTF-8"))
        return
    for packet in body.split(SEPARATOR):
        if session.broken:
            return
        if packet[:1] != b"b":
            session.receive(packet)
            continue
        try:
            session.receive_binary(b64decode(packet[1:], validate=True))
        except binascii.Error:
            session.failed(Malformed("a binary packet that is not base64"))


async def _settled(session: Session) -> None:
    """Wait until what a session received has been handled."""
    if not session.settled:
        done = asyncio.Event()
        session.on_settled(done.set)
        await done.wait()


def _text(payload: bytes) -> web.Response:
    return web.Response(body=payload, content_type="text/plain", charset="UTF-8", headers={"Cache-Control": "no-store"})


def _refused(problem: Problem) -> web.Response:
    return web.Response(status=400, body=problem_body(problem), content_type="application/json")
