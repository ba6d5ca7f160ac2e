"""How a websocket begins: its request is judged, and its session found or made."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qsl

from realtime.engine.answers import Refusal
from realtime.engine.head import Head
from realtime.engine.polling import (
    BAD_REQUEST,
    FORBIDDEN,
    UNKNOWN_SESSION,
    Problem,
    kept,
    problem_body,
    query_problem,
)
from realtime.engine.sessions import Sessions
from realtime.engine.websocket import Websocket, serve_websocket


class Upgrades:
    """The `Upgrade` of a path: takes websockets over from the door."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def take(
        self, head: Head, address: str, transport: asyncio.Transport, rest: bytes, closed: Callable[[], None]
    ) -> Refusal | None:
        """Have a connection carry a session from now on, or say why not. `closed` is called at its end.

        The door has seen to it that the request is a sound websocket handshake.
        """
        query = dict(parse_qsl(head.target.partition("?")[2], keep_blank_values=True))
        refusal = self._refusal(head, query)
        if refusal is not None:
            return refusal
        websocket = self._websocket(head, query.get("sid"), closed)
        if websocket is None:
            return _refused(UNKNOWN_SESSION)
        most = self._sessions.options.message_bytes
        serve_websocket(websocket, head.headers["sec-websocket-key"], transport, rest, most)
        return None

    def _refusal(self, head: Head, query: dict[str, str]) -> Refusal | None:
        headers = head.headers
        if not self._sessions.options.origins.permit(headers.get("origin"), headers.get("host")):
            return _refused(FORBIDDEN, HTTPStatus.FORBIDDEN)
        problem = query_problem(query)
        if problem is None and query["transport"] != "websocket":
            problem = BAD_REQUEST
        return None if problem is None else _refused(problem)

    def _websocket(self, head: Head, session_id: str | None, closed: Callable[[], None]) -> Websocket | None:
        sessions = self._sessions
        if session_id is None:
            session = sessions.open(kept(head.headers))
            sessions.application.opened(session)
            return Websocket(sessions, session, closed)
        found = sessions.find(session_id)
        if found is None:
            return None
        websocket = Websocket(sessions, None, closed)
        if not found.on_websocket and found.probe is None:
            websocket.probe(found)
        return websocket  # else only to be closed: the session has its websocket already


def _refused(problem: Problem, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Refusal:
    return Refusal(status, problem_body(problem))
