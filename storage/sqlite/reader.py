"""A thread that reads, beside the writer and the other readers."""

import sqlite3
from collections.abc import Callable, Sequence

from storage.sqlite.calls import Call, Inbox, as_refusal, groups, run


class Reader:
    """Runs read jobs until the inbox says stop. An error reaches the awaiter of its own job only."""

    def __init__(self, connection: sqlite3.Connection, inbox: Inbox, post: Callable[[Sequence[Call]], None]) -> None:
        self._connection = connection
        self._inbox = inbox
        self._post = post

    def run(self) -> None:
        """Work until told to stop."""
        while (calls := self._inbox.get()) is not None:
            for group in groups(calls):
                self._read(group)
                self._post(group)

    def _read(self, group: Sequence[Call]) -> None:
        try:
            run(group, self._connection)
        except BaseException as exc:
            if len(group) == 1:
                group[0].error = as_refusal(exc)
            else:
                for call in group:
                    self._read([call])
