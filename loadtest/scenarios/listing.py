"""The scenarios and their fields, as tables for a terminal."""

from collections.abc import Iterator

from pydantic.fields import FieldInfo
from rich.console import Group as Stack
from rich.table import Table
from rich.text import Text

from loadtest.scenarios.loader import load, scales, shipped
from loadtest.scenarios.scenario import Group, Head, Scenario


def overview() -> Stack:
    """Return all scenarios that come with the program, each with what it is."""
    table = _table("Scenario", "People", "Lasts", "What it is")
    table.columns[1].justify = table.columns[2].justify = "right"
    for scenario in map(load, shipped()):
        lasts = f"{scenario.head.ramp_s:g} + {scenario.head.load_s:g} s"
        table.add_row(scenario.name, f"{scenario.people:,}", lasts, scenario.head.about)
    return Stack(table, "", "loadtest list NAME shows a scenario's fields; --set changes them.")


def fields(scenario: Scenario) -> Stack:
    """Return one scenario with its fields, their values, and what they mean."""
    table = _table("Field", "Value", "What it is")
    for name, field in Head.model_fields.items():
        if name != "about":
            table.add_row(name, *_row(field, getattr(scenario.head, name)))
    for row in (row for group in scenario.groups for row in _rows(group)):
        table.add_row(*row)
    title = f"{scenario.name}: {scenario.head.about}"
    return Stack(Text(title), "", table, "", "× is multiplied by --scale.")


def _rows(group: Group) -> Iterator[tuple[str, ...]]:
    yield f"{group.name}.behaviour", group.behaviour, f"{group.people:,} people"
    for name, field in type(group.fields).model_fields.items():
        yield f"{group.name}.{name}", *_row(field, getattr(group.fields, name))


def _row(field: FieldInfo, value: object) -> tuple[str, str]:
    shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value).lower()
    return shown, ("× " if scales(field) else "") + (field.description or "")


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, no_wrap=name in {"Scenario", "Field", "People", "Lasts"}, header_style="bold")
    return table
