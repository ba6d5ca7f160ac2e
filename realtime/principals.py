"""Admission: from a credential to a principal, whose user record exists. One way for sockets and HTTP."""

from collections import OrderedDict

from auth.ports import UserStore
from auth.sessions import Authenticator
from auth.types import Principal, Role, User
from core.ids import UserId

_KNOWN = 10_000


class Admission:
    """Authenticates, and provisions or refreshes the user from the token's claims (WIRE.md §4).

    What was written is remembered, so that a request costs no write.
    """

    def __init__(self, authenticator: Authenticator, users: UserStore) -> None:
        self._authenticator = authenticator
        self._users = users
        self._known: OrderedDict[UserId, User] = OrderedDict()

    async def admit(self, token: str) -> Principal:
        """Return who acts. Raises `auth.invalid_token`, `auth.expired_token`, `auth.forbidden`, `server.unavailable`."""
        principal = await self._authenticator.authenticate(token)
        if principal.role is not Role.SERVICE:
            await self._provision(principal.as_user())
        return principal

    async def _provision(self, user: User) -> None:
        if self._known.get(user.id) == user:
            self._known.move_to_end(user.id)
            return
        if await self._users.get(user.id) != user:
            await self._users.put(user)
        self._known[user.id] = user
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
