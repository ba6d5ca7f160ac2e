"""The audit: against a naive reading of what happened, and fault by fault."""

import pickle
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadtest.report.result import Truth
from loadtest.truth.audit import audit
from loadtest.truth.ledger import Ledger
from loadtest.truth.stamp import Stamp
from tests.unit.loadtest.truth.oracle import ARRIVALS, Step, figures, naive_truth

ROOMS = ("chat", "chat", "chat", "hall")
PEOPLE = range(3)
KINDS = ("send", "acked", "refused", "enter", "reconnected", "foreign", *ARRIVALS)


def tell(steps: list[Step], workers: int) -> Truth:
    """Have ledgers live through all steps, each person in one of them, and return what the audit makes of it."""
    ledgers = [Ledger() for _ in range(workers)]
    for step in steps:
        ledger = ledgers[step.person % workers]
        match step.kind:
            case "send":
                ledger.outbox(step.room, step.person).next()
            case "acked":
                ledger.outbox(step.room, step.person).acked(step.number, step.seq)
            case "refused":
                ledger.outbox(step.room, step.person).refused(step.number)
            case "enter":
                ledger.inbox(step.room, step.person, from_seq=step.seq)
            case "live" | "caught_up" | "final":
                inbox = ledger.inbox(step.room, step.person, from_seq=0)
                getattr(inbox, step.kind)(Stamp(step.sender, step.number, 0), step.seq)
            case "reconnected" | "foreign":
                getattr(ledger.inbox(step.room, step.person, from_seq=0), step.kind)()
    return audit(pickle.loads(pickle.dumps(ledger.export())) for ledger in ledgers)  # noqa: S301 - our own


def possible(steps: list[Step]) -> list[Step]:
    """Leave out what cannot be: answers to messages that were not sent, and what comes to who is not in the room."""
    found: list[Step] = []
    sent: dict[tuple[str, int], int] = {}
    inside: set[tuple[str, int]] = set()
    for step in steps:
        place = (step.room, step.person)
        if step.kind in {"acked", "refused"} and step.number > sent.get(place, 0):
            continue
        if step.kind in {"reconnected", "foreign", *ARRIVALS} and (place not in inside or step.sender == step.person):
            continue
        if step.kind == "enter" and place in inside:
            continue
        if step.kind == "send":
            sent[place] = sent.get(place, 0) + 1
        if step.kind == "enter":
            inside.add(place)
        found.append(step)
    return found


RECONNECTED_BETWEEN = (Step("caught_up", "chat", 1, 2, 1, 1), Step("live", "chat", 1, 2, 1, 1))
BEGUN = [Step(kind, "chat", person) for kind in ("send", "enter") for person in PEOPLE]
anything = st.lists(
    st.builds(
        Step,
        st.sampled_from(KINDS),
        st.sampled_from(ROOMS),
        st.sampled_from(PEOPLE),
        st.sampled_from(PEOPLE),
        st.sampled_from([1, 1, 1, 2, 2, 3, 9_000]),
        st.integers(1, 8),
    ),
    max_size=60,
).map(lambda steps: possible([*BEGUN, *steps]))


@given(anything, st.integers(1, 3))
@example([*BEGUN, RECONNECTED_BETWEEN[0], Step("reconnected", "chat", 1), RECONNECTED_BETWEEN[1]], 1)
@settings(max_examples=300)
def test_it_agrees_with_the_definitions_whatever_happens(steps: list[Step], workers: int) -> None:
    """Any events in any order, people in any worker: every figure is what the plain definitions say."""
    assert naive_truth(steps) == figures(tell(steps, workers))


@given(st.integers(0, 2**32), st.integers(1, 3))
@settings(max_examples=200)
def test_it_agrees_with_the_definitions_in_a_life_with_faults(seed: int, workers: int) -> None:
    """A course as of a real room, with every fault sprinkled in: every figure is what the plain definitions say."""
    steps = course(random.Random(seed))
    assert naive_truth(steps) == figures(tell(steps, workers))


def course(chance: random.Random) -> list[Step]:
    """Return a room's life: people come in early and late, write, lose connections and catch up, faults all along."""
    steps: list[Step] = []
    held: dict[int, dict[tuple[int, int], int]] = {}
    log: dict[tuple[int, int], int] = {}
    sent = dict.fromkeys(PEOPLE, 0)
    for _ in range(chance.randrange(5, 40)):
        for person in PEOPLE:
            if person not in held and chance.random() < 0.4:
                held[person] = {}
                steps.append(Step("enter", "chat", person, seq=len(log)))
        writer = chance.choice(PEOPLE)
        sent[writer] += 1
        steps.append(Step("send", "chat", writer))
        answer = chance.choices(["acked", "refused", "nothing", "twice"], [20, 1, 1, 1])[0]
        seq = len(log) + 1
        if answer == "refused":
            steps.append(Step("refused", "chat", writer, number=sent[writer]))
        elif answer != "nothing":
            log[writer, sent[writer]] = seq
            steps.append(Step("acked", "chat", writer, number=sent[writer], seq=seq))
        if answer == "twice":
            steps.append(Step("acked", "chat", writer, number=sent[writer], seq=seq + 7))
        for person in chance.sample(list(held), len(held)):
            steps += deliveries(chance, person, writer, sent[writer], seq)
            if chance.random() < 0.1:
                steps.append(Step("reconnected", "chat", person))
                snapshot = [item for item in log.items() if item[0][0] != person][-chance.randrange(1, 5) :]
                steps += [Step("caught_up", "chat", person, who, number, at) for (who, number), at in snapshot]
    for person in held:
        found = [item for item in log.items() if item[0][0] != person and chance.random() < 0.9]
        steps += [Step("final", "chat", person, who, number, at) for (who, number), at in found]
    return steps


