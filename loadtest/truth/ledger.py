"""Who was promised what, and who got what: one ledger for each worker, kept small in spite of its many people.

A message is known by its room, its sender and its number. Its `seq` tells its place in the room.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from loadtest.truth.runs import Numbers, Runs, merged
from loadtest.truth.sightings import MOST, Sightings, bounded
from loadtest.truth.stamp import Stamp

EXAMPLES = 3
"""Faults of a kind that an inbox remembers."""
_LOWEST = -(2**63)

Voice = tuple[str, int]
"""A room, and one who writes in it."""


@dataclass(frozen=True, slots=True)
class Example:
    """A delivery at which something was wrong."""

    kind: Literal["duplicate", "out_of_order"]
    sender: int
    number: int
    seq: int


class Outbox:
    """One sender's messages in one room, numbered 1, 2, 3 …"""

    __slots__ = ("acks", "refusals", "sent")

    def __init__(self) -> None:
        self.sent = 0
        self.acks = Sightings()
        self.refusals: set[int] = set()

    def next(self) -> int:
        """Return the number of a new message."""
        self.sent += 1
        return self.sent

    def acked(self, number: int, seq: int) -> None:
        """Take in a promise; the same message again with another `seq` was stored twice. Raises TypeError."""
        self.acks.see(number, seq)

    def refused(self, number: int) -> None:
        """Take in that a message is given up. An ack, before or after, outweighs it."""
        self.refusals.add(number)


class Inbox:
    """What one person got in one room of other people's messages.

    Only messages later than `from_seq`, the room's last when the person came in, are owed to them. Whatever takes
    in a message raises TypeError for a `seq` that is no whole number.
    """

    __slots__ = (
        "_highest",
        "_sightings",
        "_snapshot",
        "caught",
        "disorder",
        "duplicates",
        "examples",
        "foreigners",
        "found",
        "from_seq",
        "got",
        "last_seq",
    )

    def __init__(self, sightings: dict[int, Sightings], from_seq: int) -> None:
        self.from_seq = from_seq
        self.last_seq = from_seq
        """The highest that this person holds, by whatever way it came."""
        self.got: dict[int, Numbers] = {}
        """By sender, what came live; beside it what came with snapshots, and what the final sync brought."""
        self.caught: dict[int, Numbers] = {}
        self.found: dict[int, Numbers] = {}
        self.duplicates = 0
        self.disorder = 0
        self.foreigners = 0
        self.examples: list[Example] = []
        self._sightings = sightings
        self._snapshot: dict[int, Numbers] = {}
        """What came with a snapshot over the present connection."""
        self._highest = _LOWEST
        """The highest `seq` that came over the present connection."""

    def live(self, stamp: Stamp, seq: int) -> bool:
        """Take in a message that came by itself. Return whether it did so for the first time, and not too late."""
        sender, number = stamp.sender, stamp.number
        seen = self._sightings.get(sender)
        if seen is None:
            seen = self._sightings[sender] = Sightings()
        seen.see(number, seq)
        got = self.got.get(sender)
        if got is not None and number == got.last + 1 and self._highest < seq <= MOST and not self._snapshot:
            got.last = number  # nearly always: the sender's next message, and the room's
            self._highest = seq
            self.last_seq = max(self.last_seq, seq)
            return True
        fresh = got is None or number > got.last or number not in got
        if fresh and self._snapshot:
            fresh = not _holds(self._snapshot, sender, number)
        if not fresh:
            self._duplicate(stamp, seq)
        elif seq < self._highest:
            self._disorder(stamp, seq)
        if got is None:
            self.got[sender] = Numbers(number)
        else:
            got.add(number)
        self._reach(seq)
        return fresh

    def caught_up(self, stamp: Stamp, seq: int) -> bool:
        """Take in a message of a snapshot after a reconnect. Return whether this person did not hold it."""
        fresh = self._take(self.caught, stamp, seq)
        _put(self._snapshot, stamp)
        self._reach(seq)
        return fresh

    def final(self, stamp: Stamp, seq: int) -> bool:
        """Take in a message that was only found by asking for it. Return whether this person did not hold it."""
        fresh = self._take(self.found, stamp, seq)
        self.last_seq = max(self.last_seq, bounded(seq))
        return fresh

    def reconnected(self) -> None:
        """A new connection begins, with an order and a snapshot of its own."""
        self._snapshot = {}
        self._highest = _LOWEST

    def foreign(self) -> None:
        """Take in a message of this run whose stamp cannot be read."""
        self.foreigners += 1

    def _take(self, held: dict[int, Numbers], stamp: Stamp, seq: int) -> bool:
        self._sightings.setdefault(stamp.sender, Sightings()).see(stamp.number, seq)
        ways = (self.got, self.caught, self.found)
        fresh = not any(_holds(way, stamp.sender, stamp.number) for way in ways)
        _put(held, stamp)
        return fresh

    def _reach(self, seq: int) -> None:
        if seq > self._highest:
            self._highest = seq
            if seq > self.last_seq:
                self.last_seq = bounded(seq)

    def _duplicate(self, stamp: Stamp, seq: int) -> None:
        self.duplicates += 1
        if self.duplicates <= EXAMPLES:
            self.examples.append(Example("duplicate", stamp.sender, stamp.number, seq))

    def _disorder(self, stamp: Stamp, seq: int) -> None:
        self.disorder += 1
        if self.disorder <= EXAMPLES:
            self.examples.append(Example("out_of_order", stamp.sender, stamp.number, seq))


