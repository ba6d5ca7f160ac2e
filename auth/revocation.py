"""When a user's tokens were voided: the store's answer, kept in memory for a moment."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from auth.ports import UserStore
from core.clock import Clock
from core.ids import UserId

CACHE_TTL_S: Final = 10.0
CACHE_USERS: Final = 50_000

_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class _Known:
    valid_after: datetime | None
    read_at: float


class Revocations:
    """Voids tokens and knows which are void.

    A revocation on this process holds at once; one on another process within `ttl_s`, or when `learn` brings the news.
    """

    def __init__(
        self, users: UserStore, clock: Clock, *, ttl_s: float = CACHE_TTL_S, max_users: int = CACHE_USERS
    ) -> None:
        self._users = users
        self._clock = clock
        self._ttl_s = ttl_s
        self._max_users = max_users
        self._known: OrderedDict[UserId, _Known] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    async def valid_after(self, user_id: UserId) -> datetime | None:
        """Return the instant before which this user's tokens are void, or None; up to `ttl_s` old."""
        known = self._known.get(user_id)
        if known is not None and self._clock.monotonic() - known.read_at < self._ttl_s:
            self._known.move_to_end(user_id)
            return known.valid_after
        return await self.read(user_id)

    async def read(self, user_id: UserId) -> datetime | None:
        """Return the same from the store."""
        return self.learn(user_id, await self._users.valid_after(user_id))

    async def void(self, user_id: UserId) -> datetime:
        """Void every token issued to the user so far; return the instant from which new ones count."""
        before = await self._users.valid_after(user_id)
        now = self._clock.now()
        # One past everything minted so far, as instants are whole milliseconds and `iat` may equal this one.
        instant = max(now, before or now) + _MILLISECOND
        try:
            await self._users.set_valid_after(user_id, instant)
        finally:
            # Also when the caller went away or the disk refused: it may be written all the same.
            self.learn(user_id, instant)
        return instant

    def learn(self, user_id: UserId, instant: datetime | None) -> datetime | None:
        """Take note of a revocation (as another process announces it); return the newest known."""
        known = self._known.pop(user_id, None)
        # A slow read must not undo a revocation that happened meanwhile.
        candidates = (instant, known.valid_after if known else None)
        newest = max((one for one in candidates if one is not None), default=None)
        self._known[user_id] = _Known(newest, self._clock.monotonic())
        if len(self._known) > self._max_users:
            self._known.popitem(last=False)
        return newest
