"""The memory of revocations: fresh enough, small, and never behind what this process did itself."""

import asyncio
import math
from datetime import datetime, timedelta

import pytest

from auth.revocation import Revocations
from core.ids import UserId
from tests.unit.auth.fakes import START, FakeClock, MemoryUserStore

ADA = UserId("ada")
MS = timedelta(milliseconds=1)


@pytest.fixture
def users() -> MemoryUserStore:
    return MemoryUserStore()


async def test_the_store_is_read_once_in_ten_seconds(users: MemoryUserStore, clock: FakeClock) -> None:
    """A busy user costs no query per request; a revocation elsewhere is seen in ten seconds."""
    revocations = Revocations(users, clock)
    assert [None, None] == [await revocations.valid_after(ADA) for _ in range(2)]
    await users.set_valid_after(ADA, START)
    clock.advance(9.9)
    assert (None, 1) == (await revocations.valid_after(ADA), users.reads)
    clock.advance(0.1)
    assert (START, 2) == (await revocations.valid_after(ADA), users.reads)


async def test_our_own_revocation_holds_at_once(users: MemoryUserStore, clock: FakeClock) -> None:
    """It is in the store, and the memory needs no query to know."""
    revocations = Revocations(users, clock)
    await revocations.valid_after(ADA)
    assert START + MS == await revocations.void(ADA)
    reads = users.reads
    assert (START + MS, reads) == (await revocations.valid_after(ADA), users.reads)
    assert {ADA: START + MS} == users.voided


async def test_each_revocation_lies_after_the_last(users: MemoryUserStore, clock: FakeClock) -> None:
    """Also when the clock stands still or steps back, as a token may have been minted in between."""
    revocations = Revocations(users, clock)
    instants = [await revocations.void(ADA) for _ in range(2)]
    clock.advance(-60)
    assert [START + MS, START + 2 * MS, START + 3 * MS] == [*instants, await revocations.void(ADA)]


async def test_a_revocation_whose_caller_went_away_holds(clock: FakeClock) -> None:
    """It may be in the store, so it counts; also if the store says that it is not."""

    class BusyUserStore(MemoryUserStore):
        async def set_valid_after(self, user_id: UserId, instant: datetime) -> None:
            await super().set_valid_after(user_id, instant)
            raise asyncio.CancelledError

    revocations = Revocations(BusyUserStore(), clock, ttl_s=math.inf)
    assert None is await revocations.valid_after(ADA)
    with pytest.raises(asyncio.CancelledError):
        await revocations.void(ADA)
    assert START + MS == await revocations.valid_after(ADA)


async def test_news_from_another_process_is_taken_and_never_taken_back(
    users: MemoryUserStore, clock: FakeClock
) -> None:
    """Announcements may come late or twice."""
    revocations = Revocations(users, clock)
    revocations.learn(ADA, START + MS)
    revocations.learn(ADA, START)
    revocations.learn(ADA, None)
    assert (START + MS, 0) == (await revocations.valid_after(ADA), users.reads)


async def test_a_slow_read_does_not_undo_a_revocation(clock: FakeClock) -> None:
    """What the store said before the revocation does not overwrite it."""
    gate = asyncio.Event()

    class SlowUserStore(MemoryUserStore):
        async def valid_after(self, user_id: UserId) -> None:
            await gate.wait()

    revocations = Revocations(SlowUserStore(), clock)
    read = asyncio.create_task(revocations.valid_after(ADA))
    await asyncio.sleep(0)
    revocations.learn(ADA, START)
    gate.set()
    assert START == await read


async def test_memory_is_bounded_and_keeps_the_busy(users: MemoryUserStore, clock: FakeClock) -> None:
    """The user who was not seen for longest is forgotten first."""
    revocations = Revocations(users, clock, max_users=3)
    await revocations.valid_after(ADA)
    for number in range(10):
        await revocations.valid_after(UserId(str(number)))
        await revocations.valid_after(ADA)
    assert (3, 11) == (len(revocations), users.reads)
