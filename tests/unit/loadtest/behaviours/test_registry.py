"""Behaviours by name, their shares of people, and fields that make no sense."""

from typing import Any

import pytest
from pydantic import ValidationError

from loadtest.behaviours.behaviour import Behaviour
from loadtest.behaviours.registry import BEHAVIOURS, BadBehaviour, find

SHAPES = [
    ("idle", {"people": 3}, 3, ["student"] * 3),
    ("pairs", {"pairs": 2}, 2, ["student"] * 4),
    ("classroom", {"sessions": 2, "members": 3}, 2, ["teacher", "student", "student"] * 2),
    ("lecture", {"listeners": 2, "speakers": 1}, 4, ["teacher", "student", "student", "student"]),
    ("storm", {"sessions": 1, "members": 3}, 1, ["teacher", "student", "student"]),
    ("slow_readers", {"sessions": 1, "members": 4, "slow": 2}, 1, ["teacher", "student", "student", "student"]),
    ("api", {"people": 2, "requests_per_s": 4}, 2, ["student"] * 2),
]


@pytest.mark.parametrize(("name", "fields", "units", "roles"), SHAPES)
def test_who_a_group_is(name: str, fields: dict[str, Any], units: int, roles: list[str]) -> None:
    """Units times people in a unit are the group's people, each with the role that the unit needs."""
    kind = find(name)
    model = kind.Fields(**fields)
    people = kind.count_units(model) * kind.people_in_unit(model)
    assert (units, roles) == (kind.count_units(model), [kind.role(model, number) for number in range(people)])


def test_only_api_users_hold_no_connection() -> None:
    """Whoever plans the ramp asks `connects`."""
    assert ["api"] == [name for name, kind in BEHAVIOURS.items() if not kind.connects]


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_can_be_scaled(name: str) -> None:
    """`--scale` changes the size of every group, and its defaults are valid."""
    fields = find(name).Fields.model_fields
    assert [] != [field for field in fields.values() if isinstance(field.json_schema_extra, dict)]
    assert [] == [key for key, field in fields.items() if not field.description]
    find(name).Fields()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("clasroom", "did you mean 'classroom'"),
        ("loadtest.behaviours.pairs:Pears", "has no behaviour of this name"),
        ("loadtest.behaviours.world:World", "has no behaviour of this name"),
        ("no_such_module_anywhere:Class", "No module named"),
        (":Class", "behaviour ':Class'"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(name: str, words: str) -> None:
    """A slip of the pen gets the nearest name, a wrong class a reason."""
    with pytest.raises(BadBehaviour) as refused:
        find(name)
    assert words in str(refused.value)
    assert 1 == len(str(refused.value).splitlines())


def test_a_behaviour_of_ones_own_is_found() -> None:
    """`module:Class` imports it."""
    assert issubclass(find("loadtest.behaviours.pairs:Pairs"), Behaviour)


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("api", {"people": 1, "requests_per_s": 100}, "too few"),
        ("api", {"me": 0, "rooms": 0, "messages": 0, "users": 0, "send": 0}, "must be above 0"),
        ("slow_readers", {"members": 4, "slow": 3}, "must go on reading"),
        ("pairs", {"message_every_s": 0.1}, "greater than or equal to 0.5"),
    ],
)
def test_fields_that_make_no_sense_are_refused(name: str, fields: dict[str, Any], words: str) -> None:
    """Before anyone connects, not in the middle of a run."""
    with pytest.raises(ValidationError, match=words):
        find(name).Fields(**fields)
