"""The official JavaScript client, over each transport: what a real client does is what counts."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.keys import load_signing_key
from auth.tokens import TokenMinter
from core.clock import SystemClock
from realtime.lifecycle import Server
from tests.integration.conftest import Join
from tests.support.javascript import TRANSPORTS, Driver, JsPerson, as_bytes
from tests.support.person import Json, Person, Refused
from tests.support.process import serving
from tests.support.server import HOUR, running, token, user

BURST = 200
UPGRADES = 20

pytestmark = pytest.mark.node

JsJoin = Callable[..., Awaitable[JsPerson]]


@pytest.fixture
async def js_join(node: Driver, server: Server) -> JsJoin:
    """Connect people with the official client: `await js_join("ada", transports=[...])`; waits for an upgrade."""

    async def connect(user_id: str, role: str = "student", *, transports: list[str], **options: Any) -> JsPerson:
        person = node.person(user_id)
        await person.open(server.url, transports=transports, auth={"token": token(server, user_id, role)}, **options)
        await person.admitted()
        await person.wait_for("ready")
        await person.has_used(transports)
        return person

    return connect


async def direct(one: Person | JsPerson, other: Person | JsPerson) -> str:
    """Open the direct room of two people; return its id."""
    room_id: str = (await one.ok("room:open", {"kind": "direct", "user_id": other.user_id}))["room"]["id"]
    return room_id


def sends(room_id: str, bodies: list[str]) -> list[tuple[str, Json]]:
    """Return the calls that send `bodies`."""
    return [("message:send", {"room_id": room_id, "client_id": body, "body": body}) for body in bodies]


async def refusal(node: Driver, url: str, auth: Json, transports: list[str]) -> Json:
    """Try to connect, which must be refused; return what `connect_error` carried."""
    person = node.person("someone")
    await person.open(url, transports=transports, auth=auth)
    with pytest.raises(Refused) as refused:
        await person.admitted()
    await person.leave()
    data: Json = refused.value.data
    return data


def bodies_of(person: Person | JsPerson) -> list[str]:
    """Return the texts that someone was sent live, in order."""
    return [payload["message"]["body"] for payload in person.seen("message:new")]


async def test_the_handshake_says_who_one_is(js_join: JsJoin, transports: list[str]) -> None:
    """The first event is `ready`, with the user, the limits and the time; an upgrade, if allowed, really happens."""
    ada = await js_join("ada", transports=transports)
    assert "ready" == ada.events[0][0]
    ready = ada.seen("ready")[0]
    assert {"id": "ada", "name": "Ada", "role": "student"}.items() <= ready["user"].items()
    assert 8000 == ready["limits"]["body_chars"]
    assert "Z" == ready["server_time"][-1]
    assert transports == ada.was("transport")


async def test_messages_go_both_ways(join: Join, js_join: JsJoin, transports: list[str]) -> None:
    """A JavaScript and a Python client see each other's messages alike; the sender's ack is the event."""
    ada, ben = await js_join("ada", transports=transports), await join("ben")
    room_id = await direct(ada, ben)
    for sender, receiver, body in ((ada, ben, "from JavaScript"), (ben, ada, "from Python")):
        sent = await sender.send(room_id, body)
        await asyncio.gather(ada.settle(), ben.settle())
        assert {"message": sent} == receiver.seen("message:new")[-1] == sender.seen("message:new")[-1]


async def test_a_burst_arrives_in_order_and_once(join: Join, js_join: JsJoin, transports: list[str]) -> None:
    """200 sends in one turn of the client's loop are acked in order, and reach both ends in order, once each."""
    ada, ben = await js_join("ada", transports=transports), await join("ben")
    room_id = await direct(ada, ben)
    bodies = [f"{number}" for number in range(BURST)]
    answers = await ada.burst(sends(room_id, bodies))
    assert list(range(1, BURST + 1)) == [answer["data"]["message"]["seq"] for answer in answers]
    await asyncio.gather(ada.settle(), ben.settle())
    assert bodies == bodies_of(ben)
    assert bodies == bodies_of(ada)


