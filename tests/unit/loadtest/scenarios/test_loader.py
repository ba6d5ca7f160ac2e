"""Scenarios: those that come along are sound; what is wrong with one's own is said in one line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.report.thresholds import parse
from loadtest.scenarios.loader import load, shipped
from loadtest.scenarios.scenario import BadScenario

NAMES = ["api", "classroom", "connect", "evening", "lecture", "pairs", "slow-readers", "soak", "storm"]


def refused(name: str, *changes: str, scale: float = 1.0) -> str:
    """Return why a scenario is refused, which is always one line."""
    with pytest.raises(BadScenario) as caught:
        load(name, scale=scale, changes=changes)
    assert 1 == len(str(caught.value).splitlines())
    return str(caught.value)


def written(folder: Path, text: str) -> str:
    """Return the path of a scenario file with this text."""
    path = folder / "own.toml"
    path.write_text(text)
    return str(path)


def test_all_scenarios_come_along() -> None:
    """The documented names are those that are shipped."""
    assert NAMES == shipped()


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_can_be_run(name: str) -> None:
    """Each says what it is, has people, and its thresholds are understood."""
    scenario = load(name)
    assert scenario.head.about
    assert scenario.people > 0
    assert scenario.head.fail_if
    assert [] == [text for text in scenario.head.fail_if if parse(text) is None]


def test_an_evening_is_the_declared_peak() -> None:
    """At scale 1 it is what the project promises to carry."""
    scenario = load("evening")
    groups = {group.name: group.fields.model_dump() for group in scenario.groups}
    assert 10_000 == scenario.connections
    assert 1_000 == groups["chats"]["pairs"]
    assert 200 == groups["lessons"]["sessions"]
    assert 1_000 == groups["requests"]["requests_per_s"]


def test_scale_multiplies_people_and_traffic_but_no_times() -> None:
    """A tenth of an evening has a tenth of the people; it is as long, and each person does as much."""
    whole, tenth = load("evening"), load("evening", scale=0.1)
    groups = {group.name: group.fields.model_dump() for group in tenth.groups}
    assert (1_000, whole.head) == (tenth.connections, tenth.head)
    assert (100, 10) == (groups["chats"]["pairs"], groups["chats"]["message_every_s"])
    assert (20, 20) == (groups["lessons"]["sessions"], groups["lessons"]["members"])
    assert pytest.approx(100) == groups["requests"]["requests_per_s"]


@given(st.floats(min_value=1e-6, max_value=1.0))
def test_however_small_the_scale_everyone_has_company(scale: float) -> None:
    """No group is scaled away."""
    assert [] == [group for group in load("evening", scale=scale).groups if group.units < 1]


def test_a_change_comes_after_the_scale() -> None:
    """A number given by `--set` is the number that is run; words need no quotes, lists and tables are TOML."""
    changes = ["chats.pairs=7", "load_s = 5", "fail_if=['lost>0']", "lessons.typing=false"]
    scenario = load("evening", scale=0.1, changes=changes)
    groups = {group.name: group.fields.model_dump() for group in scenario.groups}
    assert (7, 20) == (groups["chats"]["pairs"], groups["lessons"]["sessions"])
    assert (5.0, ("lost>0",)) == (scenario.head.load_s, scenario.head.fail_if)
    assert groups["lessons"]["typing"] is False


def test_settings_are_what_was_run() -> None:
    """The plain data for the report has the scaled and changed values, in the shape of the file."""
    settings = load("pairs", scale=0.5, changes=["load_s=3"]).settings()
    assert 3.0 == settings["load_s"]
    assert isinstance(settings["groups"], dict)
    assert {"behaviour": "pairs", "pairs": 250} == {
        key: settings["groups"]["chats"][key] for key in ("behaviour", "pairs")
    }


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("evning", [], ["scenario 'evning'", "did you mean 'evening'"]),
        ("xyzzy", [], ["scenario 'xyzzy'", "classroom"]),
        ("nowhere.toml", [], ["nowhere.toml", "No such file"]),
        ("evening", ["chat.pairs=3"], ["group 'chat'", "'chats'"]),
        ("evening", ["chats.pair=3"], ["field 'pair'", "'pairs'"]),
        ("evening", ["load=3"], ["field 'load'", "'load_s'"]),
        ("evening", ["load_s"], ["load_s", "field=value"]),
        ("evening", ["load_s=soon"], ["load_s", "valid number"]),
        ("evening", ["chats.pairs=many"], ["groups.chats", "pairs", "valid integer"]),
        ("evening", ["chats.pairs=0"], ["pairs", "greater than or equal to 1"]),
        ("evening", ["chats.behaviour=pears"], ["behaviour 'pears'", "'pairs'"]),
        ("evening", ["about.x=1"], ["group 'about'"]),
    ],
)
def test_what_is_unknown_or_wrong_is_refused(name: str, changes: list[str], words: list[str]) -> None:
    """The sentence names what is wrong, and the nearest name that there is."""
    message = refused(name, *changes)
    assert [] == [word for word in words if word not in message], message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["[groups.NAME]"]),
        ("groups = 7", ["[groups.NAME]"]),
        ("[groups]\nchats = 7", ["[groups.NAME]"]),
        ("load_s = x\n", ["own.toml", "line 1"]),
        ("[groups.a]", ["groups.a", "behaviour is missing"]),
        ('[groups.a]\nbehaviour = "idel"', ["'idel'", "'idle'"]),
        ('[groups.a]\nbehaviour = "no_such_module:Class"', ["no_such_module"]),
        ('[groups.a]\nbehaviour = "idle"\npeple = 3', ["'peple'", "'people'"]),
        ('ramp = 3\n[groups.a]\nbehaviour = "idle"', ["'ramp'", "'ramp_s'"]),
        ('load_s = -1\n[groups.a]\nbehaviour = "idle"', ["load_s", "greater than 0"]),
        ('load_s = nan\n[groups.a]\nbehaviour = "idle"', ["load_s"]),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, words: list[str]) -> None:
    """One's own file is checked as strictly."""
    message = refused(written(tmp_path, text))
    assert [] == [word for word in words if word not in message], message


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are said to be so."""
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xff\xfe")
    assert "UTF-8" in refused(str(path))


@pytest.mark.parametrize("scale", [0.0, -1.0, 1001.0, float("nan"), float("inf")])
def test_a_scale_that_makes_no_sense_is_refused(scale: float) -> None:
    """So that a typing mistake does not start a hundred thousand people."""
    assert "scale" in refused("pairs", scale=scale)


def test_a_behaviour_of_ones_own_is_found_beside_the_file(tmp_path: Path) -> None:
    """`module:Class` next to the TOML file is imported from there."""
    (tmp_path / "quiet_people.py").write_text(
        "from loadtest.behaviours.idle import Idle\n\nclass Quiet(Idle):\n    '''Says nothing.'''\n"
    )
    scenario = load(written(tmp_path, '[groups.a]\nbehaviour = "quiet_people:Quiet"\npeople = 3'))
    assert ("own", 3, "Quiet") == (scenario.name, scenario.people, scenario.groups[0].kind.__name__)
