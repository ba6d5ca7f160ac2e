"""Tokens that were verified before: the same token again costs a digest, not a signature."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from auth.jose import MAX_TOKEN_BYTES, VerifyKey
from auth.types import Principal

REMEMBERED_TOKENS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Verified:
    """What a token said and which key vouched for it. `issuer` is None for a token made here."""

    principal: Principal
    key: VerifyKey
    alg: str
    kid: str | None
    issuer: str | None


class VerifiedTokens:
    """The tokens that were good when they were looked at, at most `max_tokens`; those unused for longest go first.

    Kept under their SHA-256, so that no token lies about in memory. It says nothing about the present: whoever finds
    one here still asks whether it has ended, whether its key is still in use, and whether it was revoked. A token that
    was refused is not kept.
    """

    def __init__(self, max_tokens: int = REMEMBERED_TOKENS) -> None:
        self._max_tokens = max_tokens
        self._known: OrderedDict[bytes, Verified] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, token: str) -> Verified | None:
        """Return what is known of a token, or None."""
        if len(token) > MAX_TOKEN_BYTES:
            return None
        digest = _digest(token)
        known = self._known.get(digest)
        if known is not None:
            self._known.move_to_end(digest)
        return known

    def keep(self, token: str, verified: Verified) -> None:
        """Remember a token that has just been verified."""
        self._known[_digest(token)] = verified
        if len(self._known) > self._max_tokens:
            self._known.popitem(last=False)

    def drop(self, token: str) -> None:
        """Forget a token that has ended."""
        self._known.pop(_digest(token), None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
