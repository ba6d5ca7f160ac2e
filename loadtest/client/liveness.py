"""One timer for all sessions of a process, in place of a timer for each."""

import asyncio
import time
from typing import Protocol

LOOK_S = 1.0


class Watched(Protocol):
    """What can fall silent."""

    def is_stalled(self, now_ns: int) -> bool:
        """Whether the other side has been silent for too long (time.monotonic_ns)."""

    def fail(self, reason: str, text: str) -> None:
        """End it for that reason."""

    def abort(self) -> None:
        """End it because we want to."""


class Liveness:
    """Ends sessions whose server has fallen silent, within a second of their deadline."""

    def __init__(self) -> None:
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look from now on."""
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._tick)

    def stop(self) -> None:
        """Look no more, and end all that is left."""
        if self._timer is not None:
            self._timer.cancel()
        for session in list(self._watched):
            session.abort()

    def watch(self, session: Watched) -> None:
        """Look after this session."""
        self._watched.add(session)

    def forget(self, session: Watched) -> None:
        """Look after it no more. Nothing if it was not watched."""
        self._watched.discard(session)

    def look(self, now_ns: int) -> None:
        """End every session that is stalled at `now_ns`."""
        for session in [one for one in self._watched if one.is_stalled(now_ns)]:
            session.fail("stalled", "no ping came in time")

    def _tick(self) -> None:
        self.look(time.monotonic_ns())
        self.start()
