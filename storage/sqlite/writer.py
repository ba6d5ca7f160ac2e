"""The one thread that writes. Jobs that wait together share a transaction, and so one sync of the disk."""

import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence

from storage.sqlite.calls import Call, Inbox, as_refusal, groups, run, unavailable


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
            ordered = groups(batch)
            calls = [call for group in ordered for call in group]
            self._commit(ordered, calls)
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

    def _commit(self, ordered: Sequence[Sequence[Call]], calls: Sequence[Call]) -> None:
        try:
            self._attempt(ordered)
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

    def _attempt(self, ordered: Sequence[Sequence[Call]]) -> None:
        # No savepoint to each job: two more statements, where a second run of the batch is rare.
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        for group in ordered:
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
            run(group, self._connection)
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
            call.error = unavailable(cause)

    def _undo(self) -> None:
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
