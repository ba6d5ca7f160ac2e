"""The server as a process: killed, stopped and overrun."""

import asyncio
import resource
import signal
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import socketio

from realtime.lifecycle import Server, StartRefused
from tests.support.deaf import deaf
from tests.support.person import PATIENCE_S, Json, Person, Refused, connected
from tests.support.process import Homeroom, assert_refused, run_homeroom, serving
from tests.support.rawsocket import exchange
from tests.support.server import settings_for

SENDERS = ("ada", "ben", "chen", "dia")
LANES = 4
KILLS = 4
ACKS_BEFORE_A_KILL = 120
SLOW_CUT = 'homeroom_connections_cut_total{reason="slow_consumer"}'
SHED = "homeroom_frames_shed_total"
GROWTH_KIB = 8 * 1024


class Sender(Person):
    """Someone who knows of each message whether its ack came before the connection ended."""

    def __init__(self, user_id: str) -> None:
        super().__init__(user_id)
        self._unanswered: set[asyncio.Future[Json | None]] = set()

    async def acked(self, payload: Json) -> Json | None:
        """Send a message; return it as stored, or None if the connection ended before the ack came."""
        answer: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(self._unanswered.discard)
        self._unanswered.add(answer)
        try:
            await self._client.emit("message:send", payload, callback=answer.set_result)
        except socketio.exceptions.BadNamespaceError:  # there is no connection any more
            return None
        envelope = await asyncio.wait_for(answer, PATIENCE_S)
        if envelope is None:
            return None
        assert envelope["ok"], envelope
        message: Json = envelope["data"]["message"]
        return message

    async def _on_disconnect(self, *_: object) -> None:
        await super()._on_disconnect()
        for answer in list(self._unanswered):
            if not answer.done():
                answer.set_result(None)


@asynccontextmanager
async def people(homeroom: Homeroom, user_ids: Iterable[str] = SENDERS) -> AsyncIterator[list[Sender]]:
    """Connect students for the length of a block."""
    crowd = [Sender(user_id) for user_id in user_ids]
    try:
        for person in crowd:
            await person.connect(homeroom.url, homeroom.token(person.user_id))
        yield crowd
    finally:
        await asyncio.gather(*(person.leave() for person in crowd))


async def group(homeroom: Homeroom, user_ids: Iterable[str] = SENDERS) -> str:
    """Make a room of everyone; return its id."""
    async with (
        people(homeroom, user_ids),
        connected(homeroom.url, "ms-rao", homeroom.token("ms-rao", "teacher")) as rao,
    ):
        opened = await rao.ok("room:open", {"kind": "group", "title": "All", "member_ids": list(user_ids)})
        room_id: str = opened["room"]["id"]
        return room_id


async def history(person: Person, room_id: str) -> list[Json]:
    """Return all messages of a room."""
    messages: list[Json] = []
    more = True
    while more:
        after = messages[-1]["seq"] if messages else 0
        page = await person.ok("message:history", {"room_id": room_id, "after_seq": after, "limit": 100})
        messages += page["messages"]
        more = page["has_more"]
    return messages


class Ledger:
    """What the senders know: which messages were acked, and which ones they do not know about."""

    def __init__(self, room_id: str) -> None:
        self.room_id = room_id
        self.acked: dict[str, Json] = {}
        self.unknown: dict[str, list[Json]] = {name: [] for name in SENDERS}
        self._numbers = iter(range(1_000_000))

    async def retry(self, person: Sender) -> None:
        """Send again what was not acked, as clients do when they are back."""
        again, self.unknown[person.user_id] = self.unknown[person.user_id], []
        await asyncio.gather(*(self._send(person, payload) for payload in again))

    async def send_until_gone(self, person: Sender) -> None:
        """Send one message after another until the connection ends."""
        while not person.disconnected.is_set():
            client_id = f"{person.user_id}-{next(self._numbers)}"
            await self._send(person, {"room_id": self.room_id, "client_id": client_id, "body": client_id})

    async def _send(self, person: Sender, payload: Json) -> None:
        message = await person.acked(payload)
        if message is None:
            self.unknown[person.user_id].append(payload)
        else:
            self.acked[payload["client_id"]] = message


async def kill_while_sending(homeroom: Homeroom, ledger: Ledger) -> None:
    """Let everyone retry and then send all the time, and kill the server in the middle of it."""
    async with people(homeroom) as senders, asyncio.TaskGroup() as work:
        for person in senders:
            await ledger.retry(person)
        goal = len(ledger.acked) + ACKS_BEFORE_A_KILL
        for person in senders * LANES:
            work.create_task(ledger.send_until_gone(person))
        while len(ledger.acked) < goal:
            await senders[0].settle()
        homeroom.signal(signal.SIGKILL)
    assert -signal.SIGKILL == await homeroom.ended()


