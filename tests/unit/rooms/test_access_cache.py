"""rooms.access_cache: what is remembered for decisions is never older than the last change."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ids import RoomId, UserId
from rooms.access_cache import AccessCache
from rooms.types import Access, Member, Room, RoomKind, RoomRole
from tests.support.fakes import START

ALGEBRA, BOTANY = RoomId("algebra"), RoomId("botany")
ADA, BEN = UserId("ada"), UserId("ben")


def room(room_id: RoomId, **more: Any) -> Room:
    """Return a group."""
    return Room(room_id, RoomKind.GROUP, more.pop("title", "Lesson"), ADA, START, **more)


def member(room_id: RoomId, user_id: UserId, role: RoomRole = RoomRole.MEMBER) -> Member:
    """Return a membership."""
    return Member(room_id, user_id, role, START)


def remember(cache: AccessCache, access: Access, user_id: UserId) -> None:
    """Have the cache read something."""
    with cache.reading(access.room.id, user_id) as reading:
        reading.found = access


def outsider(room_id: RoomId) -> Access:
    """Return the access of somebody who is not in the room."""
    return Access(room(room_id), None)


class TestWhatIsKept:
    """Which answers spare a reading, and which do not."""

    def test_what_was_read_is_known(self) -> None:
        """Members and outsiders of a room that exists; each room and person apart."""
        cache = AccessCache()
        assert cache.find(ALGEBRA, ADA) is None
        there = Access(room(ALGEBRA), member(ALGEBRA, ADA))
        remember(cache, there, ADA)
        remember(cache, outsider(ALGEBRA), BEN)
        assert (there, outsider(ALGEBRA)) == (cache.find(ALGEBRA, ADA), cache.find(ALGEBRA, BEN))
        assert cache.find(BOTANY, ADA) is None

    def test_a_room_that_is_not_there_is_not_kept(self) -> None:
        """Whoever asks for made-up ids pushes nothing out; a room that is made afterwards is seen."""
        cache = AccessCache()
        for number in range(9):
            with cache.reading(RoomId(f"made-up-{number}"), ADA) as reading:
                assert reading.found is None
        assert 0 == len(cache)

    def test_a_reading_that_failed_is_not_kept(self) -> None:
        """Its error goes on to whoever asked."""
        cache = AccessCache()
        with pytest.raises(OSError, match="disk"):
            self.fail(cache)
        assert (0, {}) == (len(cache), cache._readings)

    def fail(self, cache: AccessCache) -> None:
        """Read until the disk gives up."""
        with cache.reading(ALGEBRA, ADA) as reading:
            reading.found = outsider(ALGEBRA)
            raise OSError("disk")

    def test_a_change_of_one_membership_leaves_the_others(self) -> None:
        """The member count may have moved, so the room is read again; after that the others are known as before."""
        cache = AccessCache()
        remember(cache, Access(room(ALGEBRA, member_count=1), member(ALGEBRA, ADA)), ADA)
        remember(cache, outsider(ALGEBRA), BEN)
        cache.forget(ALGEBRA, BEN)
        assert (None, None, 1) == (cache.find(ALGEBRA, ADA), cache.find(ALGEBRA, BEN), len(cache))
        grown = room(ALGEBRA, member_count=2)
        remember(cache, Access(grown, member(ALGEBRA, BEN)), BEN)
        assert Access(grown, member(ALGEBRA, ADA)) == cache.find(ALGEBRA, ADA)

    def test_a_forgotten_room_leaves_nothing(self) -> None:
        """Neither what was known nor what is being read at the time; other rooms are not touched."""
        cache = AccessCache()
        for room_id in (ALGEBRA, BOTANY):
            remember(cache, outsider(room_id), ADA)
        with cache.reading(ALGEBRA, BEN) as reading:
            cache.forget(ALGEBRA)
            reading.found = outsider(ALGEBRA)
        assert (None, None) == (cache.find(ALGEBRA, ADA), cache.find(ALGEBRA, BEN))
        assert outsider(BOTANY) == cache.find(BOTANY, ADA)
        cache.forget(RoomId("unheard of"), ADA)
        assert (1, {}) == (len(cache), cache._readings)

    def test_memory_is_bounded(self) -> None:
        """Beyond the bound the rooms that were not asked for longest go, and one alone never exceeds it."""
        cache = AccessCache(max_memberships=3)
        ids = [RoomId(str(number)) for number in range(4)]
        for room_id in ids[:3]:
            remember(cache, outsider(room_id), ADA)
        cache.find(ids[0], ADA)
        remember(cache, outsider(ids[3]), ADA)
        assert [True, False, True, True] == [cache.find(room_id, ADA) is not None for room_id in ids]
        for number in range(9):
            remember(cache, outsider(ALGEBRA), UserId(f"u{number}"))
            assert len(cache) <= 3
        assert len(cache) == sum(len(kept.members) for kept in cache._rooms.values())


PLACES: Final = [(ALGEBRA, ADA), (ALGEBRA, BEN), (ALGEBRA, BEN), (BOTANY, ADA)]
KINDS: Final = ["event"] * 4 + ["put", "put", "remove", "archive"] + ["go on"] * 12
STEPS: Final = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(PLACES), st.integers(0, 2)), max_size=50)
Step = tuple[str, tuple[RoomId, UserId], int]


_Key = RoomId | tuple[RoomId, UserId]


class World:
    """A store whose every step waits until the test lets it go on, a cache in front of it, and the truth.

    A write commits at one step and tells the cache and its caller at a later one; a reading looks at one step and
    answers at a later one. Versions stand for what is stored: a membership's is its watermark, a room's its title.
    """

    def __init__(self) -> None:
        self.cache = AccessCache(max_memberships=3)
        self.rooms = {room_id: room(room_id, title="0") for room_id in (ALGEBRA, BOTANY)}
        self.members: dict[tuple[RoomId, UserId], Member | None] = {}
        self.changes = 0
        self.told: dict[_Key, int] = {}
        self.waiting: list[asyncio.Future[None]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.wrong: list[str] = []

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something until its first wait."""
        self.tasks.append(asyncio.ensure_future(work))

    async def pause(self) -> None:
        """Wait until the test says go on."""
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(gate)
        await gate

    async def event(self, room_id: RoomId, user_id: UserId) -> None:
        """Decide as a handler does; note a decision on something older than what was told when it began."""
        keys: tuple[_Key, _Key] = (room_id, (room_id, user_id))
        told = {key: self.told.get(key, 0) for key in keys}
        access = self.cache.find(room_id, user_id)
        if access is None:
            with self.cache.reading(room_id, user_id) as reading:
                looked = Access(self.rooms[room_id], self.members.get((room_id, user_id)))
                await self.pause()
                reading.found = access = looked
        used = (int(access.room.title), access.member.read_seq if access.member else None)
        for key, version in zip(keys, used, strict=True):
            if version is not None and version < told[key]:
                self.wrong.append(f"{key}: {version} after {told[key]} had been told")
        if access.member is None and told[room_id, user_id] and self._is_member_since(room_id, user_id, told):
            self.wrong.append(f"{user_id} was refused in {room_id} as before joining")

    def _is_member_since(self, room_id: RoomId, user_id: UserId, told: dict[_Key, int]) -> bool:
        now = self.members.get((room_id, user_id))
        return now is not None and now.read_seq <= told[room_id, user_id]

    async def write(self, kind: str, room_id: RoomId, user_id: UserId) -> None:
        """Change a membership or a room as an adapter does: commit, later forget, and then return."""
        self.changes += 1
        version, key = self.changes, (room_id, user_id)
        if kind == "archive":
            self.rooms[room_id] = replace(self.rooms[room_id], archived=True, title=str(version))
        else:
            self.members[key] = replace(member(*key), read_seq=version) if kind == "put" else None
            self.rooms[room_id] = replace(self.rooms[room_id], title=str(version))
        await self.pause()
        self.cache.forget(room_id, None if kind == "archive" else user_id)
        self.told[room_id] = max(version, self.told.get(room_id, 0))
        if kind != "archive":
            self.told[key] = max(version, self.told.get(key, 0))


async def _play(steps: list[Step]) -> World:
    world = World()
    for kind, place, which in steps:
        if kind == "event":
            world.begin(world.event(*place))
        elif kind != "go on":
            world.begin(world.write(kind, *place))
        elif which < len(world.waiting):
            world.waiting.pop(which).set_result(None)
        for _ in range(3):
            await asyncio.sleep(0)
    while world.waiting:
        world.waiting.pop().set_result(None)
        await asyncio.sleep(0)
    await asyncio.gather(*world.tasks)
    return world


@settings(max_examples=300, deadline=None)
@given(steps=STEPS)
def test_no_decision_uses_what_a_finished_write_replaced(steps: list[Step]) -> None:
    """Whatever overlaps: an event that begins after a write has returned decides on that write, or on a later one."""
    world = asyncio.run(_play(steps))
    assert [] == world.wrong
    assert {} == world.cache._readings
    assert len(world.cache) == sum(len(kept.members) for kept in world.cache._rooms.values()) <= 3
