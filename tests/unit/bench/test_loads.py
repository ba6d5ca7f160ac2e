"""What the comparison offers: the sizes and rates that the goals name."""

import pytest

from bench.loads import DELIVERIES_PER_S, loads
from loadtest.behaviours.classroom import ClassroomFields
from loadtest.behaviours.lecture import LectureFields
from loadtest.behaviours.pairs import PairsFields
from loadtest.scenarios.loader import load
from loadtest.scenarios.scenario import Scenario


def scenario(name: str, *, quick: bool = False, share: float = 1.0) -> Scenario:
    """Return the scenario that a load runs, checked as the load tester does it."""
    asked = loads(quick=quick, share=share)[name]
    return load(asked.scenario, changes=asked.changes)


def rate(name: str, *, quick: bool = False, share: float = 1.0) -> float:
    """Return how many deliveries a second a load of one group offers."""
    (group,) = scenario(name, quick=quick, share=share).groups
    fields = group.fields
    if isinstance(fields, ClassroomFields):
        return group.people * fields.members / fields.student_every_s
    if isinstance(fields, LectureFields):
        return group.people * ((fields.speakers / fields.speaker_every_s) + 1 / fields.teacher_every_s)
    assert isinstance(fields, PairsFields)
    return group.people * 2 / fields.message_every_s


@pytest.mark.parametrize(
    ("name", "people"),
    [("idle", 10_000), ("returning", 10_000), ("pairs", 4_000), ("classroom", 5_000), ("lecture", 2_000)],
)
def test_as_many_come_as_the_goals_say(name: str, people: int) -> None:
    """Each load has its people, all of them connected."""
    assert people == scenario(name).connections


@pytest.mark.parametrize("name", ["classroom", "lecture"])
@pytest.mark.parametrize("share", [1.0, 0.125])
def test_the_rate_is_what_was_asked_for(name: str, share: float) -> None:
    """40,000 deliveries a second, or a server's share of them; a tenth in a hurry."""
    assert DELIVERIES_PER_S * share == pytest.approx(rate(name, share=share))
    assert DELIVERIES_PER_S * share / 10 == pytest.approx(rate(name, share=share, quick=True))


def test_a_share_of_chats_says_less() -> None:
    """As many people, and fewer messages."""
    assert rate("pairs") / 2 == pytest.approx(rate("pairs", share=0.5))
    assert scenario("pairs").people == scenario("pairs", share=0.5).people
