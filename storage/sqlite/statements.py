"""SQL lives in files: `sql/<aggregate>.sql`, each statement under a line `-- name: <name>`.

Every entry into SQLite gives up the interpreter lock, and a busy loop is slow to give it back: sqlite3 does so once for
each named parameter and once for each row. So names become places here, and `fetch_all` fetches one value.
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

SQL: Final = Path(__file__).parent / "sql"

_NAME: Final = re.compile(r"(?<![:\w]):(\w+)")
_COMMENT: Final = re.compile(r"^--.*\n", re.MULTILINE)
_ROW: Final = re.compile(r"(\((?:\?, )*\?\)) /\* repeated \*/")

_ONE_VALUE: Final[dict[str, str]] = {}
"""`as_one_value` by text: only SQLite can tell how many columns a query has."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with `?` for parameters, and the names of those in order."""

    text: str
    names: tuple[str, ...]

    def bind(self, values: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
        """Return the arguments of `execute`."""
        return self.text, tuple([values[name] for name in self.names])

    def bind_rows(self, rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
        """Return the arguments of `execute` for many rows at once.

        The row of parameters marked `/* repeated */` is repeated up to a power of two, so that a dozen sizes of the
        statement stay prepared, and filled up with NULLs, which the statement must pass over.
        """
        size = 1 << (len(rows) - 1).bit_length()
        values = [value for row in rows for value in row]
        values += [None] * ((size - len(rows)) * len(rows[0]))
        return _repeated(self.text, size), values


def statements(aggregate: str) -> Mapping[str, Statement]:
    """Return the statements of one file by name."""
    text = (SQL / f"{aggregate}.sql").read_text(encoding="utf-8")
    _, *parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return {name: _parse(body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def fetch_all(connection: sqlite3.Connection, statement: Statement, values: Mapping[str, Any]) -> list[Any]:
    """Return all rows of a query of numbers and text, in its order."""
    text, bound = statement.bind(values)
    if text not in _ONE_VALUE:
        columns = connection.execute(f"SELECT * FROM ({text}) LIMIT 0", bound).description  # noqa: S608
        _ONE_VALUE[text] = as_one_value(text, len(columns))
    (rows,) = connection.execute(_ONE_VALUE[text], bound).fetchone()
    found: list[Any] = orjson.loads(rows)
    return found


def as_one_value(text: str, columns: int) -> str:
    """Return a query whose one value is the JSON array of the rows of `text`, each an array, in its order."""
    names = ", ".join(f"c{number}" for number in range(columns))
    return f"WITH q ({names}) AS ({text}) SELECT json_group_array(json_array({names})) FROM q"  # noqa: S608


def _parse(body: str) -> Statement:
    body = _COMMENT.sub("", body).strip()
    return Statement(_NAME.sub("?", body), tuple(_NAME.findall(body)))


@cache
def _repeated(text: str, size: int) -> str:
    return _ROW.sub(lambda match: ", ".join([match[1]] * size), text)
