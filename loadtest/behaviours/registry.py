"""Behaviours by the names that scenarios use, and people's own as `module:Class`."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from loadtest.behaviours.api import ApiUsers
from loadtest.behaviours.behaviour import Behaviour
from loadtest.behaviours.classroom import Classroom
from loadtest.behaviours.idle import Idle
from loadtest.behaviours.lecture import Lecture
from loadtest.behaviours.pairs import Pairs
from loadtest.behaviours.slow_readers import SlowReaders
from loadtest.behaviours.storm import Storm
from loadtest.scenarios.nearest import unknown

BEHAVIOURS: Final[Mapping[str, type[Behaviour[Any]]]] = MappingProxyType(
    {
        "idle": Idle,
        "pairs": Pairs,
        "classroom": Classroom,
        "lecture": Lecture,
        "storm": Storm,
        "slow_readers": SlowReaders,
        "api": ApiUsers,
    }
)


class BadBehaviour(ValueError):
    """A behaviour that is not there; the message is one line for a person."""


def find(name: str) -> type[Behaviour[Any]]:
    """Return a behaviour by its name, or import `module:Class`. Raises BadBehaviour."""
    if ":" in name:
        return _own(name)
    if name not in BEHAVIOURS:
        raise BadBehaviour(unknown("behaviour", name, BEHAVIOURS))
    return BEHAVIOURS[name]


def _own(name: str) -> type[Behaviour[Any]]:
    module, _, attribute = name.partition(":")
    try:
        kind = getattr(importlib.import_module(module), attribute, None)
    except (ImportError, ValueError) as error:
        raise BadBehaviour(f"behaviour {name!r}: {error}") from error
    if not isinstance(kind, type) or not issubclass(kind, Behaviour):
        raise BadBehaviour(f"behaviour {name!r}: {module} has no behaviour of this name")
    return kind
