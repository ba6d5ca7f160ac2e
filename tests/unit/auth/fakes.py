"""Stand-ins for what auth asks of the world: a clock to turn by hand, stores in memory, issuers with real keys."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from auth.jose import b64url, sign
from auth.ports import RefreshToken, Rotation, Standing
from auth.types import Role, User
from core.ids import UserId

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADA = User(UserId("ada"), "Ada Lovelace", Role.STUDENT)


class FakeClock:
    """core.clock.Clock that moves only when told."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


class MemoryUserStore:
    """auth.ports.UserStore; `reads` counts the calls of `valid_after`."""

    def __init__(self, *users: User) -> None:
        self.users = {user.id: user for user in users}
        self.voided: dict[UserId, datetime] = {}
        self.reads = 0

    async def get(self, user_id: UserId) -> User | None:
        return self.users.get(user_id)

    async def get_many(self, user_ids: Sequence[UserId]) -> dict[UserId, User]:
        return {user_id: self.users[user_id] for user_id in user_ids if user_id in self.users}

    async def put(self, user: User) -> None:
        self.users[user.id] = user

    async def sign_in(self, user: User, may_enter: Callable[[datetime | None], bool]) -> Standing:
        found = Standing(self.users.get(user.id), self.voided.get(user.id))
        if found.user is None and may_enter(found.valid_after):
            self.users[user.id] = user
        return found

    async def search(self, query: str, *, after: tuple[str, str] | None, limit: int) -> Sequence[User]:
        found = (user for user in self.users.values() if query.casefold() in f"{user.name}\n{user.id}".casefold())
        ordered = sorted(found, key=_position)
        return [user for user in ordered if after is None or _position(user) > after][:limit]

    async def valid_after(self, user_id: UserId) -> datetime | None:
        self.reads += 1
        return self.voided.get(user_id)

    async def set_valid_after(self, user_id: UserId, instant: datetime) -> None:
        self.voided[user_id] = max(instant, self.voided.get(user_id, instant))


@dataclass(slots=True)
class _Row:
    token: RefreshToken
    spent: bool = False
    revoked: bool = False


class MemoryRefreshStore:
    """auth.ports.RefreshStore; one event loop makes every call atomic."""

    def __init__(self) -> None:
        self.rows: dict[bytes, _Row] = {}

    async def add(self, token: RefreshToken) -> None:
        self.rows[token.token_hash] = _Row(token)

    async def rotate(self, old_hash: bytes, new: RefreshToken, *, now: datetime) -> Rotation:
        row = self.rows.get(old_hash)
        if row is None:
            return Rotation("unknown")
        outcome = _outcome(row, now)
        if outcome == "reused":
            self._revoke(family_id=row.token.family_id)
        if outcome == "ok":
            row.spent = True
            self.rows[new.token_hash] = _Row(replace(new, family_id=row.token.family_id, user_id=row.token.user_id))
        return Rotation(outcome, row.token.user_id)

    async def revoke_family(self, token_hash: bytes) -> UserId | None:
        row = self.rows.get(token_hash)
        if row is None:
            return None
        self._revoke(family_id=row.token.family_id)
        return row.token.user_id

    async def revoke_user(self, user_id: UserId) -> None:
        for family_id in {row.token.family_id for row in self.rows.values() if row.token.user_id == user_id}:
            self._revoke(family_id=family_id)

    def _revoke(self, *, family_id: str) -> None:
        for row in self.rows.values():
            row.revoked |= row.token.family_id == family_id


class MemoryServiceKeyStore:
    """auth.ports.ServiceKeyStore."""

    def __init__(self) -> None:
        self.names: dict[bytes, str] = {}

    async def add(self, name: str, key_hash: bytes) -> None:
        self.names = {digest: other for digest, other in self.names.items() if other != name}
        self.names[key_hash] = name

    async def find(self, key_hash: bytes) -> str | None:
        return self.names.get(key_hash)


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A key pair of an outside issuer, as cryptography makes it."""

    kid: str
    alg: str
    private: PrivateKey

    def jwk(self) -> dict[str, Any]:
        return {**public_jwk(self.private), "kid": self.kid, "use": "sig"}

    def sign(self, claims: Mapping[str, object], **header: str) -> str:
        return sign(
            claims, key=self.private, alg=header.get("alg", self.alg), typ="JWT", kid=header.get("kid", self.kid)
        )


@dataclass(slots=True)
class FakeWeb:
    """auth.jwks.FetchJson over documents in memory.

    `asked` lists the URLs in order; a URL without a document fails; while `gate` is closed, nothing is answered;
    `arrived` is set by the first request.
    """

    documents: dict[str, object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def fetch(self, url: str) -> object:
        self.asked.append(url)
        self.arrived.set()
        await self.gate.wait()
        if url not in self.documents:
            raise OSError("no answer")
        return self.documents[url]


def public_jwk(private: PrivateKey) -> dict[str, Any]:
    """Return the public half of a key as a JWK."""
    public = private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return dict(RSAAlgorithm.to_jwk(public, as_dict=True))
    if isinstance(public, ec.EllipticCurvePublicKey):
        return dict(ECAlgorithm.to_jwk(public, as_dict=True))
    return dict(OKPAlgorithm.to_jwk(public, as_dict=True))


def raw_token(header: Mapping[str, object], claims: Mapping[str, object], signature: bytes = b"") -> str:
    """Return a token of exactly these parts, which no library would agree to make."""
    return ".".join([*(b64url(json.dumps(part).encode()) for part in (header, claims)), b64url(signature)])


def _position(user: User) -> tuple[str, str]:
    return user.name.casefold(), user.id


def _outcome(row: _Row, now: datetime) -> str:
    if row.spent:
        return "reused"
    if row.revoked:
        return "revoked"
    return "expired" if row.token.expires_at <= now else "ok"
