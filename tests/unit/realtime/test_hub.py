"""realtime.hub and realtime.connection: who hears what, once, in order, and never before the right to hear is known."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.limits import TokenBucket
from auth.types import Principal, Role
from core.errors import ErrorCode, HomeroomError
from core.ids import ConnectionId, RoomId, UserId
from realtime.cluster.ports import Effect, Envelope
from realtime.connection import Connection
from realtime.engine.frames import Frame
from realtime.handlers.live import joining, syncing
from realtime.hub import Hub, compat_topic, room_topic, user_topic, watch_topic
from tests.support.fakes import RecordingLink

ROOM = RoomId("algebra")
TOPIC = room_topic(ROOM)
OTHER = room_topic(RoomId("geometry"))


def connect(hub: Hub, user_id: str, *topics: str, name: str = "1", namespace: str = "/") -> RecordingLink:
    """Add someone's connection, live in these topics and open; return its link."""
    link = RecordingLink()
    principal = Principal(UserId(user_id), Role.STUDENT, user_id.title())
    connection = Connection(ConnectionId(f"{user_id}-{name}"), namespace, principal, link, TokenBucket(1, 1))
    hub.add(connection)
    connection.excluded = None
    for topic in topics:
        hub.subscribe(connection, topic)
    return link


def connection_of(hub: Hub, user_id: str, name: str = "1") -> Connection:
    """Return a connection that was added by `connect`."""
    return hub.connections[ConnectionId(f"{user_id}-{name}")]


def event(*topics: str, rev: int | None = None, **more: Any) -> Envelope:
    """Return an event whose payload is its rev."""
    return Envelope(topics, "test", b"%d" % (rev or 0), rev, **more)


def revs(link: RecordingLink) -> list[int]:
    """Return the payloads that arrived since the last look."""
    events = [payload for _, payload in link.events()]
    link.take()
    return events


class TestDelivery:
    """Reaching everyone once."""

    def test_an_event_reaches_those_of_its_topic(self) -> None:
        """Members get it, others do not; what is sent is the same frame for all."""
        hub = Hub()
        ada, ben, eve = connect(hub, "ada", TOPIC), connect(hub, "ben", TOPIC), connect(hub, "eve", OTHER)
        hub.deliver(event(TOPIC, rev=7))
        assert (['42["test",7]'], ['42["test",7]'], []) == (ada.frames, ben.frames, eve.frames)

    def test_several_topics_are_one_delivery(self) -> None:
        """Who is in several of an event's topics gets it once, on each connection."""
        hub = Hub()
        topics = (user_topic(UserId("ada")), watch_topic(UserId("ada")), TOPIC, OTHER)
        phone, laptop = connect(hub, "ada", TOPIC, OTHER), connect(hub, "ada", TOPIC, name="2")
        ben = connect(hub, "ben", OTHER, watch_topic(UserId("ada")))
        hub.deliver(event(*topics, rev=1))
        assert ([1], [1], [1]) == (revs(phone), revs(laptop), revs(ben))

    def test_the_one_who_types_is_left_out(self) -> None:
        """`skip_user` spares all connections of the user, and nobody else's."""
        hub = Hub()
        phone, laptop, ben = (
            connect(hub, "ada", TOPIC),
            connect(hub, "ada", TOPIC, name="2"),
            connect(hub, "ben", TOPIC),
        )
        hub.deliver(event(TOPIC, rev=1, skip_user=UserId("ada")))
        assert ([], [], [1]) == (revs(phone), revs(laptop), revs(ben))

    def test_nothing_is_delivered_after_the_end(self) -> None:
        """Neither to a topic that was left nor to a connection that was removed; both can be said twice."""
        hub = Hub()
        ada, ben = connect(hub, "ada", TOPIC), connect(hub, "ben", TOPIC)
        gone = connection_of(hub, "ben")
        for _ in range(2):
            hub.unsubscribe(connection_of(hub, "ada"), TOPIC)
            hub.remove(gone)
        hub.deliver(event(TOPIC, user_topic(UserId("ben")), rev=1))
        assert ([], []) == (revs(ada), revs(ben))
        assert (set(), []) == (gone.topics, hub.of_user(UserId("ben")))

    def test_a_removed_connection_cannot_come_back(self) -> None:
        """A handler that finishes after its connection ended leaves nothing of it in the hub."""
        hub = Hub()
        link = connect(hub, "ada")
        gone = connection_of(hub, "ada")
        hub.remove(gone)
        hub.subscribe(gone, TOPIC)
        hub.deliver(event(TOPIC, rev=1))
        assert ([], set(), False) == (revs(link), gone.topics, hub.live_in(ROOM, UserId("ada")))

    def test_the_order_of_publishing_is_the_order_of_arrival(self) -> None:
        """Events of several topics arrive as they were published."""
        hub = Hub()
        ada = connect(hub, "ada", TOPIC, OTHER)
        for rev in range(1, 8):
            hub.deliver(event(TOPIC if rev % 2 else OTHER, rev=rev))
        assert list(range(1, 8)) == revs(ada)


