"""One simulated user, who does what an honest client does: stays connected, sends again, catches up."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple

from loadtest.behaviours.backoff import backoff_s
from loadtest.behaviours.catching_up import CatchingUp, ask
from loadtest.behaviours.outgoing import Outgoing
from loadtest.behaviours.seat import Seat
from loadtest.behaviours.world import World
from loadtest.client.errors import CallFailed, ConnectFailed
from loadtest.client.session import Session
from loadtest.client.tokens import User
from loadtest.measure.names import Count, Gauge, Metric
from loadtest.truth.ledger import Inbox
from loadtest.truth.stamp import Stamp, read_stamp

READY_TIMEOUT_S = 30.0
HOPELESS = ("auth.", "no_ports", "files")
"""Beginnings of the codes of refusals that trying again cannot mend."""
THINK_S = (0.5, 1.5)
"""How long people take to read before their receipt goes out."""
TYPING_PAUSE_NS = 3_000_000_000
"""A room is told that someone writes at most this often."""
EPHEMERAL = {
    "typing:changed": Count.TYPING,
    "receipt:changed": Count.RECEIPTS,
    "presence:changed": Count.PRESENCE,
}


Way = Callable[[CatchingUp], Coroutine[Any, Any, None]]


class _Refusal(NamedTuple):
    code: str
    text: str
    retry_after_ms: int | None = None


class Person:
    """A user, their connection and their rooms.

    What is said while there is no connection waits for the next one; typing, receipts and presence do not.
    """

    __slots__ = (
        "_early",
        "_left_ns",
        "_not_before_ns",
        "_outgoing",
        "_returning",
        "_wanted",
        "_watched",
        "_welcome",
        "chance",
        "ready",
        "seats",
        "session",
        "user",
        "world",
    )

    def __init__(self, world: World, user: User) -> None:
        self.world = world
        self.user = user
        self.session: Session | None = None
        self.ready = False
        """Whether the server has welcomed the present connection."""
        self.seats: dict[str, Seat] = {}
        self.chance = world.chance(user.index)
        self._outgoing = Outgoing(world, self)
        self._early: dict[str, list[tuple[dict[str, Any], int]]] | None = None
        self._watched: list[str] = []
        self._welcome: asyncio.Future[bool] | None = None
        self._returning: asyncio.Task[None] | None = None
        self._wanted = False
        self._not_before_ns = 0
        self._left_ns: int | None = None
        """When it was decided to drop the connection, until there is another."""

    @property
    def waiting(self) -> int:
        """How many of their messages no answer has settled."""
        return len(self._outgoing)

    async def connect(self, due_ns: int) -> None:
        """Get in, however often it takes. Returns without having got in when that is hopeless, or the world closes."""
        self._wanted = True
        attempt = 0
        while self._wanted and not self.world.closing:
            refusal = await self._enter()
            if refusal is None:
                self._came_in(due_ns)
                await self._catch_up_all()
                return
            self.world.recorder.error("connect", refusal.code, refusal.text)
            if refusal.code.startswith(HOPELESS):
                return
            wait_s = (refusal.retry_after_ms or 0) / 1000 + backoff_s(attempt, self.chance.random())
            await asyncio.sleep(wait_s)
            attempt += 1

    async def open_room(self, payload: dict[str, Any]) -> str:
        """Open a room and return its id. Raises CallFailed."""
        answer = await ask(self.world, self._connection(), "room:open", payload)
        return str(answer["room"]["id"])

    async def join(self, room_id: str, *, receipts: bool = False) -> None:
        """Come into a room; every later message is owed. With `receipts`, say what was read. Raises CallFailed."""
        self._early = {} if self._early is None else self._early
        self._early[room_id] = []
        try:
            snapshot = await ask(self.world, self._connection(), "room:join", {"room_id": room_id})
        finally:
            early = self._early.pop(room_id)
        seq, rev = snapshot["room"]["last_seq"], snapshot["rev"]
        inbox, outbox = self._inbox(room_id, seq), self.world.ledger.outbox(room_id, self.user.index)
        self.seats[room_id] = Seat(room_id, inbox, outbox, rev, seq, receipts=receipts)
        for message, now_ns in early:
            if message["rev"] > rev:
                self._heard(message, now_ns)

    def say(self, room_id: str, body: str, due_ns: int) -> None:
        """Write a message that was due at `due_ns`; it is kept, and sent again, until the server has answered it."""
        self._outgoing.say(self.seats[room_id], body, due_ns)

    def typing(self, room_id: str, due_ns: int, *, on: bool) -> None:
        """Tell the room that this person begins or stops writing, as rarely as the contract asks for."""
        seat = self.seats[room_id]
        if on and due_ns - seat.typed_ns < TYPING_PAUSE_NS:
            return
        if on:
            seat.typed_ns = due_ns
        self._tell("typing:set", {"room_id": room_id, "on": on}, due_ns)

    def read(self, room_id: str, seq: int, due_ns: int) -> None:
        """Mark everything up to `seq` as delivered and read."""
        self._tell("receipt:mark", {"room_id": room_id, "read_seq": seq, "delivered_seq": seq}, due_ns)

    def presence(self, status: str, due_ns: int) -> None:
        """Set one's own status: online, away or busy."""
        self._tell("presence:set", {"status": status}, due_ns)

    def watch(self, user_ids: list[str]) -> None:
        """Watch these people's presence, over this connection and every later one."""
        self._watched = user_ids
        self._watch()

    def drop(self, due_ns: int) -> None:
        """Cut the connection, as a killed browser does, and come back at once."""
        if self.session is not None and self.ready:
            self._left_ns = due_ns
            self.session.abort()

    async def sync(self) -> None:
        """Hold all that one's rooms hold, to know what never came by itself. Raises CallFailed."""
        if not self.seats:
            return
        if self._returning is not None:
            await asyncio.wait({self._returning})
        if not self.ready:
            await self.connect(time.monotonic_ns())
        for seat in self.seats.values():
            if seat.is_reading and seat.reading is not None:
                await asyncio.wait({seat.reading})
            reading = CatchingUp(self.world, self.user, self._connection(), seat)
            if seat.absent:
                await reading.after_absence()
            await reading.at_the_end()

    async def leave(self) -> None:
        """Go for good."""
        self._wanted = False
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.wait({self._returning})
        if self.session is not None:
            self.session.close()

    def on_event(self, name: str, payload: Any, now_ns: int) -> None:
        """Take a server event (`Listener`)."""
        self.world.recorder.count(Count.EVENTS)
        try:
            if name == "message:new":
                self._heard(payload["message"], now_ns)
            elif name in EPHEMERAL:
                self.world.recorder.count(EPHEMERAL[name])
            else:
                self._told(name, payload, now_ns)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            self.world.recorder.error("protocol", "bad_event", f"{name}: {error!r}")

    def on_closed(self, reason: str) -> None:
        """Take the end of the connection (`Listener`)."""
        was_ready, self.ready, self.session = self.ready, False, None
        if self._welcome is not None and not self._welcome.done():
            self._welcome.set_result(False)
        if not was_ready:
            return
        self.world.recorder.level(Gauge.CONNECTIONS, -1)
        for seat in self.seats.values():
            seat.left()
        if reason != "client":
            self._lost(reason)
        if self._wanted and not self.world.closing:
            self._returning = self.world.spawn(self._come_back())

    def _inbox(self, room_id: str, seq: int) -> Inbox:
        return self.world.ledger.inbox(room_id, self.user.index, from_seq=seq)

    def _lost(self, reason: str) -> None:
        self.world.recorder.count(Count.DISCONNECTED)
        self.world.recorder.error("close", reason)

    def _connection(self) -> Session:
        if self.session is None or not self.ready:
            raise CallFailed("lost")
        return self.session

    async def _enter(self) -> _Refusal | None:
        self._welcome = asyncio.get_running_loop().create_future()
        try:
            token = await self.world.tokens.token(self.user)
            session = await self.world.network.connect(token, self, self.world.source())
            self.session = session if session.is_open else None
            async with asyncio.timeout(READY_TIMEOUT_S):
                welcome = await self._welcome
        except ConnectFailed as failed:
            return _Refusal(failed.code, str(failed), failed.retry_after_ms)
        except TimeoutError:
            self._give_up()
            return _Refusal("not_ready", f"no `ready` within {READY_TIMEOUT_S:g} s")
        finally:
            self._welcome = None
        if welcome and self.session is not None:
            return None
        return _Refusal("not_ready", "the connection ended before `ready`")

    def _give_up(self) -> None:
        if self.session is not None:
            self.session.abort()

    def _came_in(self, due_ns: int) -> None:
        recorder = self.world.recorder
        self.ready = True
        recorder.count(Count.CONNECTED)
        recorder.level(Gauge.CONNECTIONS, 1)
        recorder.latency(Metric.CONNECT, time.monotonic_ns() - due_ns)
        self._outgoing.resend()
        self._watch()

    async def _come_back(self) -> None:
        now_ns = time.monotonic_ns()
        due_ns, self._left_ns = self._left_ns, None
        if due_ns is None:
            due_ns = max(self._not_before_ns, now_ns + int(backoff_s(0, self.chance.random()) * 1e9))
            await asyncio.sleep((due_ns - now_ns) / 1e9)
        await self.connect(due_ns)

    async def _catch_up_all(self) -> None:
        for seat in list(self.seats.values()):
            if seat.absent:
                await self._read(seat, CatchingUp.after_absence)

    async def _read(self, seat: Seat, way: Way) -> None:
        """Read a room anew; if that fails, the connection's end or the final sync sees to it."""
        if self.session is None:
            return
        try:
            await way(CatchingUp(self.world, self.user, self.session, seat))
        except CallFailed:
            return  # Counted where it was raised, unless the connection ended.
        except (KeyError, TypeError, IndexError) as error:
            self.world.recorder.error("protocol", "bad_ack", f"snapshot: {error!r}")

    def _heard(self, message: dict[str, Any], now_ns: int) -> None:
        room_id = message["room_id"]
        seat = self.seats.get(room_id)
        if seat is None:
            if self._early is not None and room_id in self._early:
                self._early[room_id].append((message, now_ns))
            return
        client_id = message["client_id"]
        stamp = read_stamp(self.world.run, client_id)
        if stamp is None:
            if client_id.startswith(self.world.prefix):
                seat.inbox.foreign()
        elif stamp.sender == self.user.index:
            self.world.recorder.count(Count.OWN)
        elif message["rev"] > seat.covered:
            self._delivered(seat, stamp, message["seq"], now_ns)
        if seat.passed(message) and seat.has_gap:
            self._begin_reading(seat, CatchingUp.after_gap)

    def _delivered(self, seat: Seat, stamp: Stamp, seq: int, now_ns: int) -> None:
        if not seat.inbox.live(stamp, seq):
            return
        self.world.recorder.delivered(now_ns - stamp.due_ns)
        if seat.receipts and not seat.marking:
            seat.marking = True
            due_ns = now_ns + int(self.chance.between(*THINK_S) * 1e9)
            self.world.schedule.at(due_ns, partial(self._mark, seat))

    def _mark(self, seat: Seat, due_ns: int) -> None:
        seat.marking = False
        self.read(seat.room_id, seat.inbox.last_seq, due_ns)

    def _told(self, name: str, payload: Any, now_ns: int) -> None:
        if name == "ready" and self._welcome is not None and not self._welcome.done():
            self._welcome.set_result(True)
        elif name == "message:updated":
            self._changed(payload["message"]["room_id"], payload["message"]["rev"])
        elif name == "room:changed":
            self._changed(payload["room"]["id"], payload["room"]["rev"])
        elif name == "sync:required":
            self._required(payload.get("room_id"))
        elif name == "auth:expiring":
            self.world.spawn(self._renew())
        elif name == "server:draining":
            self._draining(payload["reconnect_after_ms"], now_ns)

    def _changed(self, room_id: str, rev: int) -> None:
        seat = self.seats.get(room_id)
        if seat is not None:
            seat.revs.add(rev)
            if seat.has_gap:
                self._begin_reading(seat, CatchingUp.after_gap)

    def _required(self, room_id: str | None) -> None:
        for seat in self.seats.values():
            if room_id in {None, seat.room_id} and not seat.absent:
                self._begin_reading(seat, CatchingUp.as_told)

    def _begin_reading(self, seat: Seat, way: Way) -> None:
        if self.session is not None and not self.world.closing:
            seat.reading = self.world.spawn(self._read(seat, way))

    def _draining(self, reconnect_after_ms: int, now_ns: int) -> None:
        """Stay until the moment that the server gave this client, so that not all come back at once."""
        self._not_before_ns = now_ns + reconnect_after_ms * 1_000_000
        if self.session is not None:
            self.world.later(reconnect_after_ms / 1000, self.session.close)

    async def _renew(self) -> None:
        try:
            token = await self.world.tokens.token(self.user)
        except ConnectFailed as failed:
            self.world.recorder.error("call", failed.code, f"a new token: {failed}")
            return
        self._tell("auth:refresh", {"token": token}, time.monotonic_ns())

    def _watch(self) -> None:
        if self._watched:
            self._tell("presence:watch", {"user_ids": self._watched}, time.monotonic_ns())

    def _tell(self, event: str, payload: dict[str, Any], due_ns: int) -> None:
        if self.session is not None and self.ready:
            self.session.emit(event, payload, partial(self._answered, event, due_ns))

    def _answered(self, event: str, due_ns: int, envelope: Any, now_ns: int) -> None:
        if envelope is None:
            return
        if isinstance(envelope, dict) and envelope.get("ok") is True:
            self.world.recorder.latency(Metric.CALL, now_ns - due_ns)
            return
        error = envelope.get("error", {}) if isinstance(envelope, dict) else {}
        self.world.recorder.error("call", str(error.get("code", "bad_ack")), f"{event}: {error.get('message', '')}")