@dataclass(frozen=True, slots=True)
class OutboxData:
    """A sender's messages in a room: how many, the `seq` of those that were acked, and those refused for good."""

    sent: int
    acks: Sightings
    refused: Runs


@dataclass(frozen=True, slots=True)
class InboxData:
    """What a person got in a room: by sender, the numbers that came live, with snapshots, and in the final sync."""

    room: str
    recipient: int
    from_seq: int
    live: dict[int, Runs]
    caught_up: dict[int, Runs]
    final: dict[int, Runs]
    duplicate: int
    out_of_order: int
    foreign: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class LedgerData:
    """A worker's ledger, to be sent to the coordinator. A person is in a room with one worker only."""

    outboxes: dict[Voice, OutboxData]
    inboxes: tuple[InboxData, ...]
    sightings: dict[Voice, Sightings]
    """What all people of the worker saw of each voice."""


class Ledger:
    """The boxes of all people of one worker."""

    def __init__(self) -> None:
        self._outboxes: dict[Voice, Outbox] = {}
        self._inboxes: dict[tuple[str, int], Inbox] = {}
        self._sightings: dict[str, dict[int, Sightings]] = {}

    def outbox(self, room: str, sender: int) -> Outbox:
        """Return the sender's outbox for a room: the same one each time."""
        return self._outboxes.setdefault((room, sender), Outbox())

    def inbox(self, room: str, recipient: int, *, from_seq: int) -> Inbox:
        """Return the recipient's inbox for a room: the same one each time, with the `from_seq` of the first."""
        found = self._inboxes.get((room, recipient))
        if found is None:
            found = self._inboxes[room, recipient] = Inbox(self._sightings.setdefault(room, {}), from_seq)
        return found

    def export(self) -> LedgerData:
        """Return what is known now."""
        return LedgerData(
            outboxes={voice: _outbox_data(outbox) for voice, outbox in self._outboxes.items()},
            inboxes=tuple(_inbox_data(room, who, inbox) for (room, who), inbox in self._inboxes.items()),
            sightings={
                (room, sender): seen for room, voices in self._sightings.items() for sender, seen in voices.items()
            },
        )


def _holds(way: Mapping[int, Numbers], sender: int, number: int) -> bool:
    numbers = way.get(sender)
    return numbers is not None and number in numbers


def _put(way: dict[int, Numbers], stamp: Stamp) -> None:
    numbers = way.get(stamp.sender)
    if numbers is None:
        way[stamp.sender] = Numbers(stamp.number)
    else:
        numbers.add(stamp.number)


def _outbox_data(outbox: Outbox) -> OutboxData:
    refused = merged((number, number) for number in outbox.refusals if number not in outbox.acks)
    return OutboxData(outbox.sent, outbox.acks, refused)


def _inbox_data(room: str, recipient: int, inbox: Inbox) -> InboxData:
    return InboxData(
        room=room,
        recipient=recipient,
        from_seq=inbox.from_seq,
        live=_runs(inbox.got),
        caught_up=_runs(inbox.caught),
        final=_runs(inbox.found),
        duplicate=inbox.duplicates,
        out_of_order=inbox.disorder,
        foreign=inbox.foreigners,
        examples=tuple(inbox.examples),
    )


def _runs(way: Mapping[int, Numbers]) -> dict[int, Runs]:
    return {sender: numbers.runs() for sender, numbers in way.items()}
