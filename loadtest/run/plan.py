"""Who does what in which worker, and when each person is due to connect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from loadtest.behaviours.behaviour import Behaviour
from loadtest.client.tokens import User
from loadtest.scenarios.scenario import Group, Scenario

PEOPLE_PER_WORKER = 6000


@dataclass(frozen=True, slots=True)
class GroupShare:
    """One worker's part of a group: units `first` up to, not including, `last`, and their people."""

    name: str
    kind: type[Behaviour[Any]]
    fields: BaseModel
    first: int
    last: int
    people: tuple[User, ...]
    moments: tuple[float, ...]
    """For each person when to connect, as a share of the ramp from 0 up to, not including, 1; empty if none does."""


Share = tuple[GroupShare, ...]


def default_workers(people: int, cpus: int) -> int:
    """Return how many workers so many people ask for; a core is left to the coordinator, or to a local server."""
    return max(1, min(cpus - 1, -(-people // PEOPLE_PER_WORKER)))


def connections(share: Share) -> int:
    """Return how many connections a worker is to hold."""
    return sum(len(group.moments) for group in share)


def plan(scenario: Scenario, workers: int) -> tuple[Share, ...]:
    """Return each worker's share.

    People are numbered through all groups, so a rerun has the same users. The groups come in side by side, each at
    an even rate over the whole ramp, and so does each worker.
    """
    parts = [(worker, group) for worker in range(workers) for group in scenario.groups]
    units = [_part(group.units, worker, workers) for worker, group in parts]
    sizes = [group.kind.people_in_unit(group.fields) for _, group in parts]
    people = [len(some) * size for some, size in zip(units, sizes, strict=True)]
    moments = _moments([count * group.kind.connects for (_, group), count in zip(parts, people, strict=True)])
    starts = dict(zip((group.name for group in scenario.groups), _starts(scenario), strict=True))
    shares: list[list[GroupShare]] = [[] for _ in range(workers)]
    for (worker, group), some, size, whens in zip(parts, units, sizes, moments, strict=True):
        users = tuple(_user(group, starts[group.name], n) for n in range(some.start * size, some.stop * size))
        part = GroupShare(group.name, group.kind, group.fields, some.start, some.stop, users, tuple(whens))
        shares[worker].append(part)
    return tuple(tuple(share) for share in shares)


def _part(units: int, worker: int, workers: int) -> range:
    return range(units * worker // workers, units * (worker + 1) // workers)


def _starts(scenario: Scenario) -> list[int]:
    return [sum(group.people for group in scenario.groups[:i]) for i in range(len(scenario.groups))]


def _moments(sizes: Sequence[int]) -> list[list[float]]:
    """Return when each of each part's people comes: the parts side by side, all people at even distances."""
    order = sorted(((k + 0.5) / size, part, k) for part, size in enumerate(sizes) for k in range(size))
    moments = [[0.0] * size for size in sizes]
    for rank, (_, part, k) in enumerate(order):
        moments[part][k] = rank / len(order)
    return moments


def _user(group: Group, start: int, number: int) -> User:
    index = start + number
    return User(index, f"load-{index}", f"Load {index}", group.kind.role(group.fields, number))
