"""The keys of one outside issuer, fetched from its JWK set and cached (RFC 7517)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from auth.errors import invalid_token, keys_unavailable
from auth.jose import VerifyKey, find_key, read_jwks
from core.clock import Clock
from core.errors import HomeroomError

FetchJson = Callable[[str], Awaitable[object]]
"""Gets a URL and parses the JSON there; raises for anything else.

Must follow no redirects, and must bound both time (a few seconds) and size (256 KiB is ample).
"""

TTL_S: Final = 600.0
MAX_STALE_S: Final = 24 * 3600.0
UNKNOWN_KID_GAP_S: Final = 60.0
FAILURE_GAP_S: Final = 5.0

log = logging.getLogger("homeroom.auth")


class Jwks:
    """Keys of one issuer. Concurrent callers share one fetch.

    Keys are refetched after ten minutes. When that fails they stay in use for a day, and the fetch is tried again once
    a minute. A `kid` that is not among them causes a fetch at most once a minute, so a storm of made-up ones costs
    the issuer nothing.
    """

    def __init__(self, url: str, fetch: FetchJson, clock: Clock) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[VerifyKey, ...] = ()
        self._fetched_at = float("-inf")
        self._failed_at = float("-inf")
        self._unknown_at = float("-inf")
        self._flight: asyncio.Task[None] | None = None

    async def key(self, kid: str | None, alg: str) -> VerifyKey:
        """Return the key that a token names.

        Raises `auth.invalid_token` if the issuer has no such key, and the retryable `server.unavailable` if its keys
        cannot be fetched.
        """
        stale = self._age() >= TTL_S
        if stale:
            await self._renew()
        found = find_key(self._keys, kid, alg)
        if found is None and not stale and self._may_ask_again():
            self._unknown_at = self._clock.monotonic()
            await self._refetch()
            found = find_key(self._keys, kid, alg)
        if found is None:
            raise self._no_such_key()
        return found

    async def aclose(self) -> None:
        """Cancel a fetch under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait([self._flight])

    async def _renew(self) -> None:
        usable = self._age() < MAX_STALE_S
        gap = UNKNOWN_KID_GAP_S if usable else FAILURE_GAP_S
        if self._flight is not None or self._since(self._failed_at) >= gap:
            await self._refetch()
        if self._age() >= MAX_STALE_S:
            raise keys_unavailable(FAILURE_GAP_S)

    def _may_ask_again(self) -> bool:
        return self._flight is not None or self._since(self._unknown_at) >= UNKNOWN_KID_GAP_S

    def _no_such_key(self) -> HomeroomError:
        # The key may be new, and we could not look: the person must not be signed out for that.
        if self._failed_at > float("-inf"):
            return keys_unavailable(UNKNOWN_KID_GAP_S)
        return invalid_token("its issuer has no such key")

    async def _refetch(self) -> None:
        if self._flight is None:
            self._flight = asyncio.create_task(self._load(), name="jwks")
            self._flight.add_done_callback(self._landed)
        # Shielded: the others who wait for this fetch must not lose it when one of them is cancelled.
        await asyncio.shield(self._flight)

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._flight = None

    async def _load(self) -> None:
        try:
            keys = read_jwks(await self._fetch(self._url))
        except Exception as exc:
            self._fail(type(exc).__name__)
            return
        if not keys:
            self._fail("no usable key in the document")
            return
        self._keys = keys
        self._fetched_at = self._clock.monotonic()
        self._failed_at = float("-inf")

    def _fail(self, reason: str) -> None:
        self._failed_at = self._clock.monotonic()
        log.warning("jwks fetch failed: url=%s reason=%s", self._url, reason)

    def _age(self) -> float:
        return self._since(self._fetched_at)

    def _since(self, instant: float) -> float:
        return self._clock.monotonic() - instant
