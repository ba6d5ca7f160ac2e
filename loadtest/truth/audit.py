"""Compares what was promised with what arrived, over all workers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, zip_longest

from loadtest.report.result import Truth
from loadtest.truth.ledger import InboxData, LedgerData, OutboxData, Voice
from loadtest.truth.runs import Runs, both, merged, of, size, without
from loadtest.truth.sightings import Sightings

EXAMPLES = 20


def audit(ledgers: Iterable[LedgerData]) -> Truth:
    """Return the truth. A room's senders and recipients may be in different ledgers."""
    known = list(ledgers)
    voices = {voice: _Voice(outbox) for ledger in known for voice, outbox in ledger.outboxes.items()}
    rooms: dict[str, dict[int, _Voice]] = {}
    for (room, sender), found in voices.items():
        if found.sent:  # in a hall of thousands nearly everyone only listens
            rooms.setdefault(room, {})[sender] = found
    tally = _Tally()
    for ledger in known:
        for inbox in ledger.inboxes:
            _judge(inbox, rooms.get(inbox.room, {}), tally)
    twice = _stored_twice(known)
    return Truth(
        sent=sum(voice.sent for voice in voices.values()),
        acked=sum(len(voice.acked) for voice in voices.values()),
        refused=sum(size(voice.refused) for voice in voices.values()),
        unknown=sum(voice.sent - len(voice.acked) - size(voice.refused) for voice in voices.values()),
        expected=tally.expected,
        live=tally.live,
        caught_up=tally.caught_up,
        missed_live=tally.missed_live,
        lost=tally.lost,
        duplicate=tally.duplicate,
        out_of_order=tally.out_of_order,
        stored_twice=len(twice),
        foreign=tally.foreign,
        examples=_in_turn([tally.examples["lost"], twice, *(tally.examples[kind] for kind in _KINDS[1:])]),
    )


_KINDS = ("lost", "foreign", "missed_live", "duplicate", "out_of_order")


@dataclass(slots=True)
class _Tally:
    """Of the deliveries judged so far."""

    expected: int = 0
    live: int = 0
    caught_up: int = 0
    missed_live: int = 0
    lost: int = 0
    duplicate: int = 0
    out_of_order: int = 0
    foreign: int = 0
    examples: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in _KINDS})

    def show(self, kind: str, example: str) -> None:
        if len(self.examples[kind]) < EXAMPLES:
            self.examples[kind].append(example)


class _Voice:
    """One sender's messages in one room, as they are owed."""

    def __init__(self, outbox: OutboxData) -> None:
        self.sent = outbox.sent
        self.acked = outbox.acks.seen()
        self.refused = outbox.refused
        self.real = without(((1, outbox.sent),) if outbox.sent else (), outbox.refused)
        self._owed: dict[int, Runs] = {}

    def owed(self, from_seq: int) -> Runs:
        """Return the messages that are owed to whoever came in when `from_seq` was the last one."""
        if from_seq not in self._owed:
            self._owed[from_seq] = of(sorted(number for number, seq in self.acked.items() if seq > from_seq))
        return self._owed[from_seq]


def _judge(inbox: InboxData, senders: Mapping[int, _Voice], tally: _Tally) -> None:
    for sender, voice in senders.items():
        if sender != inbox.recipient:
            _judge_owed(inbox, sender, voice, tally)
    for sender in inbox.live.keys() | inbox.caught_up.keys() | inbox.final.keys():
        arrived = merged(chain(*(way.get(sender, ()) for way in (inbox.live, inbox.caught_up, inbox.final))))
        made_up = without(arrived, senders[sender].real if sender in senders else ())
        tally.foreign += size(made_up)
        for number in _few(made_up):
            tally.show("foreign", f"foreign: {_got(inbox)} message {number} of person {sender}, who did not send it")
    _add_counts(inbox, tally)


def _judge_owed(inbox: InboxData, sender: int, voice: _Voice, tally: _Tally) -> None:
    owed = voice.owed(inbox.from_seq)
    live = both(owed, inbox.live.get(sender, ()))
    late = without(owed, live)
    caught_up = both(late, inbox.caught_up.get(sender, ()))
    missed = without(late, caught_up)
    found = both(missed, inbox.final.get(sender, ()))
    lost = without(missed, found)
    tally.expected += size(owed)
    tally.live += size(live)
    tally.caught_up += size(caught_up)
    tally.missed_live += size(found)
    tally.lost += size(lost)
    for number in _few(lost):
        what = _message(sender, number, voice.acked[number])
        tally.show("lost", f"lost: {_who(inbox)} never got {what}")
    for number in _few(found):
        what = _message(sender, number, voice.acked[number])
        tally.show("missed_live", f"missed live: {_who(inbox)} got {what} only by asking")


def _add_counts(inbox: InboxData, tally: _Tally) -> None:
    tally.duplicate += inbox.duplicate
    tally.out_of_order += inbox.out_of_order
    tally.foreign += inbox.foreign
    if inbox.foreign:
        tally.show("foreign", f"foreign: {_got(inbox)} {inbox.foreign} messages with a spoilt client_id")
    for example in inbox.examples:
        what = _message(example.sender, example.number, example.seq)
        if example.kind == "duplicate":
            tally.show("duplicate", f"duplicate: {_got(inbox)} {what} again")
        else:
            tally.show("out_of_order", f"out of order: {_got(inbox)} {what} after a later one")


def _stored_twice(ledgers: Sequence[LedgerData]) -> list[str]:
    """Return a sentence for each message that has several `seq`, whoever learnt of them."""
    found: dict[Voice, list[Sightings]] = {}
    for ledger in ledgers:
        acks = ((voice, outbox.acks) for voice, outbox in ledger.outboxes.items())
        for voice, sightings in chain(acks, ledger.sightings.items()):
            found.setdefault(voice, []).append(sightings)
    return [
        f"stored twice: message {number} of person {sender} in room {room}, as seq {', '.join(map(str, sorted(seqs)))}"
        for (room, sender), all_sightings in found.items()
        for number, seqs in sorted(_differing(all_sightings).items())
    ]


def _differing(all_sightings: Sequence[Sightings]) -> dict[int, set[int]]:
    first: dict[int, int] = {}
    several: dict[int, set[int]] = {}
    for sightings in all_sightings:
        for number, seq in chain(sightings.seen().items(), sightings.further()):
            if first.setdefault(number, seq) != seq:
                several.setdefault(number, {first[number]}).add(seq)
    return several


def _in_turn(kinds: Sequence[Sequence[str]]) -> list[str]:
    """Return examples of all kinds, the first of each kind first."""
    turns = chain.from_iterable(zip_longest(*kinds))
    return list(islice((example for example in turns if example is not None), EXAMPLES))


def _few(runs: Runs) -> Iterator[int]:
    return islice((number for first, last in runs for number in range(first, last + 1)), EXAMPLES)


def _who(inbox: InboxData) -> str:
    return f"in room {inbox.room} person {inbox.recipient}"


def _got(inbox: InboxData) -> str:
    return f"{_who(inbox)} got"


def _message(sender: int, number: int, seq: int) -> str:
    return f"message {number} of person {sender} (seq {seq})"
