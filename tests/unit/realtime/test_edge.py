"""realtime.edge and realtime.roster: a connection from its first packet to its last, on a built server."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.keys import secret_key
from auth.tokens import TokenMinter
from core.clock import to_wire
from core.errors import ErrorCode
from core.ids import ConnectionId, RoomId, UserId
from realtime.app import App
from realtime.edge import EXPIRY_NOTICE_S
from realtime.hub import room_topic, watch_topic
from realtime.services import Services
from rooms.access_cache import AccessCache
from rooms.ports import Reach
from rooms.types import Snapshot
from storage.sqlite.rooms import SqliteRoomStore
from tests.support.desk import SECRET, Seat, opened
from tests.support.fakes import FakeTime
from tests.support.refusal import refused
from tests.support.server import user

CHANGED = "room:member_changed"


async def group(seat: Seat, *others: str, kind: str = "group", **more: Any) -> str:
    """Open a room; return its id."""
    data = await seat.ok("room:open", {"kind": kind, "title": "Algebra", "member_ids": list(others), **more})
    room_id: str = data["room"]["id"]
    return room_id


class TestAccept:
    """Who gets in."""

    @pytest.mark.parametrize(
        ("auth", "headers"),
        [
            (None, {}),
            ({}, {}),
            ("token", {}),
            ([], {}),
            ({"token": ""}, {}),
            ({"token": 7}, {}),
            ({"token": "x.y.z"}, {}),
            ({"token": "ż" * 9000}, {}),
            (None, {"authorization": "Basic abc"}),
            (None, {"authorization": "Bearer"}),
            (None, {"authorization": "Bearer  "}),
        ],
        ids=repr,
    )
    async def test_a_handshake_without_a_good_token_is_refused(
        self, app: App, auth: object, headers: dict[str, str]
    ) -> None:
        """Whatever is sent in its place, the code is `auth.invalid_token`, and nothing of the connection stays."""
        seat = Seat(app, "ada")
        with refused(ErrorCode.AUTH_INVALID_TOKEN):
            await app.edge.accept(seat.sid, "/", auth, headers, seat.link)
        assert {} == app.hub.connections

    async def test_a_bearer_header_does_as_well(self, app: App) -> None:
        """In any case of the scheme, with more than one space."""
        token, _ = app.minter.mint(user("ada"), timedelta(hours=1))
        for number, scheme in enumerate(("Bearer", "bearer", "BEARER ")):
            seat = Seat(app, "ada")
            await app.edge.accept(seat.sid, "/", None, {"authorization": f"{scheme} {token}"}, seat.link)
            await app.edge.opened(seat.sid)
            assert number + 1 == len(app.hub.connections)

    async def test_an_expired_token_says_so(self, app: App) -> None:
        """So that the client gets a new one instead of signing out."""
        past = FakeTime(app.services.clock.now() - timedelta(hours=2))
        token, _ = TokenMinter(secret_key(SECRET), past).mint(user("ada"), timedelta(hours=1))
        with refused(ErrorCode.AUTH_EXPIRED_TOKEN):
            await Seat(app, "ada").accept(token=token)

    @pytest.mark.parametrize("role", ["student", "teacher", "viewer"])
    async def test_operations_are_for_admins(self, app: App, role: str) -> None:
        """`/admin` refuses everybody else."""
        with refused(ErrorCode.AUTH_FORBIDDEN):
            await Seat(app, "ada", role).accept("/admin")
        await Seat(app, "root", "admin").accept("/admin")

    async def test_a_server_that_goes_takes_nobody(self, app: App) -> None:
        """While draining the refusal says when to come back, on another node."""
        await Seat(app, "ada").sit()
        app.edge.drain(1)
        with refused(ErrorCode.SERVER_DRAINING) as refusal:
            await Seat(app, "ben").accept()
        assert 500 <= (refusal.retry_after_ms or 0) <= 3000

    async def test_connections_of_one_user_are_counted(self, tmp_path: Path) -> None:
        """One more than the limit is refused, until one ends; others are not concerned."""
        async with opened(tmp_path, {"connections_per_user": 2}) as app:
            seats = [await Seat(app, "ada").sit() for _ in range(2)]
            with refused(ErrorCode.SERVER_OVERLOADED):
                await Seat(app, "ada").accept()
            await Seat(app, "ben").sit()
            await seats[0].leave()
            await Seat(app, "ada").sit()


class TestOpened:
    """Going live."""

    async def test_ready_comes_first(self, app: App) -> None:
        """The first event says who one is, on which connection, and the limits."""
        seat = await Seat(app, "ada").sit()
        name, payload = seat.link.events()[0]
        assert ("ready", "ada", seat.sid) == (name, payload["user"]["id"], payload["connection_id"])

    async def test_rooms_of_the_right_kinds_are_live_at_once(self, app: App) -> None:
        """Groups and direct rooms are; sessions and announcements, archived rooms and those of others are not."""
        rao, ben = await Seat(app, "rao", "teacher").sit(), await Seat(app, "ben").sit()
        await ben.leave()
        rooms = {kind: await group(rao, "ben", kind=kind) for kind in ("group", "session", "announcement")}
        rooms["direct"] = (await rao.ok("room:open", {"kind": "direct", "user_id": "ben"}))["room"]["id"]
        rooms["foreign"] = await group(rao)
        ben = await Seat(app, "ben").sit()
        live = {kind for kind, room_id in rooms.items() if room_topic(RoomId(room_id)) in ben.connection.topics}
        assert {"group", "direct"} == live

    async def test_only_so_many_rooms_are_live_the_latest_first(self, tmp_path: Path) -> None:
        """Beyond the limit the rooms with the oldest activity wait to be joined."""
        async with opened(tmp_path, {"live_rooms": 2}) as app:
            ada = await Seat(app, "ada").sit()
            rooms = [await group(ada) for _ in range(3)]
            later = await Seat(app, "ada").sit()
            live = [room_topic(RoomId(room_id)) in later.connection.topics for room_id in rooms]
            assert [False, True, True] == live

    async def test_a_client_that_goes_at_once_leaves_nothing(self, app: App) -> None:
        """A connection that ends while its rooms are read is neither live nor online afterwards."""
        ada = Seat(app, "ada")
        await ada.accept()
        opening = asyncio.ensure_future(app.edge.opened(ada.sid))
        await asyncio.sleep(0)
        await ada.leave()
        await opening
        assert {} == app.hub.connections
        assert 0 == await app.services.presence.connections(UserId("ada"))

    async def test_a_room_that_is_lost_while_opening_stays_lost(self, app: App) -> None:
        """Removed after the rooms were read and before they are live: nothing of that room arrives any more."""
        rao = await Seat(app, "rao", "teacher").sit()
        await (await Seat(app, "ada").sit()).leave()
        kept, lost = [RoomId(await group(rao, "ada")) for _ in range(2)]
        read = await app.store.rooms.reach(UserId("ada"), live_limit=10, max_members=10, small_limit=10)
        answer: asyncio.Future[Reach] = asyncio.get_running_loop().create_future()

        class Rooms(SqliteRoomStore):
            async def reach(self, user_id: UserId, *, live_limit: int, max_members: int, small_limit: int) -> Reach:
                return await answer

        app.edge._rooms = Rooms(app.store.database, AccessCache())
        ada = Seat(app, "ada")
        await ada.accept()
        opening = asyncio.ensure_future(app.edge.opened(ada.sid))
        await asyncio.sleep(0)
        await app.services.members.remove(rao.connection.principal, lost, UserId("ada"))
        answer.set_result(read)
        await opening
        assert {room_topic(kept)} == ada.connection.topics & {room_topic(kept), room_topic(lost)}

    async def test_events_of_who_is_not_connected_are_dropped(self, app: App) -> None:
        """Before and after its life a connection's events are not handled."""
        ada = Seat(app, "ada")
        await app.edge.received(ada.sid, "room:list", [{}], 1, 2)
        await ada.sit()
        await ada.leave()
        await app.edge.received(ada.sid, "room:list", [{}], 2, 2)
        assert {} == ada.link.acks()


