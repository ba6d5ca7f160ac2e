"""Users, roles and principals."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.ids import UserId


class Role(StrEnum):
    """What someone is in the school. A role in one room is `rooms.types.RoomRole`."""

    STUDENT = "student"
    TEACHER = "teacher"
    ADMIN = "admin"
    VIEWER = "viewer"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class User:
    """A person (or a service) of the school. `id` is the `sub` of their tokens."""

    id: UserId
    name: str
    role: Role
    avatar_url: str | None = None
    tz: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is acting: a verified access token, reduced to what decisions need.

    `expires_at` is None for a service key, which does not expire. `outside` says that another issuer vouches for the
    claims: it then is the source of name and role, otherwise our own user record is.
    """

    user_id: UserId
    role: Role
    name: str
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    avatar_url: str | None = None
    tz: str | None = None
    locale: str | None = None
    outside: bool = False

    def as_user(self) -> User:
        """Return the user record that this token describes."""
        return User(self.user_id, self.name, self.role, self.avatar_url, self.tz, self.locale)
