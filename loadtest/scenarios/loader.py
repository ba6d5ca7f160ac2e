"""From a name or a TOML file to a scenario: read, multiplied, changed and checked."""

import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from annotated_types import Ge
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from loadtest.behaviours.registry import BadBehaviour, find
from loadtest.scenarios.nearest import unknown
from loadtest.scenarios.scenario import BadScenario, Group, Head, Scenario

Table = dict[str, Any]
M = TypeVar("M", bound=BaseModel)


def shipped() -> list[str]:
    """Return the names of the scenarios that come with the program."""
    return sorted(entry.name[:-5] for entry in files("loadtest.scenarios").iterdir() if entry.name.endswith(".toml"))


def load(name: str, *, scale: float = 1.0, changes: Sequence[str] = ()) -> Scenario:
    """Return a scenario by its name, or by the path of a file that ends in `.toml`.

    `scale` multiplies how many and how often, never times. `changes` are `field=value` or `group.field=value`; they
    come after the scale, so a number given here is the number that is run. Raises BadScenario. Behaviours of the
    form `module:Class` are also looked for beside the file.
    """
    if not 0 < scale <= 1000:
        raise BadScenario(f"scale {scale:g}: write a number above 0, up to 1000")
    table = _read(name)
    tables = table.pop("groups", None)
    if not isinstance(tables, dict) or not tables or not all(isinstance(group, dict) for group in tables.values()):
        raise BadScenario(f"{name}: a scenario needs at least one table [groups.NAME]")
    changed = _changes(changes, tables)
    head = _checked(Head, table | changed.pop("", {}), name)
    groups = tuple(_group(key, group, scale, changed.get(key, {})) for key, group in tables.items())
    return Scenario(name if not name.endswith(".toml") else Path(name).stem, head, groups, scale)


def _read(name: str) -> Table:
    try:
        text = _text(name)
        return tomllib.loads(text)
    except OSError as exc:
        raise BadScenario(f"{name}: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        raise BadScenario(f"{name}: not UTF-8 text") from exc
    except tomllib.TOMLDecodeError as exc:
        raise BadScenario(f"{name}: {exc}") from exc


def _text(name: str) -> str:
    if name.endswith(".toml"):
        path = Path(name)
        text = path.read_text(encoding="utf-8")
        folder = str(path.resolve().parent)
        if folder not in sys.path:
            sys.path.append(folder)
        return text
    if name not in shipped():
        raise BadScenario(unknown("scenario", name, shipped()))
    return files("loadtest.scenarios").joinpath(f"{name}.toml").read_text(encoding="utf-8")


def _changes(changes: Sequence[str], groups: Mapping[str, Table]) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for change in changes:
        path, equals, text = change.partition("=")
        if not equals or not path.strip():
            raise BadScenario(f"{change!r}: write field=value or group.field=value")
        group, dot, field = path.strip().rpartition(".")
        group = group.removeprefix("groups.")
        if dot and group not in groups:
            raise BadScenario(unknown("group", group, groups))
        found.setdefault(group, {})[field] = _value(text.strip())
    return found


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # a word needs no quotes


def _group(name: str, table: Table, scale: float, changes: Table) -> Group:
    table = {**table}
    behaviour = changes.pop("behaviour", table.pop("behaviour", None))
    if not isinstance(behaviour, str):
        raise BadScenario(f"groups.{name}: behaviour is missing")
    try:
        kind = find(behaviour)
    except BadBehaviour as exc:
        raise BadScenario(f"groups.{name}: {exc}") from exc
    plain = _checked(kind.Fields, table, f"groups.{name}")
    fields = _checked(kind.Fields, table | _scaled(plain, scale) | changes, f"groups.{name}")
    return Group(name, behaviour, kind, fields)


def _scaled(fields: BaseModel, scale: float) -> Table:
    if scale == 1.0:
        return {}
    scaling = {name: field for name, field in type(fields).model_fields.items() if scales(field)}
    return {name: _times(getattr(fields, name), scale, field) for name, field in scaling.items()}


def scales(field: FieldInfo) -> bool:
    """Whether `--scale` multiplies a field of a behaviour."""
    return isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("scales") is True


def _times(value: Any, scale: float, field: FieldInfo) -> Any:
    if isinstance(value, float):
        return value * scale
    least = max([1, *(int(str(limit.ge)) for limit in field.metadata if isinstance(limit, Ge))])
    return value and max(least, round(value * scale))


def _checked(model: type[M], table: Table, where: str) -> M:
    for name in table:
        if name not in model.model_fields:
            raise BadScenario(f"{where}: {unknown('field', name, model.model_fields)}")
    try:
        return model.model_validate(table)
    except ValidationError as exc:
        raise BadScenario(f"{where}: {_sentence(exc)}") from exc


def _sentence(exc: ValidationError) -> str:
    parts = []
    for error in exc.errors():
        path = ".".join(str(step) for step in error["loc"])
        parts.append(f"{path}: {error['msg']}" if path else error["msg"])
    return "; ".join(parts)
