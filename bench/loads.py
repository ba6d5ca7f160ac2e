"""What is offered to every server: the loads of the comparison, by name."""

from collections.abc import Mapping
from typing import Final

from bench.trial import Load

SESSIONS: Final = 100
MEMBERS: Final = 50
HALL: Final = 2_000
DELIVERIES_PER_S: Final = 40_000.0
PAIRS: Final = 2_000
PAIR_EVERY_S: Final = 3.2
"""1,250 messages a second in all, which a server that commits each of them can still hold."""
PEOPLE: Final = 10_000
QUIET_S: Final = 25.0
"""Everyone is pinged once in it: a shorter stretch would hold more pings than their share, or none."""
COMING_PER_S: Final = 600
SEARCHED: Final = 20
"""Sessions in the search for the highest rate."""
EXTRAS: Final = 40
"""Members of each session in that search who only count what comes, so that it is not the generator's highest."""
MOST_PER_S: Final = 180_000.0
"""What the people of the search can say at most: each of them nearly four times a second."""
PHASES: Final = {"settle_s": 3, "sync_s": 10}


def loads(*, quick: bool, share: float = 1.0) -> Mapping[str, Load]:
    """Return the loads in their order, each `share` of its full rate, or of the people who say nothing.

    `idle` comes first, while the server's memory is untouched, and `returning` is the same people once more. The
    warm-up, for V8's compiler, is in no table.
    """
    load_s = 1.5 if quick else 4.0
    size = 0.1 if quick else 1.0
    rate = DELIVERIES_PER_S * share * size
    return {
        "idle": _idle(size * share, 3.0 if quick else QUIET_S),
        "returning": _idle(size * share, 1.0, after_s=3.0),
        "warm-up": classroom(10_000 * share, 1.5, sessions=5),
        "pairs": _pairs(round(PAIRS * size), PAIR_EVERY_S / share, load_s),
        "classroom": classroom(rate, load_s, sessions=round(SESSIONS * size)),
        "lecture": _lecture(rate, round(HALL * size), load_s),
    }


FIRST_ROUND: Final = frozenset({"idle", "returning"})
"""Loads that take long and whose figures hardly vary: they are measured once."""


def searched(per_s: float, load_s: float) -> Load:
    """Return what is offered in the search for the highest rate."""
    return classroom(per_s, load_s, sessions=SEARCHED, extras=EXTRAS)


def classroom(per_s: float, load_s: float, *, sessions: int, extras: int = 0) -> Load:
    """Return sessions in which everyone says as much as it takes for so many deliveries a second."""
    people = sessions * MEMBERS
    every_s = people * MEMBERS / per_s
    return _load(
        "classroom",
        people,
        load_s,
        {
            "lessons.sessions": sessions,
            "lessons.members": MEMBERS,
            "lessons.student_every_s": every_s,
            "lessons.teacher_every_s": every_s,
            "lessons.typing": "false",
            "lessons.receipts": "false",
            "lessons.extras": extras,
        },
    )


def _lecture(per_s: float, people: int, load_s: float) -> Load:
    """Return one room in which a teacher and 20 speakers say as much as it takes, and all others listen."""
    speakers = 20
    every_s = people * (speakers + 1) / per_s
    changes: dict[str, float | str] = {
        "hall.listeners": people - speakers - 1,
        "hall.speakers": speakers,
        "hall.speaker_every_s": every_s,
        "hall.teacher_every_s": every_s,
        "hall.receipts": "false",
    }
    return _load("lecture", people, load_s, changes)


def _pairs(pairs: int, every_s: float, load_s: float) -> Load:
    """Return chats of two, with acks, typing and receipts."""
    return _load("pairs", 2 * pairs, load_s, {"chats.pairs": pairs, "chats.message_every_s": every_s})


def _idle(size: float, load_s: float, after_s: float = 0.0) -> Load:
    """Return people who come, each with a room, and then say nothing."""
    people = round(PEOPLE * size)
    return _load("connect", people, load_s, {"people.people": people, "people.rooms": "true"}, after_s)


def _load(scenario: str, people: int, load_s: float, changes: Mapping[str, float | str], after_s: float = 0.0) -> Load:
    whole = {**changes, "ramp_s": people / COMING_PER_S, "load_s": load_s, **PHASES}
    return Load(scenario, tuple(f"{name}={value}" for name, value in whole.items()), after_s)
