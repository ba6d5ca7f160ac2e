"""Who the simulated people are, and how they come by their access tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from loadtest.client.api import Api
from loadtest.client.errors import ApiFailed, ConnectFailed

NEVER_MADE: Final = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
RENEW_BEFORE: Final = timedelta(seconds=90)
"""The server warns a connection a minute before its token ends; by then another must be had."""


@dataclass(frozen=True, slots=True)
class User:
    """A simulated user. `index` counts all users of a run."""

    index: int
    id: str
    name: str
    role: str


class Tokens(Protocol):
    """Where access tokens come from."""

    async def token(self, user: User) -> str:
        """Return a token that is valid now. Raises ConnectFailed."""


class ReadyTokens:
    """Tokens that were made beforehand, by user index."""

    def __init__(self, tokens: Mapping[int, str]) -> None:
        self._tokens = tokens

    async def token(self, user: User) -> str:
        """Return the one for this user."""
        return self._tokens[user.index]


class ServiceKeyTokens:
    """Tokens that the server makes when they are needed, each used until it is about to end."""

    def __init__(self, api: Api, service_key: str) -> None:
        self._api = api
        self._service_key = service_key
        self._made: dict[int, tuple[str, datetime]] = {}

    async def token(self, user: User) -> str:
        """Return the user's token, or have the server make another."""
        token, ends = self._made.get(user.index, ("", NEVER_MADE))
        if datetime.now(UTC) < ends - RENEW_BEFORE:
            return token
        return await self._make(user)

    async def _make(self, user: User) -> str:
        asked = {"user_id": user.id, "name": user.name, "role": user.role}
        try:
            answer = await self._api.request("POST", "/v1/auth/tokens", self._service_key, asked)
        except ApiFailed as failed:
            raise ConnectFailed(failed.code, f"no token: {failed}") from None
        if answer.code is not None:
            raise ConnectFailed(answer.code, f"no token: HTTP {answer.status}", answer.retry_after_ms)
        token = answer.body.get("access_token") if isinstance(answer.body, dict) else None
        if not isinstance(token, str):
            raise ConnectFailed("garbage", "no token in the answer")
        self._made[user.index] = token, _end(answer.body.get("expires_at"))
        return token


def _end(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return NEVER_MADE  # a server that does not say is asked each time
