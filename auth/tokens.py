"""Access tokens: minted here, and verified whether they are ours or a trusted issuer's (RFC 7519, 8725, 9068)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from auth.claims import ROLE_WORDS, ClaimRules, is_subject, read_profile, read_subject
from auth.errors import expired_token, invalid_token
from auth.issuers import DEFAULT_LEEWAY_S, LOCAL_ISSUER, Issuer
from auth.jose import UnverifiedToken, VerifyKey, parse_token, verify_signature
from auth.jwks import FetchJson, Jwks
from auth.keys import SigningKey
from auth.types import Principal, Role, User
from auth.verified import Verified, VerifiedTokens
from core.clock import Clock, from_ms, to_ms
from core.errors import invalid
from core.ids import IdSource, UserId, uuid7

LOCAL_AUDIENCE: Final = "homeroom"
ACCESS_TYPE: Final = "at+jwt"
SERVICE_SUBJECT: Final = "service"
LOCAL_RULES: Final = ClaimRules(role_claims=("role",), role_words={**ROLE_WORDS, "service": Role.SERVICE})

_ACCESS_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31, the end of datetime


class TokenMinter:
    """Makes access tokens signed with this school's own key."""

    def __init__(self, key: SigningKey, clock: Clock, ids: IdSource = uuid7) -> None:
        self._key = key
        self._clock = clock
        self._ids = ids

    def mint(
        self, user: User, ttl: timedelta, *, valid_after: datetime | None = None, now: datetime | None = None
    ) -> tuple[str, datetime]:
        """Return a token for `user` and the instant it expires, a whole second.

        `valid_after` is the user's last revocation: the token is issued no earlier, so it outlives that revocation.
        `now` is for callers who read `valid_after` over an await: the instant before it.
        `iat` has milliseconds (RFC 7519 §2 allows fractions), so that a revocation parts the tokens of one second.
        Raises `request.invalid` for a user id that no token can carry, or a `ttl` under a second.
        """
        if not is_subject(user.id):
            raise invalid("A user id is 1 to 128 characters without control characters.", "user_id")
        if ttl < timedelta(seconds=1):
            raise invalid("A token must live for at least a second.", "ttl")
        begun = now or self._clock.now()
        issued_at = max(begun, valid_after or begun)
        expires_at = (issued_at + ttl).replace(microsecond=0)
        claims = _claims(user, issued_at, expires_at, self._ids())
        return self._key.sign(claims, typ=ACCESS_TYPE), expires_at


