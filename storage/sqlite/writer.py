"""The one thread that writes. Jobs that wait together share a transaction, and so one sync of the disk."""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from core.errors import ErrorCode, HomeroomError
from storage.sqlite.lane import Call, Inbox

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


class _Dirty(Exception):
    """A job failed after it may have written: the batch must be undone and run again, job by job."""


class Writer:
    """Runs write jobs in order, at most `batch` to a transaction, until the inbox says stop.

    A job is run inside the batch's transaction and may be run again after an undone attempt, so it must have no effect
    but on the connection. If it raises, its own writes are undone and the others of its batch stand. Outcomes are
    posted after the commit, in job order; if the commit fails, every job of the batch gets `server.unavailable`.
    """

    def __init__(
        self, connection: sqlite3.Connection, inbox: Inbox, post: Callable[[Sequence[Call]], None], *, batch: int
    ) -> None:
        self._connection = connection
        self._inbox = inbox
        self._post = post
        self._batch = batch
        self._waiting: deque[Call] = deque()
        self._stopping = False

    def run(self) -> None:
        """Work until told to stop and nothing waits."""
        while batch := self._next_batch():
            groups = _groups(batch)
            calls = [call for group in groups for call in group]
            self._commit(groups, calls)
            self._post(calls)

    def _next_batch(self) -> list[Call]:
        while not self._stopping and len(self._waiting) < self._batch:
            if self._waiting and self._inbox.empty():
                break
            self._take(self._inbox.get())
        return [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]

    def _take(self, calls: Sequence[Call] | None) -> None:
        if calls is None:
            self._stopping = True
        else:
            self._waiting.extend(calls)

    def _commit(self, groups: Sequence[Sequence[Call]], calls: Sequence[Call]) -> None:
        try:
            self._attempt(groups)
        except _Dirty:
            self._undo()
            self._commit_isolated(calls)
        except sqlite3.Error as exc:
            self._fail(calls, exc)

    def _commit_isolated(self, calls: Sequence[Call]) -> None:
        try:
            self._attempt_isolated(calls)
        except sqlite3.Error as exc:
            self._fail(calls, exc)

    def _attempt(self, groups: Sequence[Sequence[Call]]) -> None:
        # No savepoint per job: they cost more than the rare second run of a batch.
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        for group in groups:
            before = connection.total_changes
            if not self._run(group) and (len(group) > 1 or connection.total_changes != before):
                raise _Dirty
        connection.execute("COMMIT")

    def _attempt_isolated(self, calls: Sequence[Call]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        for call in calls:
            connection.execute("SAVEPOINT job")
            if not self._run([call]):
                connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")
        connection.execute("COMMIT")

    def _run(self, group: Sequence[Call]) -> bool:
        try:
            _do(self._connection, group)
        except BaseException as exc:
            for call in group:
                call.error = as_refusal(exc)
            # A full disk can end the whole transaction, and with it what earlier jobs of the batch wrote.
            if not self._connection.in_transaction:
                raise sqlite3.OperationalError("the transaction was rolled back") from exc
            return False
        return True

    def _fail(self, calls: Sequence[Call], cause: sqlite3.Error) -> None:
        self._undo()
        for call in calls:
            call.error = HomeroomError(ErrorCode.SERVER_UNAVAILABLE)
            call.error.__cause__ = cause

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _groups(batch: Sequence[Call]) -> Sequence[Sequence[Call]]:
    """Return the calls in the order to run them: items of one merged job together, at the place of the first."""
    groups: dict[object, list[Call]] = {}
    for call in batch:
        groups.setdefault(call.job if call.merged else call, []).append(call)
    return list(groups.values())


def _do(connection: sqlite3.Connection, group: Sequence[Call]) -> None:
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
        refusal = HomeroomError(ErrorCode.SERVER_UNAVAILABLE)
        refusal.__cause__ = exc
        return refusal
    # A future takes no StopIteration: it would read as the end of the coroutine that awaits it.
    return RuntimeError("a job raised StopIteration") if isinstance(exc, StopIteration) else exc
