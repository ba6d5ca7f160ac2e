"""Admission: from a credential to a principal, whose user record exists. One way for sockets and HTTP."""

from collections import OrderedDict

from auth.ports import UserStore
from auth.sessions import Authenticator
from auth.types import Principal, Role, User
from core.ids import UserId

_KNOWN = 10_000


class Admission:
    """Authenticates, and provisions users from the claims of their tokens (WIRE.md §4).

    The claims of an outside issuer are followed; a token made here only introduces a user unknown until now, so that
    an old one cannot undo a change of role. What was looked at is remembered: a request costs no write.
    """

    def __init__(self, authenticator: Authenticator, users: UserStore) -> None:
        self._authenticator = authenticator
        self._users = users
        self._known: OrderedDict[UserId, User] = OrderedDict()

    async def admit(self, token: str) -> Principal:
        """Return who acts. Raises what `Authenticator.authenticate` raises."""
        principal = await self._authenticator.authenticate(token)
        if principal.role is not Role.SERVICE:
            await self._provision(principal.as_user(), follow=principal.outside)
        return principal

    async def _provision(self, user: User, *, follow: bool) -> None:
        if self._known.get(user.id) == user:
            self._known.move_to_end(user.id)
            return
        stored = await self._users.get(user.id)
        if stored is None or (follow and stored != user):
            await self._users.put(user)
        self._known[user.id] = user
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
