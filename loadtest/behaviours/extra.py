"""Someone who fills a room: does all that the others do, but keeps no account of what comes."""

import time

from loadtest.behaviours.person import Person
from loadtest.measure.names import Count
from loadtest.truth.ledger import Inbox


class Extra(Person):
    """Writes and is audited as a sender; what comes is counted without being read, which costs this machine far less.

    Nothing is owed to them: what they miss is nobody's loss, and how long it took is not measured.
    """

    __slots__ = ()

    async def sync(self) -> None:
        """Look for nothing; only be there, as everyone is at the end."""
        if not self.ready:
            await self.connect(time.monotonic_ns())

    def _came_in(self, due_ns: int) -> None:
        super()._came_in(due_ns)
        if self.session is not None:
            self.session.skim = self._skimmed

    def _inbox(self, room_id: str, seq: int) -> Inbox:
        return Inbox({}, from_seq=seq)

    def _skimmed(self) -> None:
        self.world.recorder.count(Count.SKIMMED)
