"""A database with one table, and a way to hold its writer until a batch has gathered."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from storage.sqlite.engine import Database


class Gate:
    """Holds the writer inside a job of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entered = threading.Event()
        self._opened = threading.Event()
        self._holding: asyncio.Task[Any] | None = None

    async def hold(self) -> None:
        """Return when the writer is held."""
        self._holding = asyncio.create_task(self._database.write(lambda connection: self._wait()))
        await asyncio.to_thread(self._entered.wait)

    def _wait(self) -> None:
        self._entered.set()
        self._opened.wait()

    async def batch(self, *writes: Coroutine[Any, Any, Any]) -> list[Any]:
        """Have `writes` wait together, let the writer go, and return their outcomes."""
        tasks = [asyncio.create_task(write) for write in writes]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await self.open()
        return await asyncio.gather(*tasks, return_exceptions=True)

    async def open(self) -> None:
        """Let the writer go."""
        self._opened.set()
        if self._holding:
            await self._holding


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with a table `numbers`, whose values are unique."""
    opened = await Database.open(tmp_path / "test.db")
    await opened.write(lambda connection: connection.execute("CREATE TABLE numbers (value INTEGER UNIQUE) STRICT"))
    yield opened
    await opened.close()


@pytest.fixture
def gate(database: Database) -> Gate:
    """A gate that is not held yet."""
    return Gate(database)
