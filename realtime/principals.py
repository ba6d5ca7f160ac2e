"""Admission: from a credential to a principal, whose user record exists. One way for sockets and HTTP."""

from collections import OrderedDict

from auth.ports import UserStore
from auth.revocation import Revocations
from auth.sessions import Authenticator, is_void
from auth.types import Principal, Role, User
from core.ids import UserId

_KNOWN = 20_000


class Admission:
    """Authenticates, and provisions users from the claims of their tokens (WIRE.md §4).

    The claims of an outside issuer are followed; a token made here only introduces a user unknown until now, so that
    an old one cannot undo a change of role. What was looked at is remembered: who comes again waits for nothing.
    """

    def __init__(self, authenticator: Authenticator, revocations: Revocations, users: UserStore) -> None:
        self._authenticator = authenticator
        self._revocations = revocations
        self._users = users
        self._known: OrderedDict[UserId, User] = OrderedDict()

    async def admit(self, token: str) -> Principal:
        """Return who acts. Raises what `Authenticator.authenticate` raises."""
        principal = await self._authenticator.identify(token)
        if principal.role is Role.SERVICE:
            await self._authenticator.check(principal)
            return principal
        user = principal.as_user()
        if self._known.get(user.id) == user:
            self._known.move_to_end(user.id)
            await self._authenticator.check(principal)
            return principal
        # one call of the store for the record and the revocation, of which the check below then knows
        standing = await self._users.sign_in(user, lambda valid_after: not is_void(principal.issued_at, valid_after))
        self._revocations.learn(user.id, standing.valid_after)
        await self._authenticator.check(principal)
        if principal.outside and standing.user not in (None, user):
            await self._users.put(user)
        self._remember(user)
        return principal

    def _remember(self, user: User) -> None:
        self._known[user.id] = user
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
