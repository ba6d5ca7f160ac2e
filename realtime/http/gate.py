"""Who is asking, and may they ask again so soon?"""

import re

from aiohttp import web

from auth.limits import KeyedBuckets, rate_limited
from auth.types import Principal
from core.errors import ErrorCode, HomeroomError
from realtime.config import Limits
from realtime.engine.door import client_of
from realtime.engine.proxies import client_key
from realtime.http.route import Auth
from realtime.services import Services

_BEARER = re.compile(r"bearer +([\x21-\x7e]+) *", re.IGNORECASE)
_QUARTER_HOUR_S = 900


class Gate:
    """Authenticates and paces requests.

    A request that proves who sends it counts for that user. One that proves nobody counts for its address, and so does
    a refused refresh token. What a whole school behind one address sends in good faith, refreshes that work and tokens
    that have just expired, counts for the address too, but only as much as one user's requests.
    """

    def __init__(self, services: Services, limits: Limits) -> None:
        self._admission = services.admission
        self._clock = services.clock
        self._pace = KeyedBuckets(limits.http_per_minute / 60, limits.http_per_minute)
        anonymous = limits.http_anonymous_per_15_minutes
        self._strangers = KeyedBuckets(anonymous / _QUARTER_HOUR_S, anonymous)

    async def enter(self, request: web.Request, auth: Auth, *, counted: bool) -> Principal | HomeroomError:
        """Return who acts; where nobody has to be signed in, why nobody is. Raises `auth.*`, `rate.limited`."""
        try:
            principal = await self._authenticate(request, auth)
        except HomeroomError as refusal:
            if auth == "required":
                self.count_refusal(request, refusal, counted=counted)
                raise
            if counted:
                self._take(self._pace, f"address {address(request)}")
            return refusal
        if counted:
            self._take(self._pace, f"user {principal.user_id}")
        return principal

    def count_refusal(self, request: web.Request, refusal: HomeroomError, *, counted: bool) -> None:
        """Count a request that proved nobody. Raises `rate.limited` if its address sent too many."""
        if not counted or refusal.status >= 500:
            return
        if refusal.code is ErrorCode.AUTH_EXPIRED_TOKEN:
            self._take(self._pace, f"address {address(request)}")
        else:
            self._take(self._strangers, address(request))

    async def _authenticate(self, request: web.Request, auth: Auth) -> Principal:
        if auth == "none":
            raise HomeroomError(ErrorCode.AUTH_MISSING_TOKEN)
        return await self._admission.admit(bearer(request))

    def _take(self, buckets: KeyedBuckets, key: str) -> None:
        wait_s = buckets.take(key, self._clock.monotonic())
        if wait_s > 0:
            raise rate_limited(wait_s, "Too many requests. Wait a moment and try again.")


def bearer(request: web.Request) -> str:
    """Return the credential of the Authorization header (RFC 6750 §2.1)."""
    header = request.headers.get("Authorization")
    if header is None:
        raise HomeroomError(ErrorCode.AUTH_MISSING_TOKEN)
    match = _BEARER.fullmatch(header)
    if match is None:
        raise HomeroomError(ErrorCode.AUTH_INVALID_TOKEN, "The Authorization header must be: Bearer, a space, a token.")
    return match[1]


def address(request: web.Request) -> str:
    """Return what stands for one network client: its IPv4 address, or its IPv6 /64, which one client owns whole."""
    return client_key(client_of(request))
