"""A scenario as it is run: phases, promises, and groups of people with what they do."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from loadtest.behaviours.behaviour import Behaviour
from loadtest.report.result import FAIR_LAG_MS

DAY_S = 86_400


class BadScenario(ValueError):
    """A scenario that cannot be run; the message is one line for a person."""


class Head(BaseModel):
    """The top of a scenario's TOML file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = Field("", description="What it is, in a sentence.")
    ramp_s: float = Field(30, ge=0, le=DAY_S, description="How long it takes until everyone has begun to connect.")
    load_s: float = Field(60, gt=0, le=7 * DAY_S, description="How long the load lasts.")
    settle_s: float = Field(15, ge=0, le=DAY_S, description="How long to wait, at most, for what is still under way.")
    sync_s: float = Field(60, ge=0, le=DAY_S, description="How long everyone may take, at most, for the final sync.")
    seed: int = Field(1, description="What all random choices come from.")
    fair_lag_ms: float = Field(
        FAIR_LAG_MS, gt=0, description="How late 1 in 100 actions may begin until the run is not valid."
    )
    fail_if: tuple[str, ...] = Field((), description="When the run has failed, such as 'delivery.p99>100ms'.")


@dataclass(frozen=True, slots=True)
class Group:
    """People who behave alike."""

    name: str
    behaviour: str
    """A name of `loadtest.behaviours.registry`, or `module:Class`."""
    kind: type[Behaviour[Any]]
    fields: BaseModel

    @property
    def units(self) -> int:
        """How many units it has, of what cannot be split over workers."""
        return self.kind.count_units(self.fields)

    @property
    def people(self) -> int:
        """How many people it has."""
        return self.units * self.kind.people_in_unit(self.fields)

    @property
    def connections(self) -> int:
        """How many of them hold a connection."""
        return self.people if self.kind.connects else 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A checked scenario, after `--scale` and `--set`."""

    name: str
    head: Head
    groups: tuple[Group, ...]
    scale: float = 1.0

    @property
    def people(self) -> int:
        """How many people take part."""
        return sum(group.people for group in self.groups)

    @property
    def connections(self) -> int:
        """How many of them hold a connection."""
        return sum(group.connections for group in self.groups)

    def settings(self) -> dict[str, object]:
        """Return it as plain data, in the shape of its TOML file."""
        groups = {
            group.name: {"behaviour": group.behaviour, **group.fields.model_dump(mode="json")} for group in self.groups
        }
        return {**self.head.model_dump(mode="json", exclude={"about"}), "groups": groups}
