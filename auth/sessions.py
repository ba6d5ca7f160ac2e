"""Sign-ins: access tokens with rotating refresh tokens, and the one place that checks a credential."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from auth.errors import expired_token, invalid_token, reused_token
from auth.ports import RefreshStore, RefreshToken, UserStore
from auth.revocation import Revocations
from auth.service_keys import ServiceKeys
from auth.tokens import TokenMinter, TokenVerifier
from auth.types import Principal, User
from core.clock import Clock
from core.errors import HomeroomError
from core.ids import IdSource, UserId, uuid7

REFRESH_PREFIX: Final = "hrr_"
REFRESH_BYTES: Final = 32
ACCESS_TTL: Final = timedelta(minutes=15)
REFRESH_TTL: Final = timedelta(days=30)

_REFRESH_CHARS: Final = len(REFRESH_PREFIX) + 43
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a sign-in gives. Only the client keeps the tokens."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime


class Authenticator:
    """Checks what a client sends as its bearer: an access token or a service key."""

    def __init__(self, verifier: TokenVerifier, revocations: Revocations, service_keys: ServiceKeys) -> None:
        self._verifier = verifier
        self._revocations = revocations
        self._service_keys = service_keys

    async def authenticate(self, token: str) -> Principal:
        """Return who is acting. Raises as TokenVerifier.verify does, and `auth.invalid_token` for a revoked token."""
        principal = await self.identify(token)
        await self.check(principal)
        return principal

    async def identify(self, token: str) -> Principal:
        """Return whose token it is, before it is known whether it was revoked."""
        service = await self._service_keys.find(token)
        return service or await self._verifier.verify(token)

    async def check(self, principal: Principal) -> None:
        """Raise `auth.invalid_token` if the principal's token was revoked. A service key is not: it would be gone."""
        if principal.expires_at is None:
            return
        if is_void(principal.issued_at, await self._revocations.valid_after(principal.user_id)):
            raise invalid_token("it was revoked")


class Sessions:
    """Issues, renews and ends sign-ins. The tokens of one sign-in are a family, of which one refresh token is live."""

    def __init__(
        self,
        users: UserStore,
        refresh_tokens: RefreshStore,
        revocations: Revocations,
        minter: TokenMinter,
        clock: Clock,
        *,
        access_ttl: timedelta = ACCESS_TTL,
        refresh_ttl: timedelta = REFRESH_TTL,
        ids: IdSource = uuid7,
    ) -> None:
        self._users = users
        self._refresh_tokens = refresh_tokens
        self._revocations = revocations
        self._minter = minter
        self._clock = clock
        self._access_ttl = access_ttl
        self._refresh_ttl = refresh_ttl
        self._ids = ids

    async def issue(self, user: User) -> TokenPair:
        """Begin a sign-in."""
        secret, at_rest = self._new_refresh_token(self._ids(), user.id, self._clock.now())
        valid_after = await self._revocations.read(user.id)
        # Minted first: a user that no token can carry must leave nothing in the store.
        pair = self._pair(user, valid_after, secret, at_rest)
        await self._refresh_tokens.add(at_rest)
        return pair

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Trade a refresh token for a new pair, with the user's name and role as they are now.

        A refresh token works once: a second use ends the sign-in, as one of the two users of it is a thief (RFC 9700
        §4.14.2). Raises `auth.reused_token`, `auth.expired_token`, or `auth.invalid_token`.
        """
        started = self._clock.now()
        secret, at_rest = self._new_refresh_token("", UserId(""), started)
        rotation = await self._refresh_tokens.rotate(_digest(refresh_token), at_rest, now=started)
        if rotation.outcome != "ok" or rotation.user_id is None:
            raise _refusal(rotation.outcome)
        user = await self._users.get(rotation.user_id)
        valid_after = await self._revocations.read(rotation.user_id)
        if user is None or _voided_since(started, valid_after):
            await self._refresh_tokens.revoke_family(at_rest.token_hash)
            raise invalid_token("its sign-in was ended")
        return self._pair(user, valid_after, secret, at_rest)

    async def revoke(self, refresh_token: str) -> UserId | None:
        """End one sign-in; return its user, or None if there is no such token. Idempotent.

        Its last access token lives on until it expires; only `revoke_user` ends those.
        """
        return await self._refresh_tokens.revoke_family(_digest(refresh_token))

    async def revoke_user(self, user_id: UserId) -> datetime:
        """End every sign-in of a user and void all tokens issued so far, outside issuers' as well.

        Returns the instant from which new tokens count. The caller closes live connections, and announces the instant
        to other processes, which call Revocations.learn.
        """
        # Families first: a refresh that still gets through has begun before the instant, so what it mints is void.
        await self._refresh_tokens.revoke_user(user_id)
        return await self._revocations.void(user_id)

    async def void_access(self, user_id: UserId) -> datetime:
        """Void a user's access tokens and leave the sign-ins, so that clients refresh and get today's name and role.

        For a change of role: an older token would speak for the old one until it expires. Returns as `revoke_user`.
        """
        return await self._revocations.void(user_id)

    def _new_refresh_token(self, family_id: str, user_id: UserId, now: datetime) -> tuple[str, RefreshToken]:
        secret = REFRESH_PREFIX + secrets.token_urlsafe(REFRESH_BYTES)
        return secret, RefreshToken(_digest(secret), family_id, user_id, now, now + self._refresh_ttl)

    def _pair(self, user: User, valid_after: datetime | None, secret: str, at_rest: RefreshToken) -> TokenPair:
        access_token, expires_at = self._minter.mint(
            user, self._access_ttl, valid_after=valid_after, now=at_rest.created_at
        )
        return TokenPair(access_token, expires_at, secret, at_rest.expires_at)


def is_void(issued_at: datetime | None, valid_after: datetime | None) -> bool:
    """Return whether a revocation at `valid_after` voids a token of `issued_at`; without `iat` any does."""
    return valid_after is not None and (issued_at is None or issued_at < valid_after)


def _voided_since(started: datetime, valid_after: datetime | None) -> bool:
    # Revocations.void sets one millisecond past its own time, so one just before `started` may lie after it.
    return valid_after is not None and valid_after > started + _MILLISECOND


def _refusal(outcome: str) -> HomeroomError:
    if outcome == "reused":
        return reused_token()
    return expired_token() if outcome == "expired" else invalid_token("there is no such sign-in")


def _digest(refresh_token: str) -> bytes:
    """Return the SHA-256 of a refresh token. Raises `auth.invalid_token` for text that cannot be one."""
    shaped = refresh_token.startswith(REFRESH_PREFIX) and len(refresh_token) == _REFRESH_CHARS
    if not shaped or not refresh_token.isascii():
        raise invalid_token("it is not a refresh token")
    return hashlib.sha256(refresh_token.encode()).digest()
