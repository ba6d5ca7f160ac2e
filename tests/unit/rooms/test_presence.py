"""rooms.presence: several devices make one person, and a reconnect in time is no news."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from auth.types import Principal, Role
from core.ids import ConnectionId, UserId
from realtime.cluster.local import combined
from rooms.types import Presence, Room, Status
from storage.sqlite.users import SqliteLastSeenStore
from tests.support.fakes import START
from tests.unit.rooms.school import GRACE_S, School

PHONE, LAPTOP = ConnectionId("phone"), ConnectionId("laptop")
ONLINE, AWAY, BUSY, OFFLINE = Status


def statuses(school: School) -> list[Status]:
    """Return the statuses that were announced since the last look."""
    return [status for _, _, status, _ in school.events.take()]


async def scene(school: School) -> tuple[Principal, Room]:
    """Return Ada and a room of hers with Ben."""
    ada, ben = await school.people("ada", "ben")
    return ada, await school.room(ada, ben)


@pytest.mark.parametrize(
    ("devices", "status"),
    [
        ([], OFFLINE),
        ([AWAY], AWAY),
        ([AWAY, ONLINE], ONLINE),
        ([BUSY, ONLINE], BUSY),
        ([AWAY, BUSY], BUSY),
        ([AWAY, AWAY], AWAY),
        ([ONLINE, AWAY, BUSY], BUSY),
    ],
)
def test_devices_combine(devices: Sequence[Status], status: Status) -> None:
    """Busy wins, then online, then away; nothing is offline. The order of the devices does not matter."""
    assert [status, status] == [combined(devices), combined(devices[::-1])]


async def test_who_comes_is_announced_to_their_small_rooms(school: School) -> None:
    """The first connection is told to rooms up to the broadcast limit; archived and larger ones are left out."""
    ada, room = await scene(school)
    await school.room(ada, *await school.people("b", "c", "d"))
    await school.room(ada, archived=True)
    await school.presence.connected(ada.user_id, PHONE)
    assert [("presence_changed", ada.user_id, ONLINE, (room.id,))] == school.events.take()
    assert [Presence(ada.user_id, ONLINE)] == await school.presence.of([ada.user_id])


async def test_a_second_device_is_no_news(school: School) -> None:
    """Only a change of the person's status is told, not of their devices."""
    ada, _ = await scene(school)
    await school.presence.connected(ada.user_id, PHONE)
    await school.presence.connected(ada.user_id, LAPTOP)
    await school.presence.set(ada.user_id, LAPTOP, AWAY)
    assert [ONLINE] == statuses(school)
    assert 2 == await school.presence.connections(ada.user_id)


async def test_away_everywhere_is_away(school: School) -> None:
    """A status counts for its device; the answer is the person's own."""
    ada, _ = await scene(school)
    await school.presence.connected(ada.user_id, PHONE)
    await school.presence.connected(ada.user_id, LAPTOP)
    answers = [
        (await school.presence.set(ada.user_id, device, status)).status
        for device, status in ((PHONE, AWAY), (LAPTOP, AWAY), (PHONE, BUSY), (LAPTOP, ONLINE), (PHONE, ONLINE))
    ]
    assert [ONLINE, AWAY, BUSY, BUSY, ONLINE] == answers
    assert [ONLINE, AWAY, BUSY, ONLINE] == statuses(school)


async def test_a_reconnect_in_time_is_no_news(school: School) -> None:
    """Gone and back within the grace announces nothing, then or later, and they look online all the while."""
    ada, _ = await scene(school)
    await school.presence.connected(ada.user_id, PHONE)
    school.events.take()
    await school.presence.disconnected(ada.user_id, PHONE)
    await school.pass_time(GRACE_S - 0.1)
    assert [Presence(ada.user_id, ONLINE)] == await school.presence.of([ada.user_id])
    await school.presence.connected(ada.user_id, LAPTOP)
    await school.pass_time(10 * GRACE_S)
    assert [] == statuses(school)


async def test_flapping_starts_the_grace_again(school: School) -> None:
    """The grace counts from the last time that a connection ended."""
    ada, _ = await scene(school)
    for device in (PHONE, LAPTOP, PHONE):
        await school.presence.connected(ada.user_id, device)
        await school.presence.disconnected(ada.user_id, device)
        await school.pass_time(GRACE_S - 1)
    assert [ONLINE] == statuses(school)
    await school.pass_time(1)
    assert [OFFLINE] == statuses(school)
    assert 0 == school.time.pending


