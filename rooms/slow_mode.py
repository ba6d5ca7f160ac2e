"""Slow mode: a pause between two messages of one member in one room."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId, UserId

_Key = tuple[RoomId, UserId]
_MANY = 10_000


class SlowMode:
    """Who has to wait until when. A retry of the message that began the pause does not have to."""

    def __init__(self) -> None:
        self._turns: dict[_Key, tuple[float, str]] = {}

    @contextmanager
    def turn(self, key: _Key, client_id: str, now: float, pause_s: float) -> Iterator[None]:
        """Begin the pause with a message that the block stores; if it fails, there was no message and no pause.

        Raises `room.slow_mode` while the pause of another message lasts.
        """
        before = self._turns.get(key)
        if before is not None and before[0] > now and before[1] != client_id:
            raise HomeroomError(ErrorCode.ROOM_SLOW_MODE, retry_after_ms=max(1, round((before[0] - now) * 1000)))
        retry = before is not None and before[1] == client_id
        if not retry:
            self._forget_past(now)
            self._turns[key] = (now + pause_s, client_id)
        try:
            yield
        except BaseException:
            if not retry:
                self._turns.pop(key, None)
            raise

    def _forget_past(self, now: float) -> None:
        if len(self._turns) > _MANY:
            self._turns = {key: turn for key, turn in self._turns.items() if turn[0] > now}
