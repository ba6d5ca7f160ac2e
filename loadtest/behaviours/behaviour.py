"""What every behaviour is: one class to a kind of group, which plays its share of the group in one worker."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from loadtest.behaviours.person import Person
from loadtest.behaviours.world import World
from loadtest.client.tokens import User


def scaled(default: float, *, about: str, **limits: Any) -> Any:
    """Return a field that `--scale` multiplies: how many, or how often in all."""
    return Field(default, description=about, json_schema_extra={"scales": True}, **limits)


class Fields(BaseModel):
    """What a group says in its TOML table, beside `behaviour`. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


F = TypeVar("F", bound=Fields)


class Behaviour(ABC, Generic[F]):
    """A worker's share of one group: units `first` up to, not including, `last` of all that the group has.

    A unit is what cannot be split over workers: a pair, a live session, one listener of a lecture. People are
    numbered through: unit `u` has `people_in_unit` people from `u * people_in_unit` on, counted within the group.

    Life: made → everyone in `people` is connected by the worker along the ramp → `prepare` → `begin` (schedules its
    load with `world.schedule`, returns at once) → the worker stops the schedule, waits, and syncs everyone.
    """

    Fields: ClassVar[type[BaseModel]]
    connects: ClassVar[bool] = True
    """Whether its people hold connections. If not, `people` stays empty, and nobody of them is to be connected."""

    def __init__(self, world: World, fields: F, group: str, first: int, last: int, people: Sequence[User]) -> None:
        self.world = world
        self.fields = fields
        self.group = group
        self.units = range(first, last)
        self.users = people
        """Those of this share, in the order of units."""
        self.people: list[Person] = [Person(world, user) for user in people] if self.connects else []
        """`users` as simulated people; subclasses may replace this by people who behave otherwise."""

    @classmethod
    @abstractmethod
    def count_units(cls, fields: F) -> int:
        """Return how many units the whole group has."""

    @classmethod
    def people_in_unit(cls, fields: F) -> int:  # noqa: ARG003 - for those who override it
        """Return how many people a unit has."""
        return 1

    @classmethod
    def role(cls, fields: F, number: int) -> str:  # noqa: ARG003 - for those who override it
        """Return the role of the group's person `number`."""
        return "student"

    async def prepare(self) -> None:
        """Make rooms and join them. Everyone is connected, as far as they could be."""

    @abstractmethod
    def begin(self) -> None:
        """Schedule the load, from `world.load_from_ns` to `world.load_until_ns`."""

    def give_up(self) -> None:
        """Count as an error whatever still waits, and will not be waited for: the final sync is over."""
