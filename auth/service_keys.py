"""Keys of the school's own backends. Kept as SHA-256 only: 256 random bits need no slow hash."""

import hashlib
import hmac
import secrets
from typing import Final

from auth.errors import SettingRefused, invalid_token
from auth.ports import ServiceKeyStore
from auth.tokens import SERVICE_SUBJECT
from auth.types import Principal, Role
from core.errors import invalid
from core.ids import UserId

KEY_PREFIX: Final = "hrk_"
KEY_BYTES: Final = 32
MIN_CONFIGURED_CHARS: Final = 16
MAX_KEY_CHARS: Final = 512
MAX_NAME_CHARS: Final = 64


class ServiceKeys:
    """Makes service keys and knows them, with one that may come from HOMEROOM_SERVICE_KEY.

    Raises SettingRefused if the configured key has fewer than 16 characters, which could be guessed.
    """

    def __init__(self, store: ServiceKeyStore, configured: str | None = None) -> None:
        if configured is not None and len(configured) < MIN_CONFIGURED_CHARS:
            raise SettingRefused(f"HOMEROOM_SERVICE_KEY must have at least {MIN_CONFIGURED_CHARS} characters.")
        self._store = store
        self._configured = None if configured is None else _digest(configured)

    async def create(self, name: str) -> str:
        """Return a new key, which cannot be read again. It replaces the key of that name."""
        if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
            raise invalid(f"A key's name is 1 to {MAX_NAME_CHARS} visible characters.", "name")
        key = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
        await self._store.add(name, _digest(key))
        return key

    async def authenticate(self, key: str) -> Principal:
        """Return the service that holds `key`: `service` for the configured key, else `service:<name>`.

        Raises `auth.invalid_token`.
        """
        principal = await self.find(key)
        if principal is None:
            raise invalid_token("there is no such service key")
        return principal

    async def find(self, key: str) -> Principal | None:
        """Return the service that holds `key`, or None."""
        ours = key.startswith(KEY_PREFIX)
        if len(key) > MAX_KEY_CHARS or (self._configured is None and not ours):
            return None
        digest = _digest(key)
        if self._configured is not None and hmac.compare_digest(digest, self._configured):
            return Principal(UserId(SERVICE_SUBJECT), Role.SERVICE, SERVICE_SUBJECT)
        name = await self._store.find(digest) if ours else None
        return None if name is None else Principal(UserId(f"{SERVICE_SUBJECT}:{name}"), Role.SERVICE, name)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
