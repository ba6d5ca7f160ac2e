"""From a row of the table to an aiohttp handler: enter → validate → call → encode."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import TypeAdapter

from auth.policy import may_in_school
from auth.types import Principal
from core.errors import ErrorCode, HomeroomError, invalid
from realtime.contract.base import Id
from realtime.dispatch import validated
from realtime.http.gate import Gate
from realtime.http.idempotency import Replays, fingerprint, key_of
from realtime.http.route import Answer, Call, Edge, Route

PRINCIPAL = web.RequestKey("principal", Principal)
"""Who acts in this request, for its log line."""

BODY_TIMEOUT_S = 30.0
"""Time a client has to send a body, so that slow ones do not pile up."""

_JSON = "application/json"
_ID: TypeAdapter[str] = TypeAdapter(Id)

WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def endpoint(route: Route, edge: Edge, gate: Gate, replays: Replays) -> WebHandler:
    """Return the aiohttp handler of a route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await gate.enter(request, route.auth, counted=route.counted)
        if isinstance(caller, Principal):
            request[PRINCIPAL] = caller
            return await answer(request, caller)
        try:
            return await answer(request, caller)
        except HomeroomError as refusal:
            gate.count_refusal(request, refusal, counted=route.counted)
            raise

    async def answer(request: web.Request, caller: Principal | HomeroomError) -> web.Response:
        _check_allowed(route, caller)
        raw = await read_body(request) if route.body is not None else b""
        key = key_of(request) if route.idempotent else None

        async def run() -> web.Response:
            call = Call(edge, caller, _path(request), _query(route, request), _body(route, raw), key)
            return encode(route, await route.handler(call))

        if key is None or isinstance(caller, HomeroomError):
            return await run()
        return await replays.once(f"{caller.user_id} {route.name}", key, fingerprint(request, raw), run)

    return handle


def encode(route: Route, answer: Answer) -> web.Response:
    """Return the response of a handler's answer."""
    if isinstance(answer, web.Response):
        return answer
    headers = {"Cache-Control": "no-store"}
    if answer is None:
        return web.Response(status=204, headers=headers)
    return web.Response(status=route.status, body=orjson.dumps(answer), content_type=route.media, headers=headers)


async def read_body(request: web.Request) -> bytes:
    """Return the body of a JSON request. Raises `request.invalid`; aiohttp raises 413 past its `client_max_size`."""
    kind = request.headers.get("Content-Type", _JSON)
    if kind.partition(";")[0].strip().lower() != _JSON:
        raise invalid("Send JSON, with Content-Type: application/json.", "Content-Type")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except (HttpProcessingError, web.RequestPayloadError, ConnectionResetError) as exc:
        raise invalid("The body cannot be read.") from exc
    except TimeoutError as exc:
        raise invalid("The body took too long to arrive.") from exc


def _check_allowed(route: Route, caller: Principal | HomeroomError) -> None:
    if route.action is None:
        return
    if isinstance(caller, HomeroomError) or not may_in_school(caller.role, route.action):
        raise HomeroomError(ErrorCode.AUTH_FORBIDDEN)


def _path(request: web.Request) -> Mapping[str, str]:
    path = dict(request.match_info)
    for name, value in path.items():
        try:
            validated(_ID.validate_python, value)
        except HomeroomError as exc:
            raise invalid(exc.message, name) from exc
    return path


def _query(route: Route, request: web.Request) -> Any:
    if route.query is None:
        return None
    return validated(route.query.model_validate_strings, dict(request.query))


def _body(route: Route, raw: bytes) -> Any:
    if route.body is None:
        return None
    return validated(route.body_adapter.validate_json, raw, lambda: route.body_tags)
