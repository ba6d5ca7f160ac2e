"""Typing: who is writing now. Never stored; ends by itself."""

from dataclasses import dataclass

from auth.policy import Action
from auth.types import Principal
from core.clock import Clock, Timer, Timers
from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId, UserId
from rooms.access import check_open_for_writing, permitted
from rooms.ports import Events, RoomStore

_Key = tuple[RoomId, UserId]


@dataclass(slots=True)
class _Writing:
    told_at: float
    on: bool
    timer: Timer


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
        """Start, renew or end. A renewal is told at most once per interval; large rooms are not told at all.

        Raises `room.not_found`, `room.forbidden`, `room.muted`, and `rate.limited` for a new start within the interval.
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
        due = current is None or now - current.told_at >= self._interval_s
        if current is not None:
            if not due and not current.on:
                wait_s = self._interval_s - (now - current.told_at)
                raise HomeroomError(ErrorCode.RATE_LIMITED, retry_after_ms=max(1, round(wait_s * 1000)))
            current.timer.cancel()
        told_at = now if current is None or due else current.told_at
        self._writing[key] = _Writing(told_at, True, self._timers.call_later(self._ttl_s, lambda: self._expire(key)))
        if due:
            self._events.typing_changed(*key, on=True)

    def _stop(self, key: _Key) -> None:
        current = self._writing.get(key)
        if current is not None and current.on:
            current.on = False
            self._events.typing_changed(*key, on=False)

    def _expire(self, key: _Key) -> None:
        self._stop(key)
        self._writing.pop(key, None)
