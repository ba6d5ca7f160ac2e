"""What passes between the loop and the threads: jobs, whoever waits for them, and how they ended."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from core.errors import ErrorCode, HomeroomError

T = TypeVar("T")
Item = TypeVar("Item")
Job = Callable[[sqlite3.Connection], T]
Merged = Callable[[sqlite3.Connection, Sequence[Item]], Sequence[T | HomeroomError]]
"""A job that does many items in one go; returns for each, in order, its result or why it was refused."""

_ENVIRONMENT: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
    }
)
"""Primary result codes that blame the machine, not the statement."""


@dataclass(slots=True, eq=False)
class Call:
    """One job, or one item of a merged one; whoever waits for it, and how it ended.

    `ended` is called on the loop once the job is over, however that went, and before any waiter of its batch goes on.
    """

    job: Callable[..., Any]
    waiter: "asyncio.Future[Any]"
    merged: bool = False
    item: Any = None
    ended: Callable[[], None] | None = None
    value: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Call `ended`, then resume the waiter, unless it was cancelled. For the loop."""
        if self.ended is not None:
            self.ended()
        if self.waiter.done():
            return
        if self.error is None:
            self.waiter.set_result(self.value)
        else:
            self.waiter.set_exception(self.error)


Inbox = SimpleQueue[Sequence[Call] | None]


def groups(calls: Iterable[Call]) -> list[list[Call]]:
    """Return calls in the order to run them: items of one merged job together, at the place of the first."""
    found: dict[object, list[Call]] = {}
    for call in calls:
        found.setdefault(call.job if call.merged else call, []).append(call)
    return list(found.values())


def run(group: Sequence[Call], connection: sqlite3.Connection) -> None:
    """Run one of `groups`. Raises what the job raises."""
    first = group[0]
    if not first.merged:
        first.value, first.error = first.job(connection), None
        return
    outcomes = first.job(connection, [call.item for call in group])
    for call, outcome in zip(group, outcomes, strict=True):
        call.error = outcome if isinstance(outcome, HomeroomError) else None
        call.value = outcome


def as_refusal(exc: BaseException) -> BaseException:
    """Return `server.unavailable` for what the machine did to us, and anything else as it is."""
    if isinstance(exc, sqlite3.Error) and (getattr(exc, "sqlite_errorcode", 0) & 0xFF) in _ENVIRONMENT:
        return unavailable(exc)
    # A future takes no StopIteration: it would read as the end of the coroutine that awaits it.
    return RuntimeError("a job raised StopIteration") if isinstance(exc, StopIteration) else exc


def unavailable(cause: BaseException) -> HomeroomError:
    """Return the refusal to tell clients, with the cause for the log."""
    refusal = HomeroomError(ErrorCode.SERVER_UNAVAILABLE)
    refusal.__cause__ = cause
    return refusal