class TokenVerifier:
    """Turns an access token into a principal, or refuses it. Says nothing about revocation: see Authenticator.

    A token that was good before is not parsed and verified again while its key is in use and its time has not come.
    """

    def __init__(self, key: SigningKey, issuers: Iterable[Issuer], fetch: FetchJson, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._issuers = {issuer.issuer: _Trusted(issuer, Jwks(issuer.jwks_url, fetch, clock)) for issuer in issuers}
        self._verified = VerifiedTokens()

    async def verify(self, token: str) -> Principal:
        """Return who `token` speaks for.

        Raises `auth.invalid_token`, `auth.expired_token`, `auth.forbidden` (no role in this school), or
        `server.unavailable` (the issuer's keys cannot be fetched).
        """
        known = self._verified.find(token)
        if known is None or known.key is not await self._current_key(known):
            known = await self._verify(parse_token(token))
            self._verified.keep(token, known)
        ends = known.principal.expires_at
        if ends is not None and ends <= self._clock.now():
            self._verified.drop(token)
            raise expired_token()
        return known.principal

    async def aclose(self) -> None:
        """Cancel what is being fetched."""
        for trusted in self._issuers.values():
            await trusted.jwks.aclose()

    async def _current_key(self, known: Verified) -> VerifyKey:
        """Return the key that would verify a token now; another object once its issuer's keys were fetched anew."""
        if known.issuer is None:
            return self._key.verify_key
        return await self._issuers[known.issuer].jwks.key(known.kid, known.alg)

    async def _verify(self, token: UnverifiedToken) -> Verified:
        if _is_local(token, self._key):
            return Verified(self._verify_local(token), self._key.verify_key, token.alg, token.kid, None)
        name = token.claims.get("iss")
        trusted = self._issuers.get(name) if isinstance(name, str) else None
        if trusted is None:
            raise invalid_token("its issuer is not trusted here")
        issuer = trusted.issuer
        if token.alg not in issuer.algorithms:
            raise invalid_token("its algorithm is not allowed for its issuer")
        key = await trusted.jwks.key(token.kid, token.alg)
        return Verified(self._verify_outside(token, issuer, key), key, token.alg, token.kid, issuer.issuer)

    def _verify_local(self, token: UnverifiedToken) -> Principal:
        _check_local(token, self._key.verify_key)
        _check_type(token.typ)
        return _principal(token.claims, LOCAL_RULES, self._clock.now(), DEFAULT_LEEWAY_S)

    def _verify_outside(self, token: UnverifiedToken, issuer: Issuer, key: VerifyKey) -> Principal:
        verify_signature(token, key)
        _check_type(token.typ)
        _check_audience(token.claims, issuer.audience)
        principal = _principal(token.claims, issuer.rules, self._clock.now(), issuer.leeway_s, outside=True)
        # These ids stand for service keys.
        if principal.user_id.partition(":")[0] == SERVICE_SUBJECT and principal.role is not Role.SERVICE:
            raise invalid_token("its sub is reserved")
        return principal


@dataclass(frozen=True, slots=True)
class _Trusted:
    issuer: Issuer
    jwks: Jwks


def _claims(user: User, issued_at: datetime, expires_at: datetime, token_id: str) -> dict[str, object]:
    claims: dict[str, object | None] = {
        "iss": LOCAL_ISSUER,
        "aud": LOCAL_AUDIENCE,
        "sub": user.id,
        "name": user.name,
        "role": str(user.role),
        "avatar_url": user.avatar_url,
        "tz": user.tz,
        "locale": user.locale,
        "iat": to_ms(issued_at) / 1000,
        "exp": to_ms(expires_at) // 1000,
        "jti": token_id,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _is_local(token: UnverifiedToken, key: SigningKey) -> bool:
    # A backend that shares the secret need not name an issuer: only it and we can have signed.
    return token.claims.get("iss") == LOCAL_ISSUER or ("iss" not in token.claims and key.alg == "HS256")


def _check_local(token: UnverifiedToken, key: VerifyKey) -> None:
    """Check a local token's key and purpose. With a shared secret, `typ` and `aud` may be missing, but not differ."""
    if token.kid is not None and token.kid != key.kid:
        raise invalid_token("this server has no such key")
    verify_signature(token, key)
    shared = "HS256" in key.algorithms
    if "aud" in token.claims or not shared:
        _check_audience(token.claims, (LOCAL_AUDIENCE,))
    if not shared and token.typ != ACCESS_TYPE:
        raise invalid_token("it is not an access token")


def _check_type(typ: str | None) -> None:
    # RFC 8725 §3.11: a logout token or another kind of JWT from the same issuer is not an access token.
    if typ is not None and typ.lower() not in _ACCESS_TYPES:
        raise invalid_token("it is not an access token")


def _check_audience(claims: Mapping[str, object], wanted: tuple[str, ...]) -> None:
    """Check `aud`; a token without one is judged by the client it was issued to (Cognito's and Clerk's way)."""
    if not wanted:
        return
    named = next((claims[name] for name in ("aud", "client_id", "azp") if name in claims), None)
    values = named if isinstance(named, list) else [named]
    if not any(value in wanted for value in values if isinstance(value, str)):
        raise invalid_token("it was issued for another audience")


def _principal(
    claims: Mapping[str, object], rules: ClaimRules, now: datetime, leeway_s: float, *, outside: bool = False
) -> Principal:
    issued_at, expires_at = _check_times(claims, now, timedelta(seconds=leeway_s))
    user_id = UserId(read_subject(claims))
    who = read_profile(claims, rules)
    return Principal(user_id, who.role, who.name, issued_at, expires_at, who.avatar_url, who.tz, who.locale, outside)


def _check_times(claims: Mapping[str, object], now: datetime, leeway: timedelta) -> tuple[datetime | None, datetime]:
    """Return `iat` and `exp`. `exp` has no leeway: connections are closed at that instant, so none may open later."""
    expires_at = _instant(claims, "exp")
    issued_at = _instant(claims, "iat")
    not_before = _instant(claims, "nbf")
    if expires_at is None:
        raise invalid_token("it has no exp")
    if expires_at <= now:
        raise expired_token()
    if max(not_before or now, issued_at or now) > now + leeway:
        raise invalid_token("it is not valid yet")
    return issued_at, expires_at


def _instant(claims: Mapping[str, object], name: str) -> datetime | None:
    """Return a NumericDate (RFC 7519 §2), or None if there is none."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid_token(f"its {name} is not a number")
    # False for NaN too, which Python's JSON reader takes for a number.
    if not 0 <= value <= _LAST_SECOND:
        raise invalid_token(f"its {name} is out of range")
    return from_ms(round(value * 1000))
