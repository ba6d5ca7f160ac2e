"""The load tester against a server that loses, repeats, reorders and delays: the report names each fault exactly.

The server keeps the truth about every message in its own books; a report must say the same, number by number.
Runs of a few seconds, several at a time, are shared by the tests.
"""

import pytest

from loadtest.measure.names import Metric
from tests.support.faulty_plan import Plan, Slip, every, scattered
from tests.support.faulty_run import CLASSROOM, LECTURE, PAIRS, Case, Ended, perform

pytestmark = pytest.mark.timeout(150)
"""The first test of each fixture waits for its runs."""
DELIVERY = {
    Slip.MISS: "missed_live",
    Slip.LOSE: "lost",
    Slip.LOSE_AND_REUSE: "lost",
    Slip.HIDE: "lost",
    Slip.REPEAT: "duplicate",
    Slip.SWAP: "out_of_order",
    Slip.GHOST: "foreign",
    Slip.FORGERY: "foreign",
    Slip.SPOILT: "foreign",
    Slip.REFUSE_AND_KEEP: "foreign",
}
"""What goes wrong at the recipients, and the number it must be counted in."""
ANSWERS = (Slip.REFUSE, Slip.NO_ACK, Slip.ACK_UNASKED, Slip.ACK_OTHER, Slip.ACK_TWICE, Slip.CUT, Slip.STORE_TWICE)
MIXTURE = (*[slip for slip in DELIVERY if slip is not Slip.SPOILT], Slip.REFUSE, Slip.NO_ACK, Slip.ACK_UNASKED)
ENDINGS = (Slip.CUT, Slip.END, Slip.DISCONNECT, Slip.STORE_TWICE)
"""What else may happen to a message in a mixture."""
TWO = ("--workers", "2")
POLLING = ("--workers", "2", "--transport", "polling")
HASTY = ("--set", "fair_lag_ms=0.001")
"""Makes every generator a late one."""
CASES = {
    "clean": Case(),
    "strangers": Case(Plan(messages=every(5, Slip.STRANGER)), CLASSROOM),
    "late": Case(Plan(delivery_delay_ms=120, ack_delay_ms=60)),
    "half late": Case(Plan(delivery_delay_ms=150, delay_every=2), CLASSROOM),
    "mixed pairs": Case(Plan(messages=scattered(1, MIXTURE, share=0.4)), PAIRS, TWO),
    "mixed lecture": Case(Plan(messages=scattered(2, MIXTURE, share=0.4)), LECTURE, TWO),
    "mixed endings": Case(Plan(messages=scattered(3, [*MIXTURE, *ENDINGS], share=0.4)), PAIRS, TWO),
    "mixed resets": Case(Plan(messages=scattered(4, [*MIXTURE, *ENDINGS], share=0.4), sync_limit=1), CLASSROOM, TWO),
    "late generator": Case(arguments=(*HASTY, "--fail-if", "lost>0")),
    "late generator, lost": Case(Plan(messages=every(5, Slip.LOSE)), PAIRS, (*HASTY, "--fail-if", "lost>0")),
    "mixed polling": Case(Plan(messages=scattered(5, [*MIXTURE, *ENDINGS], share=0.4)), PAIRS, POLLING),
}


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> dict[Slip, Ended]:
    """A live session for each slip of delivery; every fifth message slips."""
    cases = {
        slip: Case(Plan(messages=every(5, slip)), CLASSROOM, ("--fail-if", f"{number}>0", "--fail-if", "unknown>0"))
        for slip, number in DELIVERY.items()
    }
    return perform(cases, tmp_path_factory.mktemp("delivery"))


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[Slip, Ended]:
    """A few chats for each slip of an ack; every eighth message slips."""
    cases = {slip: Case(Plan(messages=every(8, slip))) for slip in ANSWERS}
    return perform(cases, tmp_path_factory.mktemp("answers"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """Runs with delays and mixtures."""
    return perform(CASES, tmp_path_factory.mktemp("others"))


def assert_same(run: Ended) -> None:
    """Check the report against the server's own books, and that every delivery owed became one thing."""
    assert run.server.truth() == run.truth
    assert run.truth["live"] > 0
    assert run.truth["expected"] == sum(run.truth[name] for name in ("live", "caught_up", "missed_live", "lost"))


def assert_named(run: Ended, slip: Slip) -> None:
    """Check that the first slip is among the examples: room, recipient, sender and number of the message."""
    met = run.server.slips(slip)
    assert met
    where, stamp = met[0], met[0].client_id.split(".")
    message = f"message {int(stamp[3], 36)} of person {int(stamp[2], 36)}"
    people = [f"in room {where.room_id} person {run.server.number_of(user_id)} " for user_id in where.recipients]
    said = [line for line in run.result.truth.examples if message in line]
    assert [] != [line for line in said if any(person in line for person in people)], run.examples


def test_a_faultless_server_gets_a_clean_report(others: dict[str, Ended]) -> None:
    """Without a fault nothing is counted but what was sent: the tester accuses nobody."""
    run = others["clean"]
    assert_same(run)
    assert {} == run.faults
    assert "" == run.examples
    clean = dict.fromkeys(run.truth, 0) | {name: run.truth[name] for name in ("sent", "expected")}
    assert clean | {"acked": clean["sent"], "live": clean["expected"]} == run.truth


def test_messages_of_others_are_no_fault(others: dict[str, Ended]) -> None:
    """Someone who is not of the run may write in its rooms: nobody is accused, and nothing is missed."""
    run = others["strangers"]
    assert_same(run)
    assert run.server.slips(Slip.STRANGER)
    assert (0, {}, "") == (run.truth["foreign"], run.faults, run.examples)


@pytest.mark.parametrize("slip", DELIVERY)
def test_a_slip_of_delivery_is_counted_for_each_person_it_met(delivery: dict[Slip, Ended], slip: Slip) -> None:
    """Every fifth message slips: the number is that of the people it met, all else is right, and examples say where."""
    run = delivery[slip]
    assert_same(run)
    assert run.truth[DELIVERY[slip]] == sum(len(one.recipients) for one in run.server.slips(slip))
    if slip is not Slip.SPOILT:  # it has no number to be named by
        assert_named(run, slip)


def test_refused_messages_are_counted_under_their_code(answers: dict[Slip, Ended]) -> None:
    """A refusal is neither acked nor lost; the code of each is in the list of errors."""
    run = answers[Slip.REFUSE]
    assert_same(run)
    assert {("ack", "room.muted"): len(run.server.slips(Slip.REFUSE))} == run.faults
    assert run.truth["refused"] > 0


@pytest.mark.parametrize("slip", [Slip.NO_ACK, Slip.ACK_UNASKED, Slip.ACK_OTHER])
def test_a_message_without_an_answer_of_its_own_is_unknown(answers: dict[Slip, Ended], slip: Slip) -> None:
    """It arrived, but nobody promised that: it counts neither as acked nor as foreign."""
    run = answers[slip]
    assert_same(run)
    assert run.truth["unknown"] == len(run.server.slips(slip)) > 0
    assert ({("protocol", "wrong_ack"): run.truth["unknown"]} if slip is Slip.ACK_OTHER else {}) == run.faults


def test_a_second_ack_changes_nothing(answers: dict[Slip, Ended]) -> None:
    """An ack that comes twice is one ack."""
    run = answers[Slip.ACK_TWICE]
    assert_same(run)
    assert run.server.slips(Slip.ACK_TWICE)
    assert run.truth["sent"] == run.truth["acked"]


def test_a_lost_ack_is_healed_by_sending_again(answers: dict[Slip, Ended]) -> None:
    """The connection ends instead of the ack: sent again under the same id, the message is one, and not lost."""
    run = answers[Slip.CUT]
    assert_same(run)
    assert run.server.slips(Slip.CUT)
    assert (run.truth["sent"], 0) == (run.truth["acked"], run.truth["stored_twice"])


def test_a_message_stored_twice_is_found(answers: dict[Slip, Ended]) -> None:
    """A server that forgets `client_id` stores the resent message again: found although the first ack never came."""
    run = answers[Slip.STORE_TWICE]
    assert_same(run)
    assert run.truth["stored_twice"] == len(run.server.slips(Slip.STORE_TWICE)) > 0
    first = run.server.slips(Slip.STORE_TWICE)[0]
    assert f"in room {first.room_id}, as seq {first.seq}, " in run.examples


def test_delays_show_where_they_are(others: dict[str, Ended]) -> None:
    """Every delivery is 120 ms late and every ack 60 ms: none is measured shorter, and each apart."""
    run = others["late"]
    assert_same(run)
    assert run.result.latency[Metric.DELIVERY].min >= 120 > run.result.latency[Metric.ACK].min >= 60


def test_a_delay_for_some_shows_in_the_upper_percentiles(others: dict[str, Ended]) -> None:
    """Half of the people are served 150 ms late: the upper percentiles show it, the fastest delivery does not."""
    run = others["half late"]
    assert_same(run)
    delivery = run.result.latency[Metric.DELIVERY]
    assert delivery.p90 >= 150 > delivery.min


@pytest.mark.parametrize("name", ["mixed pairs", "mixed lecture"])
def test_all_at_once_over_two_workers(others: dict[str, Ended], name: str) -> None:
    """Two of five messages slip, in many ways; the people live in two processes; all numbers agree."""
    run = others[name]
    assert_same(run)
    assert 2 == run.result.generator.workers
    assert len({one.slip for one in run.server.committed}) >= 5


@pytest.mark.parametrize("name", ["mixed endings", "mixed resets"])
def test_all_at_once_with_connections_that_end(others: dict[str, Ended], name: str) -> None:
    """What came live, what came by catching up, even page by page, and what is lost are told apart."""
    run = others[name]
    assert_same(run)
    assert run.truth["caught_up"] > 0
    assert {"close"} <= {one.kind for one in run.result.faults}


def test_all_at_once_over_long_polling(others: dict[str, Ended]) -> None:
    """The numbers are the same over the other transport."""
    run = others["mixed polling"]
    assert_same(run)
    assert "polling" == run.result.transport


def test_what_is_lost_is_lost_however_late_the_generator(others: dict[str, Ended]) -> None:
    """A late generator makes figures worthless, and the run not valid; but not a lost message untrue."""
    clean, lost = others["late generator"], others["late generator, lost"]
    assert ("invalid", 3) == (clean.result.verdict, clean.status)
    assert ("failed", 1) == (lost.result.verdict, lost.status)
    assert not clean.result.generator.valid
    assert not lost.result.generator.valid


@pytest.mark.parametrize("slip", DELIVERY)
def test_a_threshold_on_a_fault_sets_the_exit_status(delivery: dict[Slip, Ended], slip: Slip) -> None:
    """One fault is enough for a threshold such as `lost>0`; one that holds stays well."""
    run = delivery[slip]
    checks = {check.text: check.ok for check in run.result.checks}
    assert {f"{DELIVERY[slip]}>0": False, "unknown>0": True} == checks
    assert ("failed", 1) == (run.result.verdict, run.status)
