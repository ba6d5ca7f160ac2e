"""The load tester against a server that refuses, stalls, dies and sends garbage: coded, counted, and never a hang.

Runs of a few seconds, several at a time, are shared by the tests.
"""

import pytest

from loadtest.measure.names import Count
from tests.support.faulty_plan import WOUNDS, Mishap, Obstacle, Plan, Slip, every
from tests.support.faulty_run import API, Case, Ended, perform

pytestmark = pytest.mark.timeout(150)
"""The first test of each fixture waits for its runs."""
OBSTACLES = {
    1: Obstacle.CLOSE,
    2: Obstacle.BAD_GATEWAY,
    3: Obstacle.TOO_MANY,
    4: Obstacle.NOT_HTTP,
    5: Obstacle.WRONG_ACCEPT,
    6: Obstacle.BAD_OPEN,
    7: Obstacle.CUT_AFTER_OPEN,
    8: Obstacle.OVERLOADED,
}
SILENCES = {1: Obstacle.STALL, 3: Obstacle.DRIP, 5: Obstacle.NO_OPEN, 7: Obstacle.NO_CONNECT}
MISHAPS = {
    8: Mishap.ERROR,
    11: Mishap.LIMITED,
    14: Mishap.BAD_GATEWAY,
    17: Mishap.HALF,
    20: Mishap.NOT_JSON,
    23: Mishap.SILENCE,
}
ENDINGS = (*WOUNDS, Slip.HUSH)
CASES = {
    "forbidden": Case(Plan(connects=every(1, Obstacle.FORBIDDEN))),
    "obstacles": Case(Plan(connects=OBSTACLES)),
    "silences": Case(Plan(connects=SILENCES), connect_timeout_s=1.0),
    "all stalled": Case(Plan(connects=every(1, Obstacle.STALL)), connect_timeout_s=1.0),
    "no pings": Case(Plan(pings=False, ping_interval_ms=1500, ping_timeout_ms=500)),
    "death": Case(Plan(dies_at=20)),
    "mishaps": Case(Plan(requests=MISHAPS), API),
    "nobody": Case(deaf=True),
}


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory) -> dict[Slip, Ended]:
    """A few chats for each way to end someone's connection, which happens twice."""
    cases = {
        slip: Case(Plan(messages={6: slip, 14: slip}, ping_interval_ms=300, ping_timeout_ms=200)) for slip in ENDINGS
    }
    return perform(cases, tmp_path_factory.mktemp("endings"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """Everything else."""
    return perform(CASES, tmp_path_factory.mktemp("others"))


def test_nobody_there(others: dict[str, Ended]) -> None:
    """A port where nobody listens: a report that says so, and an exit status of its own."""
    run = others["nobody"]
    assert (4, "unreachable") == (run.status, run.result.verdict)
    assert (8, 0) == (run.result.connections_failed, run.result.connections_peak)
    assert {("connect", "refused")} == set(run.faults)


def test_everyone_is_forbidden(others: dict[str, Ended]) -> None:
    """A server that lets nobody in is told apart from one that is not there, by its own code."""
    run = others["forbidden"]
    assert (4, "unreachable") == (run.status, run.result.verdict)
    assert {("connect", "auth.forbidden"): 8} == run.faults
    assert 8 == run.server.attempts


def test_everyone_is_kept_waiting(others: dict[str, Ended]) -> None:
    """A server that takes every connection and never answers is given up, by everyone."""
    run = others["all stalled"]
    assert ("unreachable", 8, 0) == (run.result.verdict, run.result.connections_failed, run.result.connections_peak)
    assert {("connect", "timeout")} == set(run.faults)


def test_each_obstacle_is_met_once_and_overcome(others: dict[str, Ended]) -> None:
    """Eight attempts fail in eight ways, each counted under its code; in the end everyone is in."""
    run = others["obstacles"]
    assert run.server.truth() == run.truth
    assert {
        ("connect", "lost"): 2,
        ("connect", "http_502"): 1,
        ("connect", "http_429"): 1,
        ("connect", "garbage"): 3,
        ("connect", "server.overloaded"): 1,
    } == run.faults
    assert (0, 8) == (run.result.connections_failed, run.result.connections_peak)


def test_silence_is_a_timeout(others: dict[str, Ended]) -> None:
    """Who gets no answer gives up in time and comes again, wherever in the handshake it fell silent."""
    run = others["silences"]
    assert run.server.truth() == run.truth
    assert {("connect", "timeout"): 4} == run.faults
    assert (0, 8) == (run.result.connections_failed, run.result.connections_peak)


@pytest.mark.parametrize("slip", ENDINGS)
def test_a_connection_that_ends_mid_run_is_made_anew(endings: dict[Slip, Ended], slip: Slip) -> None:
    """However it ends, it is counted once; the person comes back and catches up, and nothing is lost."""
    run = endings[slip]
    assert run.server.truth() == run.truth
    assert 2 == len(run.server.slips(slip))
    assert run.truth["caught_up"] >= 2
    assert (0, 2) == (run.truth["lost"], sum(one.count for one in run.result.faults if one.kind == "close"))


@pytest.mark.parametrize(
    ("slip", "reason"),
    [
        (Slip.END, "lost"),
        (Slip.DISCONNECT, "server"),
        (Slip.GARBAGE, "garbage"),
        (Slip.BAD_UTF8, "garbage"),
        (Slip.HUSH, "stalled"),
    ],
)
def test_the_end_of_a_connection_has_a_reason(endings: dict[Slip, Ended], slip: Slip, reason: str) -> None:
    """A cut, an order to go, nonsense and silence are told apart."""
    assert {("close", reason): 2} == endings[slip].faults


def test_a_server_that_never_pings_is_stalled(others: dict[str, Ended]) -> None:
    """Without a ping in time a connection is given up as stalled, as the protocol asks, and everyone comes back.

    The server cannot know what it sent too late to be heard: live and caught up only agree together.
    """
    run = others["no pings"]
    arrived = {"live": 0, "caught_up": run.truth["live"] + run.truth["caught_up"]}
    server = run.server.truth()
    assert server | {"live": 0, "caught_up": server["live"] + server["caught_up"]} == run.truth | arrived
    assert (0, 0) == (run.truth["missed_live"], run.truth["lost"])
    assert run.faults["close", "stalled"] >= 8


def test_a_server_that_dies_mid_run(others: dict[str, Ended]) -> None:
    """Everything closes for good in the middle: the report comes all the same, and calls nothing a success."""
    run = others["death"]
    server = run.server.truth()
    assert (20, 20) == (server["sent"], run.truth["acked"])
    assert 20 <= run.result.counts[Count.SENT] <= run.truth["sent"]  # the last ones may have met a server already dead
    assert run.truth["unknown"] == run.truth["sent"] - 20 > 0  # what was written, but never found a connection
    same = ("acked", "expected", "live", "lost")
    assert [server[name] for name in same] == [run.truth[name] for name in same]
    assert 8 == run.faults["close", "lost"]
    assert run.faults["connect", "lost"] >= 8
    assert 0 != run.status
    assert any("8 people" in note for note in run.result.notes)


def test_mishaps_of_the_api_are_counted_by_code(others: dict[str, Ended]) -> None:
    """Errors, a proxy's page, half an answer, nonsense and silence: each under its code, as often as it came."""
    run = others["mishaps"]
    assert set(MISHAPS.values()) == set(run.server.http.mishaps)
    codes = ["server.internal", "rate.limited", "http_502", "lost", "garbage", "timeout"]
    assert {("http", code): 1 for code in codes} == run.faults