async def test_nothing_acked_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    """kill -9 amid sending, again and again: every acked message is there once, as acked; retries double nothing."""
    async with serving(tmp_path / "data") as homeroom:
        ledger = Ledger(await group(homeroom))
        for _ in range(KILLS):
            await kill_while_sending(homeroom, ledger)
            await homeroom.start()
        async with people(homeroom) as senders:
            for person in senders:
                await ledger.retry(person)
            messages = await history(senders[0], ledger.room_id)
            mine = [message for message in messages if senders[0].user_id == message["sender_id"]]
            again = [await senders[0].send(ledger.room_id, one["body"], client_id=one["client_id"]) for one in mine]
            room = (await senders[0].ok("room:list", {}))["rooms"][0]
    assert list(range(1, len(messages) + 1)) == [message["seq"] for message in messages]
    assert list(range(1, len(messages) + 1)) == [message["rev"] for message in messages]
    assert (len(messages), len(messages)) == (room["last_seq"], room["rev"])
    assert ledger.acked == {message["client_id"]: message for message in messages}
    assert KILLS * ACKS_BEFORE_A_KILL <= len(messages)
    assert mine == again


async def test_a_stop_tells_everyone_and_loses_nothing(tmp_path: Path) -> None:
    """SIGTERM: each client hears when to come back, what is stored was acked, and the exit status is 0."""
    async with serving(tmp_path / "data") as homeroom:
        room_id = await group(homeroom)
        async with people(homeroom, SENDERS * 5) as crowd:
            sends = [
                asyncio.ensure_future(person.acked({"room_id": room_id, "client_id": f"{number}", "body": f"{number}"}))
                for number, person in enumerate(crowd)
            ]
            await crowd[-1].wait_for("message:new")
            homeroom.signal(signal.SIGTERM)
            answers = await asyncio.gather(*sends)
            told = [(await person.wait_for("server:draining"))["reconnect_after_ms"] for person in crowd]
            for person in crowd:
                await person.disconnected.wait()
        assert 0 == await homeroom.ended()
        assert len(crowd) / 2 < len(set(told))
        assert 0 <= min(told) <= max(told) <= 5000
        await homeroom.start()
        async with people(homeroom, ["ada"]) as (ada,):
            stored = await history(ada, room_id)
    assert sorted(message["client_id"] for message in answers if message) == sorted(one["client_id"] for one in stored)
    assert "Traceback" not in homeroom.logged


async def test_a_stop_amid_sending_leaves_nothing_unanswered(tmp_path: Path) -> None:
    """SIGTERM while everyone sends all the time: a message is stored exactly if its ack came."""
    async with serving(tmp_path / "data") as homeroom:
        ledger = Ledger(await group(homeroom))
        async with people(homeroom) as senders, asyncio.TaskGroup() as work:
            for person in senders * LANES:
                work.create_task(ledger.send_until_gone(person))
            await senders[0].wait_for("message:new", lambda new: new["message"]["seq"] > ACKS_BEFORE_A_KILL)
            homeroom.signal(signal.SIGTERM)
        assert 0 == await homeroom.ended()
        await homeroom.start()
        async with people(homeroom, ["ada"]) as (ada,):
            messages = await history(ada, ledger.room_id)
    assert ledger.acked == {message["client_id"]: message for message in messages}


async def test_a_draining_server_takes_nobody_in(tmp_path: Path) -> None:
    """From the moment that it drains, a server is not ready and admits nobody; it goes although clients keep coming."""
    async with serving(tmp_path / "data") as homeroom, people(homeroom, SENDERS * 10) as crowd:
        homeroom.signal(signal.SIGTERM)
        await crowd[0].wait_for("server:draining")
        assert await homeroom.readiness() in {503, None}
        with pytest.raises(Refused) as refused:
            await Person("eli").connect(homeroom.url, homeroom.token("eli"))
        refusal = refused.value.data  # words, if the listening socket was closed before we came
        assert isinstance(refusal, str) or "server.draining" == refusal["data"]["code"]
        assert 0 == await homeroom.ended()


@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_is_harmless(tmp_path: Path, again: signal.Signals) -> None:
    """An impatient operator does not turn an orderly stop into a crash."""
    async with serving(tmp_path / "data") as homeroom, people(homeroom) as crowd:
        homeroom.signal(signal.SIGTERM)
        await crowd[0].wait_for("server:draining")
        homeroom.signal(again)
        assert 0 == await homeroom.ended()
        assert "Traceback" not in homeroom.logged