async def test_all_that_waited_may_come_at_once(js_join: JsJoin, transports: list[str]) -> None:
    """A client that was offline flushes a thousand small events in one go: each is answered, the connection stays."""
    ada = await js_join("ada", transports=transports)
    answers = await ada.burst([("presence:unwatch", {"user_ids": []})] * 1000)
    assert [{"ok": True, "data": {}}] * 1000 == answers
    assert [] == ada.was("disconnect")


async def test_a_burst_to_the_client_arrives_in_order_and_once(
    join: Join, js_join: JsJoin, transports: list[str]
) -> None:
    """200 messages at once from elsewhere reach the client in the order of their seq, once each."""
    ada, ben = await js_join("ada", transports=transports), await join("ben")
    room_id = await direct(ada, ben)
    await asyncio.gather(*(ben.send(room_id, f"{number}") for number in range(BURST)))
    await ada.settle()
    assert list(range(1, BURST + 1)) == [payload["message"]["seq"] for payload in ada.seen("message:new")]


async def chatter(person: Person | JsPerson, room_id: str, word: str, enough: asyncio.Event) -> list[int]:
    """Send one message after another until it is enough; return their seqs."""
    seqs: list[int] = []
    while not enough.is_set():
        seqs.append((await person.send(room_id, f"{word} {len(seqs)}"))["seq"])
    return seqs


async def test_nothing_is_lost_or_doubled_while_upgrading(join: Join, server: Server, node: Driver) -> None:
    """Messages in both directions, sent while the transport changes under them, arrive once and in order."""
    ben = await join("ben")
    room_id = await direct(ben, await join("ada"))
    for round_ in range(UPGRADES):
        enough, ada = asyncio.Event(), node.person("ada")
        async with asyncio.TaskGroup() as talk:
            talk.create_task(chatter(ben, room_id, f"{round_} down", enough))
            await ada.open(server.url, transports=TRANSPORTS["upgrade"], auth={"token": token(server, "ada")})
            await ada.admitted()
            mine = talk.create_task(chatter(ada, room_id, f"{round_} up", enough))
            await ada.has_used(TRANSPORTS["upgrade"])
            enough.set()
        await asyncio.gather(ada.settle(), ben.settle())
        everything = [new["message"]["seq"] for new in ben.seen("message:new")]
        heard = [new["message"]["seq"] for new in ada.seen("message:new")]
        assert list(range(1, len(everything) + 1)) == everything
        assert list(range(heard[0], len(everything) + 1)) == heard
        assert set() == set(mine.result()) - set(heard)
        await ada.leave()


async def test_a_client_that_the_server_ended_can_come_back(
    js_join: JsJoin, server: Server, transports: list[str]
) -> None:
    """Closing a connection tells the client `io server disconnect`; the same socket connects again when told to.

    By polling too, whether a poll waits just then or not: what was said last is there to be fetched.
    """
    ada = await js_join("ada", transports=transports)
    for connection in list(server.app.hub.connections.values()):
        connection.link.close("test")
    await ada.until(lambda: "io server disconnect" in ada.was("disconnect"))
    await ada.connect()
    await ada.is_ready(times=2)
    first, second = (ready["connection_id"] for ready in ada.seen("ready"))
    assert first != second


async def test_a_client_reconnects_by_itself_after_a_crash(node: Driver, tmp_path: Path, transports: list[str]) -> None:
    """A server that is killed and started again gets its clients back without their doing, and they can catch up."""
    async with serving(tmp_path / "data") as homeroom:
        ada, ben = node.person("ada"), node.person("ben")
        options = {"transports": transports, "reconnectionDelay": 50, "reconnectionDelayMax": 200}
        for person in (ada, ben):
            await person.open(homeroom.url, auth={"token": homeroom.token(person.user_id)}, **options)
            await person.wait_for("ready")
        room_id = await direct(ada, ben)
        before = await ada.send(room_id, "before")
        await homeroom.kill()
        await ben.until(lambda: bool(ben.was("disconnect")))
        await homeroom.start()
        for person in (ada, ben):
            await person.is_ready(times=2)
            await person.settle()
        after = await ada.send(room_id, "after")
        assert {"message": after} == await ben.wait_for("message:new", lambda new: after == new["message"])
        caught_up = await ben.ok("room:sync", {"room_id": room_id, "since_rev": 0})
        assert [before, after] == caught_up["messages"]
        await asyncio.gather(ada.leave(), ben.leave())


