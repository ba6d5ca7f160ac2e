"""Thresholds: what they say, what they find, and how they refuse what is none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.measure.names import Count, Metric
from loadtest.report.result import Check, Result, Truth
from loadtest.report.thresholds import NAMES, BadThreshold, check, parse
from tests.unit.loadtest.report import sample


def checked(text: str, result: Result | None = None) -> Check:
    """Return what a threshold finds."""
    return check(parse(text), sample.evening() if result is None else result)


def with_truth(**changes: int) -> Result:
    """Return an evening with other messages."""
    result = sample.evening()
    return result.model_copy(update={"truth": result.truth.model_copy(update=changes)})


@pytest.mark.parametrize(
    ("comparison", "holds"),
    [(">", (True, True, False)), (">=", (True, False, False)), ("<", (False, True, True)),
     ("<=", (False, False, True)), ("==", (True, False, True)), ("!=", (False, True, False))],
)  # fmt: skip
def test_the_expression_says_when_it_fails(comparison: str, holds: tuple[bool, ...]) -> None:
    """Of a value below, at and above the limit."""
    assert holds == tuple(checked(f"lost{comparison}5", with_truth(lost=lost)).ok for lost in (4, 5, 6))


@pytest.mark.parametrize(
    ("limit", "ok"),
    [("9000us", False), ("9.5ms", True), ("0.0095s", True), ("0.0001min", False), ("1_000ms", True), ("0", False)],
)
def test_times_have_units(limit: str, ok: bool) -> None:
    """A p99 of a little over 9 ms, against the same limit said in other ways."""
    result = sample.evening()
    ack = result.latency[Metric.ACK].model_copy(update={"p99": 9.1})
    result = result.model_copy(update={"latency": result.latency | {Metric.ACK: ack}})
    assert Check(text=f"ack.p99>{limit}", actual="9.1 ms", ok=ok) == checked(f" ack.p99 > {limit} ", result)


@pytest.mark.parametrize("stat", ["p50", "p90", "p99", "p99_9", "p99_99", "max", "mean"])
def test_every_statistic_is_read_as_it_is(stat: str) -> None:
    """Just below and just above what was measured."""
    value = getattr(sample.evening().latency[Metric.DELIVERY], stat)
    found = [checked(f"delivery.{stat}>{value + by:.6f}ms").ok for by in (-0.001, 0.001)]
    assert [False, True] == found


def test_percentiles_may_be_written_with_a_dot() -> None:
    """`p99.9` is `p99_9`; the text stays as it was written, the name is one."""
    for dotted, plain in (("ack.p99.9>1s", "ack.p99_9"), ("ack.p99.99>1s", "ack.p99_99")):
        assert (dotted, plain) == (parse(dotted).text, parse(dotted).name)


def test_silence_is_no_success() -> None:
    """A latency, or the server's use, of which there is no data does not hold, either way."""
    result = sample.evening().model_copy(update={"latency": {}, "server": None})
    for text in ("delivery.p99>1min", "delivery.p99<1min", "server.cpu>5", "server.rss>9999MB"):
        assert Check(text=text, actual="no data", ok=False) == checked(text, result)
    assert Check(text="delivery.count==0", actual="0", ok=False) == checked("delivery.count==0", result)


def test_a_counter_without_events_is_zero() -> None:
    """Nothing went wrong: that is data."""
    result = sample.evening().model_copy(update={"counts": {}, "faults": []})
    for text in ("resent>0", "errors>0"):
        assert Check(text=text, actual="0", ok=True) == checked(text, result)


def test_a_percentage_is_of_what_was_owed() -> None:
    """Deliveries of those owed, messages of those sent, people of those who were to come, processors of one."""
    result = with_truth(expected=2000, lost=1, sent=400, unknown=2)
    assert Check(text="lost>0.05%", actual="0.05 %", ok=True) == checked("lost>0.05%", result)
    assert Check(text="lost>0.04%", actual="0.05 %", ok=False) == checked("lost>0.04%", result)
    assert Check(text="unknown>=0.5%", actual="0.5 %", ok=False) == checked("unknown>=0.5%", result)
    assert Check(text="server.cpu>60%", actual="63 %", ok=False) == checked("server.cpu>60%", result)
    assert Check(text="lost>1%", actual="no data", ok=False) == checked("lost>1%", with_truth(expected=0))


def test_rates_are_of_the_load() -> None:
    """Per second of the load phase, whatever the rest of the run took."""
    result = sample.evening().model_copy(update={"counts": {Count.ACKED: 24_000}})
    assert [True, False] == [checked(text, result).ok for text in ("acked.rate<100", "acked.rate<101")]


def test_the_errors_are_those_of_the_whole_run() -> None:
    """Also while people connected."""
    result = sample.evening()
    total = sum(fault.count for fault in result.faults)
    assert Check(text=f"errors!={total}", actual=f"{total}", ok=True) == checked(f"errors!={total}")


def test_what_the_server_used_has_names() -> None:
    """In the units of the report."""
    expected = {
        "server.cpu==0.63": "0.63 cores",
        "server.rss==141.5MB": "142 MB",
        "server.kb_per_connection==33.5": "33.5 KB",
        "server.us_per_delivery==310": "310 µs",
        "server.ms_per_connect==0.66": "0.66 ms",
    }
    assert {text: (shown, False) for text, shown in expected.items()} == {
        text: (checked(text).actual, checked(text).ok) for text in expected
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("delivry.p99>1ms", "did you mean 'delivery.p99'?"),
        ("delivery.p95>1ms", "did you mean 'delivery.p99'?"),
        ("losst>0", "did you mean 'lost'?"),
        ("delivery.p99", "should look like"),
        ("", "should look like"),
        ("lost>", "should look like"),
        ("lost>-1", "should look like"),
        ("lost>0 and foreign>0", "should look like"),
        ("delivery.p99>100", "delivery.p99 needs one of us, ms, s, min"),
        ("delivery.p99>100MB", "delivery.p99 needs one of us, ms, s, min, not 'MB'"),
        ("delivery.p99>10%", "delivery.p99 needs one of us, ms, s, min, not '%'"),
        ("lost>5ms", "lost needs one of %, not 'ms'"),
        ("sent>5ms", "sent needs no unit, not 'ms'"),
        ("server.rss>5", "server.rss needs one of KB, MB"),
    ],
)
def test_what_is_no_threshold_is_refused_with_what_was_meant(text: str, message: str) -> None:
    """Before the run, not after an hour of it."""
    with pytest.raises(BadThreshold, match=re.escape(message)):
        parse(text)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Never another exception."""
    try:
        assert parse(text).name in NAMES
    except BadThreshold:
        return


def test_everything_that_is_measured_has_a_name() -> None:
    """All of Truth, every count with its rate, every latency with its statistics."""
    wanted = [name for name in Truth.model_fields if name != "examples"]
    wanted += [f"{count}{rate}" for count in Count for rate in ("", ".rate")]
    wanted += [f"{metric}.{stat}" for metric in Metric for stat in ("p50", "p99_9", "max", "mean", "count")]
    wanted += ["connections_failed", "connections_peak", "generator.lag"]
    assert [] == sorted(set(wanted) - set(NAMES))


def test_every_name_can_be_checked() -> None:
    """Against a full result: each with a limit of 0, which needs no unit."""
    evening = sample.evening()
    assert {False} == {check(parse(f"{name}>=0"), evening).ok for name in NAMES}
