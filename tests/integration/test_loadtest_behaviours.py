"""Simulated people against a real server: what each behaviour does, and that the truth about it adds up."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from loadtest.behaviours.person import Person
from loadtest.behaviours.world import World
from loadtest.client.tokens import User
from loadtest.measure.names import Count, Metric
from loadtest.report.result import Truth
from realtime.lifecycle import Server
from tests.support.crowd import Crowd, crowd, until
from tests.support.process import serving
from tests.support.server import running, token

PAIRS = {"pairs": 5, "message_every_s": 0.5}
SESSIONS = {"sessions": 2, "members": 5, "teacher_every_s": 0.5, "student_every_s": 1}


@pytest.fixture
async def people(server: Server) -> AsyncIterator[Crowd]:
    """A crowd at the server."""
    async with crowd(server.url, lambda user_id, role: token(server, user_id, role)) as here:
        yield here


def faults(truth: Truth) -> dict[str, int]:
    """Return what must not be, where it is."""
    names = ("refused", "unknown", "missed_live", "lost", "duplicate", "out_of_order", "stored_twice", "foreign")
    return {name: count for name in names if (count := getattr(truth, name))}


@pytest.mark.parametrize(
    ("name", "fields", "others"),
    [
        ("pairs", PAIRS, 1),
        ("classroom", SESSIONS, 4),
        ("lecture", {"listeners": 10, "speakers": 2, "speaker_every_s": 0.5, "teacher_every_s": 0.5}, 12),
    ],
)
async def test_on_a_healthy_server_everything_is_delivered_live(
    people: Crowd, name: str, fields: dict[str, Any], others: int
) -> None:
    """Every message of a room reaches all others in it, by itself and once; what was counted agrees."""
    people.add(name, **fields)
    truth = await people.play(2.0)
    counts = people.counts()
    assert {} == faults(truth)
    assert {} == people.errors()
    assert 5 < truth.sent
    assert truth.sent == truth.acked == counts[Count.SENT] == counts[Count.ACKED] == counts[Count.OWN]
    assert truth.acked * others == truth.expected == truth.live == counts[Count.DELIVERED]
    assert (0, 0) == (truth.caught_up, counts[Count.RESENT])
    assert len(people.people) == counts[Count.CONNECTED]


async def test_pairs_show_that_they_write_and_what_they_read(people: Crowd) -> None:
    """Typing and receipts reach the other one, as they do between real clients."""
    people.add("pairs", pairs=4, message_every_s=2.5)
    await people.play(5.0)
    counts = people.counts()
    assert 0 < counts[Count.TYPING]
    assert 0 < counts[Count.RECEIPTS]


async def test_idle_people_see_each_other_come_and_go(people: Crowd) -> None:
    """Whoever watches is told of every change of the watched."""
    group = people.add("idle", people=5, watch=2, away_every_s=1)
    truth = await people.play(3.0)
    counts = people.counts()
    assert 5 == len(group.people) == counts[Count.CONNECTED]
    assert 0 < counts[Count.PRESENCE]
    assert {} == people.errors()
    assert 0 == truth.expected


async def test_a_storm_is_caught_up_with(people: Crowd) -> None:
    """All students drop out at once and come back; what the teacher said meanwhile comes with the snapshot."""
    fields = {"sessions": 3, "members": 5, "teacher_every_s": 0.5, "storm_after_s": 0.5, "within_ms": 100}
    people.add("storm", **fields, repeat_every_s=0.7)
    truth = await people.play(2.0)
    counts = people.counts()
    assert {} == faults(truth)
    assert {} == people.errors()
    assert 15 + 3 * 12 == counts[Count.CONNECTED]
    assert truth.expected == truth.live + truth.caught_up
    assert truth.caught_up == counts[Count.CAUGHT_UP]
    assert 3 * 12 == people.timed(Metric.CATCHUP)
    assert 0 == counts[Count.DISCONNECTED]


async def test_sleepers_catch_up_when_they_wake_and_nobody_else_notices(people: Crowd) -> None:
    """What a sleeper misses is caught up with at the end; all others have everything live."""
    people.add("slow_readers", sessions=1, members=5, slow=2, teacher_every_s=0.5, student_every_s=0.5)
    truth = await people.play(2.0)
    assert {} == faults(truth)
    assert truth.acked * 4 == truth.expected
    assert truth.acked * 2 <= truth.live
    assert truth.expected == truth.live + truth.caught_up
    assert 0 < truth.caught_up


async def test_api_users_call_at_the_rate_asked_for(people: Crowd) -> None:
    """Every request is answered well; nobody connects."""
    people.add("api", people=20, requests_per_s=100)
    await people.play(2.0)
    await until(lambda: not people.world.busy)
    counts = people.counts()
    assert {} == people.errors()
    assert 200 == pytest.approx(counts[Count.HTTP], abs=60)
    assert 0 == counts[Count.CONNECTED]


async def test_a_server_that_is_killed_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    """People reconnect, send again what was not answered, and catch up: all is delivered, nothing stored twice."""
    async with serving(tmp_path / "data") as homeroom, crowd(homeroom.url, homeroom.token) as people:
        people.add("pairs", **PAIRS)
        people.add("classroom", **SESSIONS)
        await people.gather()
        over = people.begin(3.0)
        await until(lambda: people.counts()[Count.ACKED] > 10)
        await homeroom.kill()
        await until(lambda: not any(person.ready for person in people.people))
        await homeroom.start()
        truth = await people.end(over)
        counts = people.counts()
    assert {} == faults(truth)
    assert truth.sent == truth.acked == counts[Count.SENT] == counts[Count.ACKED]
    assert truth.expected == truth.live + truth.caught_up
    assert len(people.people) == counts[Count.DISCONNECTED]
    assert 2 * len(people.people) == counts[Count.CONNECTED]


async def test_a_server_that_drains_is_left_as_it_asks_and_nothing_is_lost(tmp_path: Path) -> None:
    """People go when they are told to, and come back to the server that takes its place."""
    async with serving(tmp_path / "data") as homeroom, crowd(homeroom.url, homeroom.token) as people:
        people.add("pairs", **PAIRS)
        await people.gather()
        over = people.begin(3.0)
        await until(lambda: people.counts()[Count.ACKED] > 5)
        await homeroom.stop()
        await homeroom.start()
        truth = await people.end(over)
        counts = people.counts()
    assert {} == faults(truth)
    assert truth.expected == truth.live + truth.caught_up
    assert 2 * len(people.people) <= counts[Count.CONNECTED]


async def test_a_token_that_ends_is_renewed_on_the_live_connection(server: Server) -> None:
    """The server warns, the person gets a new token, and nobody has to reconnect."""
    lives = iter([timedelta(seconds=60), timedelta(hours=1)])
    asked = []

    def mint(user_id: str, role: str) -> str:
        asked.append(user_id)
        return token(server, user_id, role, ttl=next(lives))

    async with crowd(server.url, mint) as people:
        people.add("idle", people=1)
        await people.gather()
        await until(lambda: len(asked) == 2)
        people.people[0].presence("busy", 0)
        await until(lambda: people.timed(Metric.CALL) == 2)
        assert {} == people.errors()
        assert 1 == people.counts()[Count.CONNECTED]


class Inattentive(Person):
    """Someone whose connection loses some `message:new`, though it stays open."""

    def __init__(self, world: World, user: User, misses: set[int]) -> None:
        super().__init__(world, user)
        self.misses = misses

    def on_event(self, name: str, payload: Any, now_ns: int) -> None:
        """Lose the message whose turn it is."""
        if name == "message:new" and payload["message"]["seq"] in self.misses:
            self.misses.remove(payload["message"]["seq"])
            return
        super().on_event(name, payload, now_ns)


async def met(people: Crowd, misses: set[int]) -> tuple[Person, Inattentive, str]:
    """Return two people in a direct room, one of whom misses messages."""
    speaker = Person(people.world, User(900, "speaker", "Speaker", "student"))
    listener = Inattentive(people.world, User(901, "listener", "Listener", "student"), misses)
    await asyncio.gather(speaker.connect(0), listener.connect(0))
    people.guests += [speaker, listener]
    room_id = await speaker.open_room({"kind": "direct", "user_id": "listener"})
    await speaker.join(room_id)
    await listener.join(room_id)
    return speaker, listener, room_id


@pytest.mark.parametrize("missed", [1, 2, 3])
async def test_a_message_that_did_not_come_by_itself_is_missed_not_lost(people: Crowd, missed: int) -> None:
    """In the middle the client sees the gap and reads the room; at the end the final sync reveals it."""
    speaker, _, room_id = await met(people, {missed})
    for number in range(3):
        speaker.say(room_id, f"message {number}", 0)
    await until(lambda: people.counts()[Count.DELIVERED] == 2)
    truth = await people.settled()
    assert {"missed_live": 1} == faults(truth)
    assert (3, 2) == (truth.expected, truth.live)


async def test_a_refused_message_is_counted_as_refused(people: Crowd) -> None:
    """An error that cannot pass ends a message: it is owed to nobody."""
    speaker, _, room_id = await met(people, set())
    speaker.say(room_id, "x" * 9000, 0)
    speaker.say(room_id, "short enough", 0)
    truth = await people.settled()
    assert {"refused": 1} == faults(truth)
    assert (2, 1, 1) == (truth.sent, truth.acked, truth.expected)
    assert {("ack", "message.too_long"): 1} == people.errors()


async def test_a_message_that_comes_too_fast_is_sent_again_when_it_may(tmp_path: Path) -> None:
    """A refusal that passes is waited out as long as the server asks."""
    limits = {"messages_per_s": 5, "messages_burst": 1}
    async with (
        running(tmp_path, limits) as server,
        crowd(server.url, lambda user_id, role: token(server, user_id, role)) as people,
    ):
        speaker, _, room_id = await met(people, set())
        speaker.say(room_id, "one", 0)
        speaker.say(room_id, "two", 0)
        truth = await people.settled()
        assert {} == faults(truth)
        assert (2, 2, 2) == (truth.acked, truth.expected, truth.live)
        assert 0 < people.counts()[Count.RESENT]


async def test_what_is_said_offline_is_sent_after_the_reconnect(people: Crowd) -> None:
    """It waits for the next connection, under the number it got, and counts from the time it was due."""
    speaker, _, room_id = await met(people, set())
    speaker.drop(0)
    speaker.say(room_id, "are you still there?", 0)
    truth = await people.settled()
    assert {} == faults(truth)
    assert (1, 1, 1) == (truth.acked, truth.expected, truth.live)
    counts = people.counts()
    assert (1, 0) == (counts[Count.SENT], counts[Count.RESENT])