async def test_who_may_not_connect_is_told_why(
    node: Driver, server: Server, tmp_path: Path, transports: list[str]
) -> None:
    """`connect_error` carries a stable code: missing and forged tokens are invalid, old ones expired."""
    other_school = TokenMinter(load_signing_key(tmp_path / "other"), SystemClock())
    ago = SystemClock().now() - timedelta(hours=2)
    cases = {
        "auth.invalid_token": [{}, {"token": "a.b.c"}, {"token": other_school.mint(user("ada"), HOUR)[0]}],
        "auth.expired_token": [{"token": server.app.minter.mint(user("ada"), HOUR, now=ago)[0]}],
    }
    for code, auth in [(code, auth) for code, auths in cases.items() for auth in auths]:
        assert {"code": code} == await refusal(node, server.url, auth, transports)


async def test_a_draining_server_says_when_to_come_back(node: Driver, server: Server, transports: list[str]) -> None:
    """While the server drains, new connections are refused as `server.draining`, with a time to wait."""
    server.app.edge.drain(0)
    data = await refusal(node, server.url, {"token": token(server, "ada")}, transports)
    assert "server.draining" == data["code"]
    assert data["retry_after_ms"] > 0


async def test_an_unknown_namespace_is_refused(node: Driver, server: Server, transports: list[str]) -> None:
    """A namespace that is not ours gets the answer that Socket.IO servers give."""
    ada = node.person("ada")
    await ada.open(f"{server.url}/nowhere", transports=transports, auth={"token": token(server, "ada")})
    await ada.until(lambda: bool(ada.was("connect_error")))
    assert [{"message": "Invalid namespace", "data": None}] == ada.was("connect_error")


async def test_the_admin_namespace_refuses_others(node: Driver, server: Server, transports: list[str]) -> None:
    """Who is not an admin gets `auth.forbidden` on /admin."""
    for role in ("student", "teacher", "viewer"):
        auth = {"token": token(server, f"some-{role}", role)}
        assert {"code": "auth.forbidden"} == await refusal(node, f"{server.url}/admin", auth, transports)


async def test_the_admin_namespace_admits_admins(node: Driver, server: Server, transports: list[str]) -> None:
    """An admin is live on /admin, where the events of people are unknown."""
    admin = node.person("admin")
    await admin.open(f"{server.url}/admin", transports=transports, auth={"token": token(server, "admin", "admin")})
    assert "admin" == (await admin.wait_for("ready"))["user"]["role"]
    assert "request.unknown_event" == (await admin.refused("room:list", {}))["code"]


async def test_binary_is_answered_and_the_connection_stays(join: Join, js_join: JsJoin, transports: list[str]) -> None:
    """A Buffer, as the payload or inside it, is `request.invalid`; the next event works."""
    ada, ben = await js_join("ada", transports=transports), await join("ben")
    room_id = await direct(ada, ben)
    payload = {"room_id": room_id, "client_id": "1", "body": as_bytes(b"\x00\xff" * 1000)}
    assert {"code": "request.invalid", "fields": ["body"]}.items() <= (
        await ada.refused("message:send", payload)
    ).items()
    assert "request.invalid" == (await ada.refused("message:send", as_bytes(b"hello")))["code"]
    assert 1 == (await ada.send(room_id, "text"))["seq"]
    assert [] == ada.was("disconnect")


