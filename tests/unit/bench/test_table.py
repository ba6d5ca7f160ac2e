"""The table of the comparison: medians, ratios and doubts."""

from bench.search import Highest
from bench.table import Found, as_data, as_text
from bench.trial import Trial


def trial(cpu_us: float, *, kept_up: bool = True, doubts: tuple[str, ...] = ()) -> Trial:
    """Return a run with this CPU per delivery."""
    return Trial(
        deliveries_per_s=1000,
        cpu_us=cpu_us,
        broker_cpu_us=None,
        p50_ms=1,
        p99_ms=2,
        connect_ms=0.5,
        connection_kb=10,
        load_cores=0.01,
        kept_up=kept_up,
        doubts=doubts,
    )


def line(text: str, title: str) -> str:
    """Return the line of a figure, its spaces made one."""
    return " ".join(next(row for row in text.splitlines() if row.startswith(title)).split())


def test_medians_are_compared_with_the_reference() -> None:
    """Each cell is the median of the rounds and, in brackets, how many times the reference's it is."""
    ours = Found({"pairs": [trial(4), trial(5), trial(90)]}, Highest(3000, at_least=True))
    theirs = Found({"pairs": [trial(10), trial(10), trial(11)]}, Highest(2000, at_least=False))
    text = as_text({"engine": ours, "node": theirs})
    title = "chats of two: CPU per delivery, µs"
    assert f"{title} 5.0 (0.50) 10.0 (1.00)" == line(text, title)
    title = "highest deliveries/s with p99 < 100 ms"
    assert f"{title} ≥3,000 (1.50) 2,000 (1.00)" == line(text, title)


def test_without_the_reference_there_are_no_ratios() -> None:
    """On a machine without Node the figures stand alone."""
    text = as_text({"engine": Found({"pairs": [trial(4)]})})
    title = "chats of two: CPU per delivery, µs"
    assert f"{title} 4.0" == line(text, title)


def test_doubts_are_told() -> None:
    """A figure with a doubt is marked, and the doubt is said once below the table."""
    late = trial(10, doubts=("The generator was late.",))
    text = as_text({"engine": Found({"pairs": [trial(4, kept_up=False)]}), "node": Found({"pairs": [late, late]})})
    title = "chats of two: CPU per delivery, µs"
    assert f"{title} !4.0 (0.40) !10.0 (1.00)" == line(text, title)
    assert [
        "! Homeroom's engine, pairs: the server did not keep up",
        "! Socket.IO 4.8 on Node, pairs: The generator was late.",
    ] == text.splitlines()[-2:]


def test_machines_get_all_rounds() -> None:
    """The JSON has the median and the value of every round."""
    (data,) = as_data({"node": Found({"pairs": [trial(4), trial(8), trial(5)]}, Highest(2000, at_least=False))})
    figures = data["figures"]
    assert isinstance(figures, dict)
    assert {"median": 5, "rounds": [4, 8, 5]} == figures["chats of two: CPU per delivery, µs"]
    assert {"per_s": 2000, "at_least": False} == data["highest deliveries/s with p99 < 100 ms"]
