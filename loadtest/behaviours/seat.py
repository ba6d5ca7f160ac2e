"""One person's place in one room: how far they have read along, and what they owe and are owed."""

import asyncio
from typing import Any

from loadtest.behaviours.watermark import Watermark
from loadtest.truth.ledger import Inbox, Outbox


class Seat:
    """A person in a room."""

    __slots__ = (
        "absent",
        "covered",
        "inbox",
        "marking",
        "outbox",
        "reading",
        "receipts",
        "revs",
        "room_id",
        "seqs",
        "typed_ns",
    )

    def __init__(self, room_id: str, inbox: Inbox, outbox: Outbox, rev: int, seq: int, *, receipts: bool) -> None:
        self.room_id = room_id
        self.inbox = inbox
        self.outbox = outbox
        self.revs = Watermark(rev)
        self.seqs = Watermark(seq)
        self.receipts = receipts
        self.absent = False
        """Whether a connection ended, and no snapshot has yet told what changed since."""
        self.covered = rev
        """What came with a snapshot up to this rev may also come live, a moment later; clients ignore it then."""
        self.reading: asyncio.Task[None] | None = None
        """The last reading of a snapshot that a hole or the server asked for."""
        self.marking = False
        """Whether a receipt is on its way already, which will cover what comes until then."""
        self.typed_ns = -(10**12)
        """When the room was last told that this person writes."""

    @property
    def has_gap(self) -> bool:
        """Whether the server passed over a change that only a snapshot can bring."""
        return self.revs.has_hole and not self.absent and not self.is_reading

    @property
    def is_reading(self) -> bool:
        """Whether a snapshot is being read."""
        return self.reading is not None and not self.reading.done()

    def passed(self, message: dict[str, Any]) -> bool:
        """Note that a message has come, by whatever way. Return whether a change before it has not."""
        self.seqs.add(message["seq"])
        self.revs.add(message["rev"])
        return self.revs.has_hole

    def left(self) -> None:
        """The connection is gone: what changes now does not come by itself; the next one has an order of its own."""
        self.absent = True
        self.marking = False
        self.inbox.reconnected()
