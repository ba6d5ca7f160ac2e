"""Comparisons of two runs."""

import io

import pytest
from hypothesis import Phase, given, settings
from rich.console import Console

from loadtest.measure.names import Count, Metric
from loadtest.report.compare import Judgement, Row, compare, notes, table, text
from loadtest.report.result import Result
from tests.unit.loadtest.report import sample


def rows(before: Result, after: Result) -> dict[str, Row]:
    """Return a comparison by name."""
    return {row.name: row for row in compare(before, after)}


def with_delivery(p99: float) -> Result:
    """Return an evening on which deliveries took so long."""
    result = sample.evening()
    delivery = result.latency[Metric.DELIVERY].model_copy(update={"p99": p99})
    return result.model_copy(update={"latency": result.latency | {Metric.DELIVERY: delivery}})


def with_acked(acked: int) -> Result:
    """Return an evening of so many messages."""
    result = sample.evening()
    return result.model_copy(update={"counts": result.counts | {Count.ACKED: acked}})


def test_a_run_is_like_itself() -> None:
    """No figure differs, and nothing is to be noted."""
    evening = sample.evening()
    assert {"same"} == {row.judgement for row in compare(evening, evening)}
    assert [] == notes(evening, evening)


@pytest.mark.parametrize(
    ("before", "after", "judgement", "change"),
    [
        (100, 104, "same", "+4 %"),
        (100, 95, "same", "-5 %"),
        (100, 106, "worse", "+6 %"),
        (100, 94, "better", "-6 %"),
        (10, 100, "worse", "× 10"),
    ],
)
def test_a_longer_wait_is_worse(before: float, after: float, judgement: Judgement, change: str) -> None:
    """From 5 % on."""
    row = rows(with_delivery(before), with_delivery(after))["delivery.p99"]
    assert (judgement, change) == (row.judgement, row.change)


def test_more_messages_are_better() -> None:
    """The direction is the figure's own."""
    found = [rows(with_acked(one), with_acked(other))["acked.rate"].judgement for one, other in ((24, 48), (48, 24))]
    assert ["better", "worse"] == found


def test_a_first_loss_is_worse_though_it_is_no_multiple_of_none() -> None:
    """From 0 to 2 there is no ratio, but a judgement."""
    row = rows(sample.evening(), sample.failed())["lost"]
    assert ("0", "2", None, "", "worse") == (row.before, row.after, row.ratio, row.change, row.judgement)


def test_what_only_one_run_has_is_shown_without_a_judgement() -> None:
    """A figure of neither is left out."""
    without = sample.evening().model_copy(update={"server": None, "latency": {}})
    found = rows(sample.evening(), without)["server.cpu"]
    assert ("0.63 cores", "–", None, "unknown") == (found.before, found.after, found.ratio, found.judgement)
    assert [] == [name for name in rows(without, without) if name.startswith(("server.", "delivery."))]


def test_runs_of_different_things_are_noted() -> None:
    """Each difference that may explain all the others is a sentence."""
    before = sample.evening(settings={"load_s": 60, "chats": {"pairs": 5, "message_every_s": 10}})
    after = sample.evening(
        settings={"load_s": 60, "chats": {"pairs": 6, "message_every_s": 10}, "others": {"people": 3}},
        scenario="soak", url="http://other:1", transport="polling", scale=0.5, verdict="invalid", stopped_early=True,
    )  # fmt: skip
    assert [
        "Different scenarios: evening, then soak.",
        f"Different servers: {before.url}, then http://other:1.",
        "Different transports: websocket, then polling.",
        f"Different scales: {before.scale}, then 0.5.",
        "Different settings: chats.pairs, others.",
        "The second run is invalid: its figures are not the server's.",
        "The second run was stopped early.",
    ] == notes(before, after)


def test_the_table_and_the_text_tell_every_row() -> None:
    """A terminal of 100 columns cuts nothing off; the text has a line for each."""
    before, after = sample.evening(), sample.failed()
    console = Console(file=io.StringIO(), width=100)
    console.print(table(before, after))
    assert isinstance(console.file, io.StringIO)
    drawn, plain = console.file.getvalue(), text(before, after)
    for row in compare(before, after):
        assert any(row.name in line and row.before in line and row.after in line for line in drawn.splitlines())
        assert f"{row.name}: {row.before} → {row.after}" in plain
    assert "…" not in drawn


@given(sample.results())
@settings(max_examples=20, phases=[Phase.explicit, Phase.generate])  # large: shrinking would take minutes
def test_any_result_can_be_compared(result: Result) -> None:
    """Whatever is in it, and without a letter that steers the terminal."""
    for before, after in ((sample.evening(), result), (result, sample.evening())):
        console = Console(file=io.StringIO(), width=100, color_system=None)
        console.print(table(before, after))
        assert isinstance(console.file, io.StringIO)
        assert "\x1b" not in console.file.getvalue() + text(before, after)
