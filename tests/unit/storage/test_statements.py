"""Statements in files: parsed, bound, and planned on indexes."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.sqlite.schema import migrate
from storage.sqlite.statements import SQL, Statement, as_one_value, statements

EVERYTHING = [
    pytest.param(statement, id=f"{file.stem}.{name}")
    for file in sorted(SQL.glob("*.sql"))
    for name, statement in statements(file.stem).items()
]

SMALL = re.compile(r"SCAN (CONSTANT ROW|\d+ CONSTANT ROWS|json_each|other|new|d|a|page|\(subquery-\d+\))( |$)")
"""What may be read whole: what a caller brought, one person's rooms, and a page that was cut already."""

WHOLE = {"users.search"}
"""Reads people in the order of their names until the page is full."""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A connection to an empty database of the newest schema."""
    path: Path = tmp_path_factory.mktemp("plans") / "homeroom.db"
    migrate(path)
    with contextlib.closing(sqlite3.connect(path)) as opened:
        yield opened


@pytest.mark.parametrize("statement", EVERYTHING)
def test_every_statement_is_planned_on_an_index(
    connection: sqlite3.Connection, statement: Statement, request: pytest.FixtureRequest
) -> None:
    """No statement reads a whole table, or builds an index of its own on the way."""
    text = re.sub(r"(\([?, ]+\)) /\* repeated \*/", lambda row: ", ".join([row[1]] * 64), statement.text)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", [None] * text.count("?"))]
    if request.node.callspec.id not in WHOLE:
        assert [] == [step for step in plan if step.startswith("SCAN") and not SMALL.match(step)]
    assert [] == [step for step in plan if "AUTOMATIC" in step]


def test_names_become_places() -> None:
    """A name may come twice; comments are dropped, and a colon in text is no name."""
    statement = statements("members")["shared"]
    assert ("other_ids", "user_id") == statement.names
    assert 2 == statement.text.count("?")
    assert "--" not in statement.text
    assert (statement.text, ("[]", "ada")) == statement.bind({"user_id": "ada", "other_ids": "[]", "unused": 1})


@pytest.mark.parametrize(("rows", "size"), [(1, 1), (2, 2), (3, 4), (64, 64), (65, 128)])
def test_rows_are_filled_up_to_a_power_of_two(rows: int, size: int) -> None:
    """A dozen sizes of a statement stay prepared; what is filled up is NULL."""
    statement = Statement("WITH new (x, y) AS (VALUES (?, ?) /* repeated */) SELECT 1", ())
    text, values = statement.bind_rows([(number, "y") for number in range(rows)])
    assert f"WITH new (x, y) AS (VALUES {', '.join(['(?, ?)'] * size)}) SELECT 1" == text
    assert [None] * 2 * (size - rows) == values[2 * rows :]
    assert 2 * size == len(values)


def test_a_query_as_one_value_keeps_its_order(connection: sqlite3.Connection) -> None:
    """The rows come in the order of the query, also under a limit."""
    query = as_one_value(
        "SELECT column1, column2 FROM (VALUES (1, 'a'), (3, 'c'), (2, NULL)) ORDER BY 1 DESC LIMIT 2", 2
    )
    assert ('[[3,"c"],[2,null]]',) == connection.execute(query).fetchone()