class Gate:
    """A sync service that answers when the test lets it."""

    def __init__(self, services: Services) -> None:
        self._sync = services.sync
        self.asked = asyncio.Event()
        self.open = asyncio.Event()

    async def join(self, *args: Any) -> Snapshot:
        """Wait, then join."""
        self.asked.set()
        await self.open.wait()
        return await self._sync.join(*args)


class TestSessions:
    """Who is in a live class."""

    async def changes(self, seat: Seat) -> list[tuple[str, str]]:
        """Return who came and went so far."""
        return [
            (event["user_id"], event["change"]) for event in seat.seen(CHANGED) if event["change"] in {"joined", "left"}
        ]

    async def test_joined_and_left_are_told_once_per_person(self, app: App) -> None:
        """A second device, and leaving with one of two, is no news."""
        rao = await Seat(app, "rao", "teacher").sit()
        ada, other = [await Seat(app, "ada").sit() for _ in range(2)]
        room_id = await group(rao, "ada", kind="session")
        await rao.ok("room:join", {"room_id": room_id})
        for seat in (ada, other, ada):
            await seat.ok("room:join", {"room_id": room_id})
        await ada.ok("room:leave", {"room_id": room_id})
        await other.ok("room:leave", {"room_id": room_id})
        assert [("rao", "joined"), ("ada", "joined"), ("ada", "left")] == await self.changes(rao)

    async def test_a_dropped_connection_has_a_grace(self, tmp_path: Path) -> None:
        """Whoever is back in time never left; who is not leaves when the grace is over."""
        async with opened(tmp_path, presence_grace_ms=40) as app:
            rao, ada = await Seat(app, "rao", "teacher").sit(), await Seat(app, "ada").sit()
            room_id = await group(rao, "ada", kind="session")
            for seat in (rao, ada):
                await seat.ok("room:join", {"room_id": room_id})
            await ada.leave()
            back = await Seat(app, "ada").sit()
            await back.ok("room:join", {"room_id": room_id})
            assert [("rao", "joined"), ("ada", "joined")] == await self.changes(rao)
            await back.leave()
            await rao.until(lambda: {"room_id": room_id, "user_id": "ada", "change": "left"} in rao.seen(CHANGED))
            assert 1 == (await self.changes(rao)).count(("ada", "joined"))

    async def test_a_join_that_outlives_its_connection_leaves_nothing(self, app: App) -> None:
        """Cut while the snapshot is read: nobody is told that they joined, and the hub forgets the connection."""
        rao, ada = await Seat(app, "rao", "teacher").sit(), await Seat(app, "ada").sit()
        room_id = await group(rao, "ada", kind="session")
        await rao.ok("room:join", {"room_id": room_id})
        connection, gate = ada.connection, Gate(app.services)
        object.__setattr__(app.services, "sync", gate)
        joining = asyncio.ensure_future(app.edge.received(ada.sid, "room:join", [{"room_id": room_id}], 1, 10))
        await gate.asked.wait()
        await ada.leave("draining")
        gate.open.set()
        await joining
        assert ([("rao", "joined")], set()) == (await self.changes(rao), connection.topics)

    async def test_a_watch_that_outlives_its_connection_leaves_nothing(self, app: App) -> None:
        """The same for everything that a handler subscribes to after a wait."""
        ada = await Seat(app, "ada").sit()
        await Seat(app, "rao", "teacher").sit()
        connection = ada.connection
        watching = asyncio.ensure_future(app.edge.received(ada.sid, "presence:watch", [{"user_ids": ["rao"]}], 1, 10))
        await asyncio.sleep(0)
        await ada.leave()
        await watching
        assert watch_topic(UserId("rao")) not in connection.topics