def deliveries(chance: random.Random, person: int, writer: int, number: int, seq: int) -> list[Step]:
    """Return how one message comes to one person: mostly once."""
    if person == writer:
        return []
    once = Step("live", "chat", person, writer, number, seq)
    earlier = Step("live", "chat", person, writer, max(1, number - 1), max(1, seq - 1))
    kinds = [[once], [], [once, once], [once, earlier], [Step("live", "chat", person, writer, number, seq + 3)]]
    return chance.choices(kinds, [20, 2, 1, 1, 1])[0]


IN = [Step("enter", "chat", 1), Step("enter", "chat", 2)]
SENT = [Step("send", "chat", 1), Step("acked", "chat", 1, number=1, seq=1)]
GOT = Step("live", "chat", 2, 1, 1, 1)
NEXT = [Step("send", "chat", 1), Step("acked", "chat", 1, number=2, seq=2)]


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([*IN, *SENT], "lost: in room chat person 2 never got message 1 of person 1 (seq 1)"),
        (
            [*IN, *SENT, Step("final", "chat", 2, 1, 1, 1)],
            "missed live: in room chat person 2 got message 1 of person 1 (seq 1) only by asking",
        ),
        ([*IN, *SENT, GOT, GOT], "duplicate: in room chat person 2 got message 1 of person 1 (seq 1) again"),
        (
            [*IN, *SENT, *NEXT, Step("live", "chat", 2, 1, 2, 2), GOT],
            "out of order: in room chat person 2 got message 1 of person 1 (seq 1) after a later one",
        ),
        (
            [*IN, *SENT, GOT, Step("acked", "chat", 1, number=1, seq=5)],
            "stored twice: message 1 of person 1 in room chat, as seq 1, 5",
        ),
        (
            [*IN, *SENT, GOT, Step("live", "chat", 2, 3, 8, 2)],
            "foreign: in room chat person 2 got message 8 of person 3, who did not send it",
        ),
        (
            [*IN, *SENT, GOT, Step("foreign", "chat", 2)],
            "foreign: in room chat person 2 got 1 messages with a spoilt client_id",
        ),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_an_example_names_who_and_which_message(steps: list[Step], sentence: str, workers: int) -> None:
    """One fault gives one sentence, with all one needs to look for it in the server's log."""
    assert [sentence] == tell(steps, workers).examples


def test_examples_are_few_and_of_every_kind() -> None:
    """A run in which nothing arrives, and one thing comes twice, shows both, in 20 sentences."""
    steps = [*IN, *SENT, GOT, GOT]
    for number in range(2, 200):
        steps += [Step("send", "chat", 1), Step("acked", "chat", 1, number=number, seq=number)]
    examples = tell(steps, 1).examples
    assert (20, 19, 1) == (
        len(examples),
        sum(each.startswith("lost") for each in examples),
        sum(each.startswith("duplicate") for each in examples),
    )


def test_a_message_without_an_answer_is_nobodys_fault() -> None:
    """It is unknown: lost if it does not arrive, but not foreign if it does."""
    sent = [*IN, Step("send", "chat", 1)]
    for steps in (sent, [*sent, GOT]):
        truth = tell(steps, 1)
        assert (1, 0, 0, 0) == (truth.unknown, truth.expected, truth.lost, truth.foreign)


def test_what_a_server_makes_up_fills_no_memory_and_breaks_nothing() -> None:
    """Numbers and places beyond all measure are taken in as they are."""
    ledger = Ledger()
    inbox = ledger.inbox("chat", 2, from_seq=0)
    assert inbox.live(Stamp(1, 10**15, 0), 10**30)
    assert inbox.caught_up(Stamp(1, 10**12, 0), -(10**30))
    ledger.outbox("chat", 1).next()
    ledger.outbox("chat", 1).acked(1, 10**40)
    data = ledger.export()
    assert 10_000 > len(pickle.dumps(data))
    assert (2, 1) == (audit([data]).foreign, audit([data]).lost)


@pytest.mark.parametrize("seq", ["7", None, 7.5, [7]])
def test_a_seq_that_is_no_number_is_refused(seq: object) -> None:
    """A server that writes it so is told apart from one that loses messages: the caller hears of it."""
    inbox = Ledger().inbox("chat", 2, from_seq=0)
    for take in (inbox.live, inbox.caught_up, inbox.final):
        with pytest.raises(TypeError):
            take(Stamp(1, 1, 0), seq)  # type: ignore[arg-type] # as JSON may have it
    assert {} == inbox.got
