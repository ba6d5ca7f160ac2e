"""What a client sent and is still to be handled: in order, one message at a time, and boundedly many."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

from core.tasks import Background, begin

MESSAGES: Final = 64
BYTES: Final = 262_144
"""What may wait behind a message that is being handled, before the client is read no further."""

Work = Coroutine[Any, Any, None]


class Inbox(ABC):
    """Base of a session. A message is handled in the callback that brought it; a task is made only if that waits."""

    __slots__ = ("_background", "_backlog", "_backlog_bytes", "_wake", "handling")

    def __init__(self, background: Background) -> None:
        self.handling = False
        self._background = background
        self._backlog: deque[tuple[bytes, bool]] | None = None
        self._backlog_bytes = 0
        self._wake: Callable[[], None] | None = None

    # ── what a session decides ───────────────────────────────────────────────────────────────────

    @abstractmethod
    def begin_message(self, data: bytes, *, binary: bool) -> Work | None:
        """Return the work that a message makes, if any. Raises Malformed."""

    @abstractmethod
    def may_handle(self) -> bool:
        """Whether the next message may be handled now."""

    @abstractmethod
    def hold_reading(self, *, on: bool) -> None:
        """Read the client no further, or again."""

    @abstractmethod
    def message_done(self) -> None:
        """Note that a message has been handled, before the next one is."""

    @abstractmethod
    def all_done(self) -> None:
        """Note that nothing waits to be handled."""

    @abstractmethod
    def failed(self, error: Exception) -> None:
        """Note that a message is not of the protocol (Malformed), or that it met a bug of ours."""

    # ── the order ────────────────────────────────────────────────────────────────────────────────

    @property
    def settled(self) -> bool:
        """Whether all that was received has been handled."""
        return not self.handling and not self._backlog

    def on_settled(self, wake: Callable[[], None] | None) -> None:
        """Call `wake` when all has been handled, or forgotten."""
        self._wake = wake

    def take(self, data: bytes, *, binary: bool) -> None:
        """Handle a message now, or behind those that came before."""
        if not self.handling and not self._backlog and self.may_handle():
            self._handle(data, binary=binary)
            return
        backlog = self._backlog = self._backlog or deque()
        backlog.append((data, binary))
        self._backlog_bytes += len(data)
        if len(backlog) >= MESSAGES or self._backlog_bytes >= BYTES:
            self.hold_reading(on=True)

    def go_on(self) -> None:
        """Handle what waits, as far as may be."""
        while self._backlog and not self.handling and self.may_handle():
            data, binary = self._backlog.popleft()
            self._backlog_bytes -= len(data)
            self._handle(data, binary=binary)
        if self.handling or self._backlog:
            return
        if self._backlog is not None:
            self._backlog = None
            self.hold_reading(on=False)
        self.wake_settled()
        self.all_done()

    def forget_backlog(self) -> None:
        """Handle nothing of what still waits."""
        if self._backlog is not None:
            self._backlog.clear()
            self._backlog_bytes = 0

    def _handle(self, data: bytes, *, binary: bool) -> None:
        self.handling = True
        try:
            work = self.begin_message(data, binary=binary)
            rest = begin(work) if work is not None else None
        except Exception as exc:
            self.handling = False
            self.failed(exc)
            return
        if rest is not None:
            self._background.start(self._finish(rest))
        else:
            self.handling = False
            self.message_done()

    async def _finish(self, rest: Work) -> None:
        try:
            await rest
        finally:
            self.handling = False
            self.message_done()
            self.go_on()

    def wake_settled(self) -> None:
        """Let those go who wait until all has been handled."""
        wake, self._wake = self._wake, None
        if wake is not None:
            wake()