async def test_acks_are_envelopes(js_join: JsJoin, transports: list[str]) -> None:
    """Unknown events, wrong payloads and wrong numbers of arguments are answered; the connection stays."""
    ada = await js_join("ada", transports=transports)
    assert {"ok": True, "data": {"rooms": []}} == await ada.call("room:list", {})
    assert "request.unknown_event" == (await ada.refused("no:such", {}))["code"]
    assert "request.invalid" == (await ada.refused("room:list", "a string"))["code"]
    assert "request.invalid" == (await ada.refused("room:list"))["code"]
    assert "request.invalid" == (await ada.refused("room:list", {}, {}))["code"]
    error = await ada.refused("room:join", {"room_id": 7})
    assert ("request.invalid", ["room_id"], False) == (error["code"], error["fields"], error["retryable"])
    error = await ada.refused("room:join", {"room_id": "nowhere"})
    assert {"code", "message", "retryable"} == error.keys()
    assert "room.not_found" == error["code"]
    assert [] == ada.was("disconnect")


async def test_a_long_text_of_emoji_is_unharmed(join: Join, js_join: JsJoin, transports: list[str]) -> None:
    """7,900 characters beyond the basic plane, counted as characters and not as UTF-16 units, come back the same."""
    ada, ben = await js_join("ada", transports=transports), await join("ben")
    room_id = await direct(ada, ben)
    body = "🙂🎓" * 3950
    payload = {"room_id": room_id, "client_id": "big", "body": body}
    assert body == (await ada.ok("message:send", payload))["message"]["body"]
    assert body == (await ben.wait_for("message:new"))["message"]["body"]
    assert body == (await ada.wait_for("message:new"))["message"]["body"]
    assert (
        "message.too_long"
        == (await ada.refused("message:send", {**payload, "client_id": "2", "body": "🙂" * 8001}))["code"]
    )


async def test_a_classroom_front_end_works_as_it_stands(js_join: JsJoin, transports: list[str]) -> None:
    """`join-session`, `send-message` without acks; `new-message` has the payload as it was sent, and what we add."""
    teacher = await js_join("ms-rao", "teacher", transports=transports)
    student = await js_join("ada", transports=transports)
    await teacher.emit("join-session", "lesson-7")
    await teacher.settle()
    await student.emit("join-session", "lesson-7")
    await student.settle()
    said = {"sessionId": "lesson-7", "message": "Good morning", "userName": "Ms Rao", "avatar": {"colour": "teal"}}
    answered = {"sessionId": "lesson-7", "text": "Good morning, Ms Rao", "clientId": "tmp-1", "replyTo": None}
    await teacher.emit("send-message", said)
    await teacher.settle()
    await student.emit("send-message", answered)
    await student.settle()
    await teacher.settle()
    for person in (teacher, student):
        news = person.seen("new-message")
        assert [(1, "ms-rao"), (2, "ada")] == [(new["seq"], new["senderId"]) for new in news]
        assert [said.items() <= news[0].items(), answered.items() <= news[1].items()] == [True, True], news
        assert {"id", "seq", "senderId", "timestamp"} == news[0].keys() - said.keys()


async def test_a_student_cannot_make_a_session_up(js_join: JsJoin, transports: list[str]) -> None:
    """`join-session` with an id that no teacher used is refused, and so is `send-message` to it."""
    ada = await js_join("ada", transports=transports)
    assert "room.not_found" == (await ada.refused("join-session", "made-up"))["code"]
    assert "room.not_found" == (await ada.refused("send-message", {"sessionId": "made-up", "message": "hi"}))["code"]


async def test_open_sessions_let_a_student_come_first(node: Driver, tmp_path: Path) -> None:
    """Under HOMEROOM_COMPAT_OPEN_SESSIONS the first one to join makes the session, whoever it is."""
    async with running(tmp_path, compat_open_sessions=True) as server:
        ada, ben = node.person("ada"), node.person("ben")
        for person in (ada, ben):
            await person.open(server.url, auth={"token": token(server, person.user_id)})
            await person.wait_for("ready")
            assert {"ok": True, "data": {}} == await person.call("join-session", "club")
        await ada.emit("send-message", {"sessionId": "club", "message": "hello"})
        assert "hello" == (await ben.wait_for("new-message"))["message"]
