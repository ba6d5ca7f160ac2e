"""Typing: who is writing now. Never stored; ends by itself."""

from dataclasses import dataclass
from typing import Final

from auth.policy import Action
from auth.types import Principal
from core.clock import Clock, Timer, Timers
from core.ids import RoomId, UserId
from rooms.access import check_open_for_writing, permitted
from rooms.ports import Events, RoomStore

_ROUNDING_S: Final = 0.001
"""Timers may ring so much early."""

_Key = tuple[RoomId, UserId]


@dataclass(slots=True)
class _Writing:
    """One person in one room. `shown`: the others were told that they write. `told_at`: when they last were.

    `ends_at` is when it ends by itself. One timer watches over it, and waits on when it finds that it was renewed: a
    new timer for each renewal would cost more than everything else about it.
    """

    told_at: float
    on: bool
    shown: bool
    ends_at: float
    late: Timer | None = None


class Typing:
    """Who is writing in which room."""

    def __init__(
        self,
        rooms: RoomStore,
        events: Events,
        *,
        clock: Clock,
        timers: Timers,
        interval_s: float,
        ttl_s: float,
        broadcast_members: int,
    ) -> None:
        self._rooms = rooms
        self._events = events
        self._clock = clock
        self._timers = timers
        self._interval_s = interval_s
        self._ttl_s = ttl_s
        self._broadcast_members = broadcast_members
        self._writing: dict[_Key, _Writing] = {}

    async def set(self, principal: Principal, room_id: RoomId, *, on: bool) -> None:
        """Start, renew or end. The end is told at once, the rest at most once per interval: a start that comes too soon
        is told when the interval is over, if it still holds then. Large rooms are not told at all.

        Raises `room.not_found`, `room.forbidden`, `room.muted`, `room.locked`.
        """
        access = await permitted(self._rooms, principal, Action.SEND, room_id)
        check_open_for_writing(access, self._clock.now())
        if access.room.member_count > self._broadcast_members:
            return
        key = (room_id, principal.user_id)
        if on:
            self._start(key)
        else:
            self._stop(key)

    def _start(self, key: _Key) -> None:
        now = self._clock.monotonic()
        current = self._writing.get(key)
        if current is None:
            self._writing[key] = _Writing(now, True, True, now + self._ttl_s)
            self._timers.call_later(self._ttl_s, lambda: self._expire(key))
            self._events.typing_changed(*key, on=True)
            return
        current.ends_at, current.on = now + self._ttl_s, True
        if now - current.told_at >= self._interval_s:
            self._show(key, current)
        elif not current.shown and current.late is None:
            wait_s = self._interval_s - (now - current.told_at)
            current.late = self._timers.call_later(wait_s, lambda: self._show(key, current))

    def _show(self, key: _Key, current: _Writing) -> None:
        current.told_at, current.shown, current.late = self._clock.monotonic(), True, None
        self._events.typing_changed(*key, on=True)

    def _stop(self, key: _Key) -> None:
        current = self._writing.get(key)
        if current is None or not current.on:
            return
        current.on = False
        if current.late is not None:
            current.late.cancel()
            current.late = None
        if current.shown:
            current.shown = False
            self._events.typing_changed(*key, on=False)

    def _expire(self, key: _Key) -> None:
        left_s = self._writing[key].ends_at - self._clock.monotonic()
        if left_s > _ROUNDING_S:
            self._timers.call_later(left_s, lambda: self._expire(key))
            return
        self._stop(key)
        self._writing.pop(key, None)
