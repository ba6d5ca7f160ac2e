"""Replays: one run per key, whatever comes at the same time or fails."""

import asyncio
from datetime import datetime

import pytest
from aiohttp import web

from core.clock import SystemClock
from core.errors import ErrorCode, HomeroomError
from realtime.http.idempotency import Replays


class MemoryStore:
    """An IdempotencyStore in a dict, which can be down for writing."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self.expires_at: datetime | None = None
        self.down = False

    async def get(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
        await asyncio.sleep(0)
        return self.kept.get((scope, key))

    async def put(self, scope: str, key: str, request_hash: bytes, response: bytes, expires_at: datetime) -> bool:
        await asyncio.sleep(0)
        if self.down:
            raise HomeroomError(ErrorCode.SERVER_UNAVAILABLE)
        self.expires_at = expires_at
        return self.kept.setdefault((scope, key), (request_hash, response)) == (request_hash, response)


class Work:
    """Counts how often it is done, and waits for its turn."""

    def __init__(self, *, status: int = 201, fails: int = 0) -> None:
        self.done = 0
        self.status = status
        self.fails = fails
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> web.Response:
        self.done += 1
        self.begun.set()
        await self.may_end.wait()
        if self.done <= self.fails:
            raise HomeroomError(ErrorCode.ROOM_LOCKED)
        return web.Response(status=self.status, body=b"%d" % self.done)


@pytest.fixture
def store() -> MemoryStore:
    """An empty store."""
    return MemoryStore()


@pytest.fixture
def replays(store: MemoryStore) -> Replays:
    """Replays on that store."""
    return Replays(store, SystemClock())


async def test_concurrent_calls_wait_for_the_first(replays: Replays) -> None:
    """All get what one run answered, and nothing is left of the wait."""
    work = Work()
    work.may_end.clear()
    calls = [asyncio.ensure_future(replays.once("s", "k", b"h", work)) for _ in range(5)]
    await work.begun.wait()
    work.may_end.set()
    answers = await asyncio.gather(*calls)
    assert (1, {b"1"}) == (work.done, {bytes(answer.body) for answer in answers if isinstance(answer.body, bytes)})
    assert {} == replays._flights


async def test_after_a_failure_the_next_one_runs(replays: Replays) -> None:
    """The first caller sees the refusal; one that waited is done in its own right."""
    work = Work(fails=1)
    first, second = await asyncio.gather(
        replays.once("s", "k", b"h", work), replays.once("s", "k", b"h", work), return_exceptions=True
    )
    assert isinstance(first, HomeroomError)
    assert isinstance(second, web.Response)
    assert (2, {}) == (work.done, replays._flights)


async def test_a_cancelled_call_lets_the_next_one_run(replays: Replays) -> None:
    """A shutdown or a broken connection does not hold a key for ever."""
    work = Work()
    work.may_end.clear()
    first = asyncio.ensure_future(replays.once("s", "k", b"h", work))
    await work.begun.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    work.may_end.set()
    assert 201 == (await replays.once("s", "k", b"h", work)).status
    assert {} == replays._flights


async def test_other_keys_do_not_wait(replays: Replays) -> None:
    """One slow request delays only its own repeats."""
    slow, quick = Work(), Work()
    slow.may_end.clear()
    waiting = asyncio.ensure_future(replays.once("s", "slow", b"h", slow))
    assert 201 == (await replays.once("s", "quick", b"h", quick)).status
    slow.may_end.set()
    await waiting


async def test_another_request_under_the_key_is_a_conflict(replays: Replays) -> None:
    """It is refused before it runs."""
    work = Work()
    await replays.once("s", "k", b"one", work)
    with pytest.raises(HomeroomError) as refused:
        await replays.once("s", "k", b"two", work)
    assert (ErrorCode.REQUEST_CONFLICT, 1) == (refused.value.code, work.done)


async def test_status_and_body_come_back(replays: Replays, store: MemoryStore) -> None:
    """A replay is the first answer, kept for a day."""
    await replays.once("s", "k", b"h", Work(status=202))
    again = await replays.once("s", "k", b"h", Work())
    assert (202, b"1", "true") == (again.status, again.body, again.headers["Idempotent-Replay"])
    assert store.expires_at is not None
    assert 86_390 < (store.expires_at - SystemClock().now()).total_seconds() <= 86_400


async def test_an_answer_is_given_even_if_it_cannot_be_kept(replays: Replays, store: MemoryStore) -> None:
    """What was done was done: saying otherwise would make the client do it again."""
    store.down = True
    assert 201 == (await replays.once("s", "k", b"h", Work())).status


async def test_only_successes_are_kept(replays: Replays, store: MemoryStore) -> None:
    """A refusal that came as a response may be tried again too."""
    await replays.once("s", "k", b"h", Work(status=503))
    assert {} == store.kept