class TestExpiry:
    """The end of an access token."""

    def clocked(self, app: App) -> FakeTime:
        """Put the edge on a clock that starts now and that the test turns."""
        time = FakeTime(app.services.clock.now())
        app.edge._timers = time
        object.__setattr__(app.services, "clock", time)
        return time

    async def test_the_client_is_warned_in_time_and_then_closed(self, app: App) -> None:
        """At least 60 s before the end it hears when; at the end the connection is closed with that reason."""
        time = self.clocked(app)
        token, expires_at = app.minter.mint(user("ada"), timedelta(minutes=5))
        ada = Seat(app, "ada")
        await ada.accept(token=token)
        await app.edge.opened(ada.sid)
        time.advance(300 - EXPIRY_NOTICE_S - 2)
        assert [] == ada.seen("auth:expiring")
        time.advance(2)
        assert [{"expires_at": to_wire(expires_at)}] == ada.seen("auth:expiring")
        time.advance(EXPIRY_NOTICE_S - 2)
        assert [] == ada.link.closed
        time.advance(3)
        assert ["token_expired"] == ada.link.closed

    async def test_a_new_token_prolongs_it(self, app: App) -> None:
        """After `auth:refresh` the old end passes unnoticed; a token of another user changes nothing."""
        time = self.clocked(app)
        ada = Seat(app, "ada")
        await ada.accept(token=app.minter.mint(user("ada"), timedelta(minutes=5))[0])
        await app.edge.opened(ada.sid)
        token, expires_at = app.minter.mint(user("ada"), timedelta(minutes=30))
        assert {"expires_at": to_wire(expires_at)} == await ada.ok("auth:refresh", {"token": token})
        stranger, _ = app.minter.mint(user("eve"), timedelta(minutes=60))
        refusal = await ada.call("auth:refresh", {"token": stranger})
        assert "auth.forbidden" == refusal["error"]["code"]
        time.advance(301)
        assert ([], []) == (ada.seen("auth:expiring"), ada.link.closed)
        time.advance(1500)
        assert ["token_expired"] == ada.link.closed

    async def test_a_connection_that_ended_is_not_closed_again(self, app: App) -> None:
        """Its timer goes with it."""
        time = self.clocked(app)
        ada = await Seat(app, "ada").sit()
        await ada.leave()
        assert ConnectionId(ada.sid) not in app.hub.connections
        time.advance(4000)
        assert [] == ada.link.closed
