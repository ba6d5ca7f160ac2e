"""What expired does not stay for ever."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from storage.sqlite.store import SqliteStore
from tests.contract.samples import NOW, FixedClock, later, token

DAY_S = 24 * 3600


@pytest.fixture
def clock() -> FixedClock:
    """The clock of the store."""
    return FixedClock()


@pytest_asyncio.fixture
async def store(tmp_path: Path, clock: FixedClock) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = await SqliteStore.open(tmp_path / "homeroom.db", clock)
    yield opened
    await opened.close()


async def rows(store: SqliteStore, table: str) -> int:
    """Return the number of rows of a table."""
    counted = await store.database.read(lambda c: c.execute(f"SELECT count(*) FROM {table}").fetchone())  # noqa: S608
    return int(counted[0])


async def test_expired_answers_are_purged_once_a_minute(store: SqliteStore, clock: FixedClock) -> None:
    """A put sweeps, but not each of them."""
    found: list[int] = []
    for second, expires in ((0, 10), (30, 50), (61, 100), (200, 300)):
        clock.instant = later(second)
        await store.idempotency.put("scope", f"key-{second}", b"hash", b"response", later(expires))
        found.append(await rows(store, "idempotency"))
    assert [1, 2, 1, 1] == found


async def test_families_are_purged_a_week_after_their_last_token(store: SqliteStore) -> None:
    """With all their tokens, spent ones too; until then their users read that they expired."""
    await store.refresh.add(token(1, "old", expires_at=later(10)))
    await store.refresh.rotate(token(1).token_hash, token(2, expires_at=later(60)), now=NOW)
    await store.refresh.add(token(3, "next", created_at=later(7 * DAY_S), expires_at=later(8 * DAY_S)))
    assert [2, 3] == [await rows(store, "refresh_families"), await rows(store, "refresh_tokens")]
    await store.refresh.add(token(4, "last", created_at=later(7 * DAY_S + 61), expires_at=later(8 * DAY_S)))
    assert [2, 2] == [await rows(store, "refresh_families"), await rows(store, "refresh_tokens")]