class TestHolding:
    """A topic that is held is heard after the snapshot, or not at all."""

    def test_what_is_in_the_snapshot_is_not_sent_again(self) -> None:
        """Released are changes above the snapshot's rev and everything without a rev, in order."""
        hub = Hub()
        ada = connect(hub, "ada", TOPIC)
        connection = connection_of(hub, "ada")
        connection.hold(TOPIC)
        for rev in (3, 4, None, 5):
            hub.deliver(event(TOPIC, rev=rev))
        assert [] == revs(ada)
        connection.release(TOPIC, 4)
        hub.deliver(event(TOPIC, rev=6))
        assert [0, 5, 6] == revs(ada)

    def test_other_topics_go_on(self) -> None:
        """Only the topic that is held waits."""
        hub = Hub()
        ada = connect(hub, "ada", TOPIC, OTHER)
        connection_of(hub, "ada").hold(TOPIC)
        hub.deliver(event(OTHER, rev=1))
        hub.deliver(event(user_topic(UserId("ada")), rev=2))
        assert [1, 2] == revs(ada)

    def test_leaving_drops_what_waited(self) -> None:
        """Who was refused hears nothing of what happened meanwhile."""
        hub = Hub()
        ada = connect(hub, "ada", TOPIC)
        connection = connection_of(hub, "ada")
        connection.hold(TOPIC)
        hub.deliver(event(TOPIC, rev=1))
        hub.unsubscribe(connection, TOPIC)
        connection.release(TOPIC, -1)
        assert [] == revs(ada)

    def test_an_event_of_several_topics_does_not_slip_through(self) -> None:
        """Presence is told to many rooms at once: who is live only in one that is held must not hear it yet."""
        hub = Hub()
        eve = connect(hub, "eve", TOPIC)
        connection = connection_of(hub, "eve")
        connection.hold(TOPIC)
        hub.deliver(event(user_topic(UserId("ada")), watch_topic(UserId("ada")), TOPIC))
        assert [] == revs(eve)
        hub.unsubscribe(connection, TOPIC)
        assert [] == revs(eve)

    def test_clients_of_the_minimal_contract_wait_too(self) -> None:
        """`message:new` and `new-message` come together, after the release."""
        hub = Hub()
        ada = connect(hub, "ada", TOPIC, compat_topic(ROOM))
        connection = connection_of(hub, "ada")
        connection.hold(TOPIC)
        message = b'{"message":{"id":"m","room_id":"algebra","seq":1,"sender_id":"b","created_at":"now","body":"hi"}}'
        hub.deliver(Envelope((TOPIC,), "message:new", message, 1, extra=b'{"sessionId":"algebra","colour":"red"}'))
        assert [] == ada.frames
        connection.release(TOPIC, 0)
        assert ["message:new", "new-message"] == [name for name, _ in ada.events()]


class TestEffects:
    """Changes of who is live where travel with the event that tells of them."""

    def test_a_new_room_is_live_before_it_is_told(self) -> None:
        """All connections of the user on `/` are live in it from this event on; those on `/admin` are not."""
        hub = Hub()
        phone, laptop = connect(hub, "ada"), connect(hub, "ada", name="2")
        admin = connect(hub, "ada", name="3", namespace="/admin")
        effect = Effect("live", UserId("ada"), TOPIC)
        hub.deliver(event(user_topic(UserId("ada")), TOPIC, rev=1, effect=effect))
        hub.deliver(event(TOPIC, rev=2))
        assert ([1, 2], [1, 2]) == (revs(phone), revs(laptop))
        assert 2 not in revs(admin)

    def test_a_removed_member_hears_of_it_and_then_nothing(self) -> None:
        """The event itself still arrives on every connection; what follows does not, held or not."""
        hub = Hub()
        phone, laptop = connect(hub, "ada", TOPIC, compat_topic(ROOM)), connect(hub, "ada", TOPIC, name="2")
        ben = connect(hub, "ben", TOPIC)
        connection_of(hub, "ada", "2").hold(TOPIC)
        effect = Effect("unlive", UserId("ada"), TOPIC)
        hub.deliver(event(user_topic(UserId("ada")), rev=1, effect=effect))
        hub.deliver(event(TOPIC, rev=2))
        connection_of(hub, "ada", "2").release(TOPIC, -1)
        assert ([1], [1], [2]) == (revs(phone), revs(laptop), revs(ben))
        assert {user_topic(UserId("ada"))} == connection_of(hub, "ada").topics
        assert not hub.live_in(ROOM, UserId("ada"))

    def test_a_removal_while_opening_is_remembered(self) -> None:
        """A connection whose rooms are still being read learns which of them it must leave out."""
        hub = Hub()
        connect(hub, "ada")
        connection = connection_of(hub, "ada")
        connection.excluded = frozenset()
        hub.deliver(event(user_topic(UserId("ada")), effect=Effect("unlive", UserId("ada"), TOPIC)))
        assert frozenset({TOPIC}) == connection.excluded

    def test_a_revoked_user_is_disconnected_everywhere(self) -> None:
        """Every connection of the user on every namespace is closed for the reason given; others stay."""
        hub = Hub()
        links = [connect(hub, "ada"), connect(hub, "ada", name="2", namespace="/admin"), connect(hub, "ben")]
        hub.deliver(Envelope((), "", b"", effect=Effect("disconnect", UserId("ada"), reason="revoked")))
        assert [["revoked"], ["revoked"], []] == [link.closed for link in links]
        assert [[], [], []] == [link.frames for link in links]


