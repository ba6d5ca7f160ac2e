"""Idempotency-Key: a POST that is sent twice is done once (draft-ietf-httpapi-idempotency-key-header)."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from aiohttp import web

from core.clock import Clock
from core.errors import ErrorCode, HomeroomError, invalid

HEADER: Final = "Idempotency-Key"
REPLAY_HEADER: Final = "Idempotent-Replay"
KEPT_FOR: Final = timedelta(hours=24)

_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")


class IdempotencyStore(Protocol):
    """Answers that were already given."""

    async def get(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
        """Return the hash of the request and the response that were put, or None if there is none or it expired."""
        ...

    async def put(self, scope: str, key: str, request_hash: bytes, response: bytes, expires_at: datetime) -> bool:
        """Keep a response until it expires. If the key is taken, keep what is there and return False. Atomic."""
        ...


def key_of(request: web.Request) -> str | None:
    """Return the key of a request, if it has one. Raises `request.invalid`."""
    key = request.headers.get(HEADER)
    if key is not None and _KEY.fullmatch(key) is None:
        raise invalid(f"An {HEADER} is 1 to 128 visible ASCII characters.", HEADER)
    return key


def fingerprint(request: web.Request, body: bytes) -> bytes:
    """Return what two requests with one key must have in common: method, target and body."""
    head = f"{request.method} {request.rel_url.raw_path_qs}\n".encode()
    return hashlib.sha256(head + body).digest()


@dataclass(slots=True)
class _Flight:
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Replays:
    """Runs a request once per key, and gives its answer again to whoever repeats it within 24 hours.

    Only successes are kept: a refused request changed nothing and may be tried again. Of concurrent requests with one
    key, those on this process wait for the first.
    """

    def __init__(self, store: IdempotencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._flights: dict[tuple[str, str], _Flight] = {}
        self._log = structlog.get_logger("realtime.http")

    async def once(
        self, scope: str, key: str, request_hash: bytes, run: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        """Return the kept answer, or that of `run`. Raises `request.conflict` if the key had another request."""
        async with self._alone((scope, key)):
            kept = await self._store.get(scope, key)
            if kept is not None:
                return _replay(kept, request_hash)
            response = await run()
            if response.status < 300:
                await self._keep(scope, key, request_hash, response)
            return response

    async def _keep(self, scope: str, key: str, request_hash: bytes, response: web.Response) -> None:
        body = response.body if isinstance(response.body, bytes) else b""
        packed = response.status.to_bytes(2, "big") + body
        try:
            await self._store.put(scope, key, request_hash, packed, self._clock.now() + KEPT_FOR)
        except HomeroomError as exc:
            # The request is done, and its client should hear so; only a replay is lost.
            self._log.warning("answer not kept", code=str(exc.code))

    @asynccontextmanager
    async def _alone(self, name: tuple[str, str]) -> AsyncIterator[None]:
        flight = self._flights.setdefault(name, _Flight())
        flight.waiting += 1
        try:
            async with flight.lock:
                yield
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                del self._flights[name]


def _replay(kept: tuple[bytes, bytes], request_hash: bytes) -> web.Response:
    kept_hash, packed = kept
    if kept_hash != request_hash:
        raise HomeroomError(ErrorCode.REQUEST_CONFLICT)
    status, body = int.from_bytes(packed[:2], "big"), packed[2:]
    headers = {REPLAY_HEADER: "true", "Cache-Control": "no-store"}
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)
