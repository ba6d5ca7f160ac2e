"""One `store` per adapter. A new adapter adds an opener to ADAPTERS, and nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from storage.sqlite.store import SqliteStore
from tests.contract.samples import FixedClock, Store

ADAPTERS: dict[str, Callable[[Path, FixedClock], Awaitable[Store]]] = {
    "sqlite": lambda directory, clock: SqliteStore.open(directory / "homeroom.db", clock),
}


@pytest.fixture
def clock() -> FixedClock:
    """The clock of the store under test."""
    return FixedClock()


@pytest_asyncio.fixture(params=ADAPTERS)
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Store]:
    """An empty store of the adapter."""
    opened = await ADAPTERS[request.param](tmp_path, clock)
    yield opened
    await opened.close()