class Reader:
    """A client that joins, syncs and leaves, while the room goes on."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.link = connect(self.hub, "ada")
        self.connection = connection_of(self.hub, "ada")
        self.rev = 0
        self.live = False
        self.answer: asyncio.Future[int] | None = None
        self.work: asyncio.Task[None] | None = None

    def begin(self, *, join: bool) -> None:
        """Ask for a snapshot, as the handlers do."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.answer, self.work = answer, asyncio.ensure_future(self._ask(answer, join=join))

    async def _ask(self, answer: asyncio.Future[int], *, join: bool) -> None:
        async def read() -> int:
            return await answer

        try:
            if join:
                snapshot = await joining(self.hub, self.connection, ROOM, read)
                self.live = True
            else:
                snapshot = await syncing(self.connection, ROOM, read)
        except HomeroomError:
            return
        self.link.push(Frame(f'42["snapshot",{snapshot}]'.encode()))
        self.connection.release(TOPIC, snapshot)

    async def tick(self) -> None:
        """Let the loop turn until nothing moves."""
        for _ in range(5):
            await asyncio.sleep(0)


STEPS = ["message", "message", "typing", "join", "sync", "read", "refuse", "tick", "leave"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=40))
async def test_whatever_the_interleaving_a_client_has_each_change_once_and_in_order(steps: list[str]) -> None:
    """While it is live a client sees rev after rev without a hole or a repeat, and nothing of a room it is not in."""
    reader = Reader()
    for step in [*steps, "read", "tick"]:
        idle = reader.work is None or reader.work.done()
        if step == "message":
            reader.rev += 1
            reader.hub.deliver(event(TOPIC, rev=reader.rev))
        elif step == "typing":
            reader.hub.deliver(Envelope((TOPIC,), "typing", b"0"))
        elif step in {"join", "sync"} and idle:
            reader.begin(join=step == "join")
            await asyncio.sleep(0)  # the handler subscribes and holds before it reads
        elif step in {"read", "refuse"} and reader.answer is not None and not reader.answer.done():
            if step == "read":
                reader.answer.set_result(reader.rev)
            else:
                reader.answer.set_exception(HomeroomError(ErrorCode.ROOM_NOT_FOUND))
        elif step == "tick":
            await reader.tick()
        elif step == "leave" and idle:
            reader.hub.unsubscribe(reader.connection, TOPIC)
            reader.live = False
            reader.link.push(Frame(b'42["left",0]'))
    known, live = 0, False
    for name, number in reader.link.events():
        if name == "snapshot":
            assert number >= known
            known, live = number, True  # or only level, after a sync from outside
        elif name == "left":
            known, live = 0, False
        else:
            assert live
            if name == "test":
                assert known + 1 == number
                known = number
    if reader.live:
        assert reader.rev == known


@pytest.mark.parametrize("was_live", [False, True])
async def test_a_refused_join_leaves_things_as_they_were(*, was_live: bool) -> None:
    """Who was not live stays so and learns nothing; who was live misses nothing."""
    hub = Hub()
    link = connect(hub, "ada", *([TOPIC] if was_live else []))

    async def read() -> None:
        hub.deliver(event(TOPIC, rev=1))
        raise HomeroomError(ErrorCode.SERVER_UNAVAILABLE)

    with pytest.raises(HomeroomError):
        await joining(hub, connection_of(hub, "ada"), ROOM, read)
    hub.deliver(event(TOPIC, rev=2))
    assert ([1, 2] if was_live else []) == revs(link)
    assert connection_of(hub, "ada").held is None


async def test_a_member_who_is_added_while_a_join_is_refused_stays_live() -> None:
    """The room was told to them with the promise of its events: a refusal that came late must not take that back."""
    hub = Hub()
    link = connect(hub, "ada")

    async def read() -> None:
        hub.deliver(event(user_topic(UserId("ada")), effect=Effect("live", UserId("ada"), TOPIC)))
        raise HomeroomError(ErrorCode.ROOM_NOT_FOUND)

    with pytest.raises(HomeroomError):
        await joining(hub, connection_of(hub, "ada"), ROOM, read)
    revs(link)
    hub.deliver(event(TOPIC, rev=2))
    assert [2] == revs(link)