async def test_who_does_not_come_back_was_last_seen_then(school: School) -> None:
    """After the grace the person is offline, and `last_seen_at` is kept in the store before anyone hears of it."""
    ada, room = await scene(school)
    await school.presence.connected(ada.user_id, PHONE)
    school.events.take()
    await school.presence.disconnected(ada.user_id, PHONE)
    await school.pass_time(GRACE_S)
    assert [("presence_changed", ada.user_id, OFFLINE, (room.id,))] == school.events.take()
    assert [Presence(ada.user_id, OFFLINE, school.time.now())] == await school.presence.of([ada.user_id])
    assert {ada.user_id: school.time.now()} == await school.store.last_seen.last_seen([ada.user_id])


async def test_the_device_that_stays_decides_after_the_grace(school: School) -> None:
    """When the online device goes, the person is away once the grace is over, and not before."""
    ada, _ = await scene(school)
    await school.presence.connected(ada.user_id, PHONE)
    await school.presence.connected(ada.user_id, LAPTOP)
    await school.presence.set(ada.user_id, LAPTOP, AWAY)
    await school.presence.disconnected(ada.user_id, PHONE)
    assert [ONLINE] == statuses(school)
    await school.pass_time(GRACE_S)
    assert [AWAY] == statuses(school)


async def test_closing_settles_who_waits(school: School) -> None:
    """When the server stops, people within their grace get their last-seen time."""
    ada, _ = await scene(school)
    await school.presence.connected(ada.user_id, PHONE)
    await school.presence.disconnected(ada.user_id, PHONE)
    await school.presence.close()
    assert {ada.user_id: START} == await school.store.last_seen.last_seen([ada.user_id])
    assert 0 == school.time.pending


async def test_those_who_were_never_here_are_offline(school: School) -> None:
    """Presence is answered in the order asked, for everyone."""
    ada, _ = await scene(school)
    await school.presence.connected(ada.user_id, PHONE)
    asked = [UserId("nobody"), ada.user_id, UserId("ben")]
    expected = [Presence(asked[0], OFFLINE), Presence(ada.user_id, ONLINE), Presence(asked[2], OFFLINE)]
    assert expected == await school.presence.of(asked)


async def test_only_those_one_may_see_are_seen(school: School) -> None:
    """Students see staff and room mates; others look offline, like those who do not exist. Staff see everyone."""
    ada, _ = await scene(school)
    rao, eve = await school.person("rao", Role.TEACHER), await school.person("eve")
    for who in (ada, rao, eve):
        await school.presence.connected(who.user_id, ConnectionId(who.user_id))
    asked = [UserId(user_id) for user_id in ("ada", "ben", "rao", "eve", "nobody")]
    may, shown = await school.presence.visible(ada, asked)
    assert ["ada", "ben", "rao"] == list(may)
    assert [ONLINE, OFFLINE, ONLINE, OFFLINE, OFFLINE] == [one.status for one in shown]
    may, shown = await school.presence.visible(rao, asked)
    assert ["ada", "ben", "rao", "eve"] == list(may)
    assert [ONLINE, OFFLINE, ONLINE, ONLINE, OFFLINE] == [one.status for one in shown]


class SlowLastSeen(SqliteLastSeenStore):
    """A store whose answers about last-seen times wait for the test."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()

    async def last_seen(self, user_ids: Sequence[UserId]) -> dict[UserId, datetime]:
        self.asked.set()
        await self.gate.wait()
        return await super().last_seen(user_ids)


async def test_the_last_word_is_the_truth(school: School) -> None:
    """Someone who comes back while their going is being announced ends up online for everybody."""
    ada, _ = await scene(school)
    seen = SlowLastSeen(school.store.database)
    school.store.last_seen = seen
    school = School(school.store)
    await school.presence.connected(ada.user_id, PHONE)
    await school.presence.disconnected(ada.user_id, PHONE)
    school.time.advance(GRACE_S)
    await seen.asked.wait()
    await school.presence.connected(ada.user_id, LAPTOP)
    seen.gate.set()
    await school.background.idle()
    assert ONLINE == statuses(school)[-1]
