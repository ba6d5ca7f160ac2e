"""The truth in the plainest way: all that happened in one list, and each definition read off it."""

from dataclasses import dataclass
from typing import Literal

from loadtest.report.result import Truth


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened. `person` is whose outbox or inbox it happened to; not every kind has all the rest."""

    kind: Literal["send", "acked", "refused", "enter", "live", "caught_up", "final", "reconnected", "foreign"]
    room: str
    person: int
    sender: int = 0
    number: int = 0
    seq: int = 0


ARRIVALS = ("live", "caught_up", "final")

Message = tuple[str, int, int]
"""Room, sender, number."""


def naive_truth(steps: list[Step]) -> dict[str, int]:
    """Return all of Truth but its examples."""
    sent: set[Message] = set()
    for step in steps:
        if step.kind == "send":
            number = 1 + sum(1 for room, sender, _ in sent if (room, sender) == (step.room, step.person))
            sent.add((step.room, step.person, number))
    first_ack = {(each.room, each.person, each.number): each.seq for each in reversed(_of(steps, "acked"))}
    refused = {(each.room, each.person, each.number) for each in _of(steps, "refused")} - first_ack.keys()
    fates = [_fate(steps, enter, message) for enter in _of(steps, "enter") for message in _owed(enter, first_ack)]
    arrived = {(each.person, _message(each)) for each in steps if each.kind in ARRIVALS}
    duplicates = [each for each in range(len(steps)) if steps[each].kind == "live" and _is_duplicate(steps, each)]
    orderly = [each for each in range(len(steps)) if steps[each].kind == "live" and each not in duplicates]
    return {
        "sent": len(sent),
        "acked": len(first_ack),
        "refused": len(refused),
        "unknown": len(sent - refused - first_ack.keys()),
        "expected": len(fates),
        "live": fates.count("live"),
        "caught_up": fates.count("caught_up"),
        "missed_live": fates.count("final"),
        "lost": fates.count("never"),
        "duplicate": len(duplicates),
        "out_of_order": sum(_is_late(steps, each) for each in orderly),
        "stored_twice": sum(len(seqs) > 1 for seqs in _seqs(steps).values()),
        "foreign": sum(message not in sent - refused for _, message in arrived) + len(_of(steps, "foreign")),
    }


def figures(truth: Truth) -> dict[str, int]:
    """Return an audit's figures, to be compared with those above."""
    return truth.model_dump(exclude={"examples"})


def _of(steps: list[Step], kind: str) -> list[Step]:
    return [step for step in steps if step.kind == kind]


def _message(arrival: Step) -> Message:
    return arrival.room, arrival.sender, arrival.number


def _owed(enter: Step, first_ack: dict[Message, int]) -> list[Message]:
    return [
        message
        for message, seq in first_ack.items()
        if message[0] == enter.room and message[1] != enter.person and seq > enter.seq
    ]


def _fate(steps: list[Step], enter: Step, message: Message) -> str:
    ways = {each.kind for each in steps if each.person == enter.person and _message(each) == message}
    return next((way for way in ARRIVALS if way in ways), "never")


def _connection(steps: list[Step], at: int) -> list[Step]:
    """Return what came to the same inbox over the same connection before."""
    mine = [step for step in steps[:at] if (step.room, step.person) == (steps[at].room, steps[at].person)]
    begun = max((place for place, step in enumerate(mine) if step.kind == "reconnected"), default=-1)
    return [step for step in mine[begun + 1 :] if step.kind in {"live", "caught_up"}]


def _is_duplicate(steps: list[Step], at: int) -> bool:
    same = (steps[at].person, _message(steps[at]))
    had_live = any(each.kind == "live" and (each.person, _message(each)) == same for each in steps[:at])
    return had_live or any(
        each.kind == "caught_up" and _message(each) == same[1] for each in _connection(steps, at)
    )  # fmt: skip


def _is_late(steps: list[Step], at: int) -> bool:
    return any(each.seq > steps[at].seq for each in _connection(steps, at))


def _seqs(steps: list[Step]) -> dict[Message, set[int]]:
    found: dict[Message, set[int]] = {}
    for step in steps:
        if step.kind in ARRIVALS:
            found.setdefault(_message(step), set()).add(step.seq)
        elif step.kind == "acked":
            found.setdefault((step.room, step.person, step.number), set()).add(step.seq)
    return found
