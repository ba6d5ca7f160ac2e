"""What auth needs of a store. Adapters: storage/sqlite/, storage/mongo/."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth.types import User
from core.ids import UserId


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored of somebody who signs in: the record, and the instant before which their tokens are void."""

    user: User | None
    valid_after: datetime | None


class UserStore(Protocol):
    """People. Writes are durable when the call returns."""

    async def get(self, user_id: UserId) -> User | None:
        """Return one user, or None."""
        ...

    async def get_many(self, user_ids: Sequence[UserId]) -> dict[UserId, User]:
        """Return the users that exist, by id."""
        ...

    async def put(self, user: User) -> None:
        """Insert or replace. Idempotent."""
        ...

    async def sign_in(self, user: User, may_enter: Callable[[datetime | None], bool]) -> Standing:
        """Return what was stored before of somebody who comes in, and insert them if that was nothing. Atomic.

        Whoever is there already stays as they are, and nobody is inserted whom `may_enter(valid_after)` refuses; it is
        pure and may run on another thread. A whole school may come in within a minute, so that an adapter may make some
        wait a few milliseconds for others.
        """
        ...

    async def search(self, query: str, *, after: tuple[str, str] | None, limit: int) -> Sequence[User]:
        """Return users whose name or id contains `query`, ignoring case (all users if it is empty).

        Ordered by (name casefolded, id); `after` is the last such pair of the page before.
        """
        ...

    async def valid_after(self, user_id: UserId) -> datetime | None:
        """Return the instant before which every token of this user is void, or None."""
        ...

    async def set_valid_after(self, user_id: UserId, instant: datetime) -> None:
        """Void all of a user's tokens issued before `instant`. Never moves back."""
        ...


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token at rest: only its SHA-256 is kept. Tokens of one sign-in share `family_id`."""

    token_hash: bytes
    family_id: str
    user_id: UserId
    created_at: datetime
    expires_at: datetime


class RefreshStore(Protocol):
    """Refresh token families."""

    async def add(self, token: RefreshToken) -> None:
        """Store the first token of a new family."""
        ...

    async def rotate(self, old_hash: bytes, new: RefreshToken, *, now: datetime) -> "Rotation":
        """Use up `old_hash` and store `new` in its place (its family and user are taken from the old one), atomically.

        Of several concurrent calls with one `old_hash` exactly one sees `ok`; any other use of a spent token revokes
        the whole family (including a token that the winner just got) and sees `reused`.
        """
        ...

    async def revoke_family(self, token_hash: bytes) -> UserId | None:
        """Revoke the family of a token; return its user, or None if the token is unknown. Idempotent."""
        ...

    async def revoke_user(self, user_id: UserId) -> None:
        """Revoke every family of a user. Idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class Rotation:
    """The outcome of `RefreshStore.rotate`: `ok`, `unknown`, `expired`, `revoked` or `reused`; the user if known."""

    outcome: str
    user_id: UserId | None = None


class ServiceKeyStore(Protocol):
    """Keys of the school's backends, stored as SHA-256 only."""

    async def add(self, name: str, key_hash: bytes) -> None:
        """Store a key under a name, replacing the key of that name."""
        ...

    async def find(self, key_hash: bytes) -> str | None:
        """Return the name of a key, or None."""
        ...
