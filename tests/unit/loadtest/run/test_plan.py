"""Sharing out: every unit is in exactly one worker, and people come in evenly."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from loadtest.run.plan import GroupShare, Share, connections, default_workers, plan
from loadtest.scenarios.loader import load
from loadtest.scenarios.scenario import Scenario

workers_of = st.integers(min_value=1, max_value=9)
sizes_of = st.tuples(*[st.integers(min_value=1, max_value=40)] * 3)


def school(pairs: int, sessions: int, people: int) -> Scenario:
    """Return a small evening."""
    return load("evening", changes=[f"chats.pairs={pairs}", f"lessons.sessions={sessions}", f"others.people={people}"])


def parts(shares: Sequence[Share], name: str) -> list[GroupShare]:
    """Return each worker's part of a group."""
    return [group for share in shares for group in share if group.name == name]


@given(sizes_of, workers_of)
def test_every_unit_is_in_exactly_one_worker(sizes: tuple[int, int, int], workers: int) -> None:
    """The parts of a group follow each other without gap or overlap, and have their units' people."""
    scenario = school(*sizes)
    shares = plan(scenario, workers)
    assert workers == len(shares)
    for group in scenario.groups:
        found = parts(shares, group.name)
        assert list(range(group.units)) == [unit for part in found for unit in range(part.first, part.last)]
        size = group.kind.people_in_unit(group.fields)
        assert [size * (part.last - part.first) for part in found] == [len(part.people) for part in found]


@given(sizes_of, workers_of)
def test_everyone_has_a_number_of_their_own(sizes: tuple[int, int, int], workers: int) -> None:
    """Users are numbered through, the same way however many workers there are, so that reruns have the same users."""
    scenario = school(*sizes)
    users = {user.index: user for share in plan(scenario, workers) for group in share for user in group.people}
    assert list(range(scenario.people)) == sorted(users)
    assert users == {user.index: user for group in plan(scenario, 1)[0] for user in group.people}
    assert ("load-0", "Load 0", "student") == (users[0].id, users[0].name, users[0].role)


@given(sizes_of, workers_of)
def test_people_come_in_at_an_even_rate(sizes: tuple[int, int, int], workers: int) -> None:
    """All moments of all workers together are equally spaced over the ramp; who holds no connection has none."""
    scenario = school(*sizes)
    shares = plan(scenario, workers)
    moments = sorted(moment for share in shares for group in share for moment in group.moments)
    asked = scenario.connections
    assert [rank / asked for rank in range(asked)] == moments
    assert asked == sum(connections(share) for share in shares)
    assert [()] * workers == [part.moments for part in parts(shares, "requests")]


def test_groups_and_workers_come_in_side_by_side() -> None:
    """In the first half of the ramp about half of each group of each worker is in."""
    shares = plan(school(40, 4, 80), 2)
    for group in (group for share in shares for group in share if group.moments):
        early = sum(moment < 0.5 for moment in group.moments)
        assert abs(early - len(group.moments) / 2) <= 1, group.name


def test_a_teacher_leads_each_session() -> None:
    """Roles come from the behaviour, by a person's number within the group, in every worker."""
    lessons = parts(plan(school(1, 4, 1), 2), "lessons")
    roles = [user.role for part in lessons for user in part.people]
    assert [number for number, role in enumerate(roles) if role == "teacher"] == [0, 20, 40, 60]


def test_workers_follow_from_people_and_cores() -> None:
    """One for a few thousand people, and always a core left over."""
    cases = {(10, 8): 1, (6_000, 8): 1, (6_001, 8): 2, (60_000, 8): 7, (60_000, 2): 1, (60_000, 1): 1}
    assert cases == {case: default_workers(*case) for case in cases}
