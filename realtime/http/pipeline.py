"""What happens around every request: trace id, refusals as problems, cross-origin rules, log line, measurement."""

import re
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Histogram
from structlog.contextvars import bound_contextvars

from core.errors import HomeroomError
from core.ids import IdSource
from realtime.http.endpoint import PRINCIPAL
from realtime.http.headers import Cors
from realtime.http.problems import from_router, internal, problem

TRACE_HEADER: Final = "X-Request-Id"
TRACE_ID: Final = web.RequestKey("trace_id", str)
ANSWERED_BY: Final = web.RequestKey("answered_by", str)
LIVE_PREFIX: Final = "/socket.io"
"""Where the Socket.IO engine answers by its own rules."""

_TRACE: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

Fallback = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""Answers requests that no route takes, or None."""

_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_live(request: web.Request) -> bool:
    """Whether the request belongs to the Socket.IO engine."""
    path = request.rel_url.raw_path
    return path == LIVE_PREFIX or path.startswith(f"{LIVE_PREFIX}/")


class Pipeline:
    """The only middleware."""

    def __init__(self, registry: CollectorRegistry, cors: Cors, fallback: Fallback, new_id: IdSource) -> None:
        self._cors = cors
        self._fallback = fallback
        self._new_id = new_id
        self._log = structlog.get_logger("realtime.http")
        self._seconds = Histogram(
            "homeroom_http_request_seconds",
            "Time to answer an HTTP request.",
            ["route", "method", "status"],
            registry=registry,
            buckets=_BUCKETS,
        )

    @web.middleware
    async def around(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        """Answer a request; never raises but for a cancellation."""
        if is_live(request):
            return await handler(request)
        started = time.perf_counter()
        request[TRACE_ID] = trace_id = self._trace_id(request)
        with bound_contextvars(trace_id=trace_id):
            response = await self._answer(request, handler)
            self._record(request, response.status, time.perf_counter() - started)
        return response

    async def _answer(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        try:
            return self._cors.preflight(request) or await self._route(request, handler)
        except HomeroomError as exc:
            return problem(exc)
        except Exception:
            self._log.exception("request failed", route=route_of(request))
            trace_id = request[TRACE_ID]
            return problem(internal(trace_id), trace_id=trace_id)

    async def _route(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as exc:
            return await self._unrouted(request, exc)

    async def _unrouted(self, request: web.Request, exc: web.HTTPException) -> web.StreamResponse:
        if isinstance(exc, web.HTTPNotFound) and (found := await self._fallback(request)) is not None:
            request[ANSWERED_BY] = "web"
            return found
        response = problem(from_router(exc))
        if "Allow" in exc.headers:
            response.headers["Allow"] = exc.headers["Allow"]
        return response

    def _trace_id(self, request: web.Request) -> str:
        given = request.headers.get(TRACE_HEADER, "")
        return given if _TRACE.fullmatch(given) else self._new_id()

    def _record(self, request: web.Request, status: int, seconds: float) -> None:
        route = route_of(request)
        method = request.method if request.method in _METHODS else "other"
        self._seconds.labels(route, method, str(status)).observe(seconds)
        principal = request.get(PRINCIPAL)
        user = principal.user_id if principal else None
        ms = round(seconds * 1000, 2)
        self._log.info("request", method=method, route=route, status=status, ms=ms, user=user)


def route_of(request: web.Request) -> str:
    """Return the template of the route that takes the request, so that there are few; `web` is the web app."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else request.get(ANSWERED_BY, "other")