async def test_ctrl_c_is_an_orderly_stop(tmp_path: Path) -> None:
    """SIGINT drains like SIGTERM and exits 0, without a traceback."""
    async with serving(tmp_path / "data") as homeroom, people(homeroom) as crowd:
        homeroom.signal(signal.SIGINT)
        await crowd[0].wait_for("server:draining")
        assert 0 == await homeroom.ended()
        assert "Traceback" not in homeroom.logged


async def test_two_servers_on_one_data_directory_are_refused(tmp_path: Path) -> None:
    """The second server says who has the database, and ends; the first one is not disturbed."""
    async with serving(tmp_path / "data") as homeroom:
        second = await asyncio.to_thread(
            run_homeroom, "serve", "--port", "0", "--data-dir", str(homeroom.data_dir), cwd=tmp_path
        )
        assert_refused(second, f"pid {homeroom.pid}")
        assert 200 == await homeroom.readiness()


async def test_a_crowd_is_not_held_up_by_someone_who_does_not_read(tmp_path: Path) -> None:
    """A client that does not read is cut as `slow_consumer`; everyone else gets all, and memory does not grow."""
    async with serving(tmp_path / "data") as homeroom:
        room_id = await group(homeroom, [*SENDERS, "eli"])
        async with people(homeroom) as crowd:
            sent = await talk_until(homeroom, crowd, room_id, rounds=10)
            before_kib = homeroom.anonymous_kib()
            async with deaf(homeroom.port, homeroom.token("eli")) as eli:
                sent += await talk_until(homeroom, crowd, room_id, cut=1, already=sent)
                await eli.is_cut()
            grown_kib = homeroom.anonymous_kib() - before_kib
            for person in crowd:
                await person.settle()
                assert list(range(1, sent + 1)) == [new["message"]["seq"] for new in person.seen("message:new")]
        assert 1 == await homeroom.metric(SLOW_CUT)
        assert grown_kib < GROWTH_KIB


async def test_what_is_worth_least_is_dropped_first(tmp_path: Path) -> None:
    """Typing is shed while messages still queue for a slow client: the counter of shed frames rises before the cut."""
    async with serving(tmp_path / "data", HOMEROOM_LIMITS_TYPING_INTERVAL_MS="0") as homeroom:
        room_id = await group(homeroom, [*SENDERS, "eli"])
        async with people(homeroom) as crowd, deaf(homeroom.port, homeroom.token("eli")):
            sent = 0
            while await homeroom.metric(SHED) == 0:
                assert 0 == await homeroom.metric(SLOW_CUT)
                sent += await talk_until(homeroom, crowd, room_id, rounds=1, already=sent)
                for on in (True, False):
                    await crowd[0].ok("typing:set", {"room_id": room_id, "on": on})
            assert 0 == await homeroom.metric(SLOW_CUT)
            await talk_until(homeroom, crowd, room_id, cut=1, already=sent)


async def test_as_many_files_may_be_open_as_the_system_allows(tmp_path: Path) -> None:
    """A shell's low limit is raised to what it may be raised to: each connection is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 500), hard))  # what the process is started with
    try:
        async with serving(tmp_path / "data") as homeroom:
            assert (hard, hard) == resource.prlimit(homeroom.pid, resource.RLIMIT_NOFILE)
            assert hard == await homeroom.metric("process_max_fds")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_servers_may_share_a_port(tmp_path: Path) -> None:
    """Two that listen with `reuse_port` are both reached at one port; without it, the port is taken."""
    first = await Server.start(settings_for(tmp_path / "first"), reuse_port=True)
    shared = settings_for(tmp_path / "second").model_copy(update={"port": first.port})
    second = await Server.start(shared, reuse_port=True)
    with pytest.raises(StartRefused, match="taken"):
        await Server.start(settings_for(tmp_path / "third").model_copy(update={"port": first.port}))
    deadline = time.monotonic() + PATIENCE_S
    while not (first.app.door.accepted and second.app.door.accepted):
        assert 200 == (await exchange(first.port, "/healthz")).status
        assert time.monotonic() < deadline
    await first.stop()
    assert 200 == (await exchange(second.port, "/healthz")).status
    await second.stop()


async def talk_until(
    homeroom: Homeroom,
    crowd: list[Sender],
    room_id: str,
    *,
    rounds: int = 200,
    cut: float = float("inf"),
    already: int = 0,
) -> int:
    """Have everyone send long messages, for some rounds or until someone was cut; return how many were sent."""
    sent = 0
    for _ in range(rounds):
        numbers = range(already + sent, already + sent + len(crowd))
        await asyncio.gather(
            *(
                person.send(room_id, "x" * 7900, client_id=f"{number}")
                for number, person in zip(numbers, crowd, strict=True)
            )
        )
        sent += len(crowd)
        if await homeroom.metric(SLOW_CUT) >= cut:
            return sent
    assert cut == float("inf"), "nobody was cut"
    return sent
