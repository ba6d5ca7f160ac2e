"""The protocol's state machine, without a network: what it sends, tells, and makes of what comes."""

import asyncio
from typing import Any

import pytest

from loadtest.client.errors import CallFailed, ConnectFailed
from loadtest.client.liveness import Liveness
from loadtest.client.session import Session

OPEN = b'0{"sid":"a","pingInterval":300,"pingTimeout":200}'
SECOND = 1_000_000_000


class Recorded:
    """A wire and a listener in one, which write down what they are told."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.sent: list[bytes] = []
        self.closed = asyncio.Event()

    def send(self, packet: bytes) -> None:
        self.sent.append(packet)

    def pause(self) -> None:
        self.said.append("pause")

    def resume(self) -> None:
        self.said.append("resume")

    def close(self) -> None:
        self.said.append("close")

    def abort(self) -> None:
        self.said.append("abort")

    def on_event(self, name: str, payload: Any, now_ns: int) -> None:
        if name == "bug":
            raise KeyError(name)
        self.said.append((name, payload, now_ns))

    def on_closed(self, reason: str) -> None:
        self.said.append(reason)
        self.closed.set()


async def connected() -> tuple[Session, Recorded, Liveness]:
    """Return a session that the server has let in."""
    recorded, liveness = Recorded(), Liveness()
    session = Session("secret", recorded, liveness, recorded)
    session.take(OPEN, 0)
    session.take(b'40{"sid":"b"}', 0)
    await session.connected()
    return session, recorded, liveness


async def test_the_handshake() -> None:
    """OPEN is answered with the token, CONNECT lets us in; a ping at any time with a pong."""
    session, recorded, _ = await connected()
    session.take(b"2", 1)
    session.take(b"6", 1)
    session.take(b'42["ready",{"a":1}]', 7)
    session.take(b'42["bare"]', 8)
    assert [b'40{"token":"secret"}', b"3"] == recorded.sent
    assert [("ready", {"a": 1}, 7), ("bare", None, 8)] == recorded.said
    assert session.is_open


@pytest.mark.parametrize(
    ("packets", "code", "retry_after_ms"),
    [
        ([b"garbage"], "garbage", None),
        ([b'40{"sid":"b"}'], "garbage", None),
        ([b'42["early",{}]'], "garbage", None),
        ([OPEN, OPEN], "garbage", None),
        ([OPEN, b'42["early",{}]'], "garbage", None),
        ([OPEN, b"41"], "garbage", None),
        ([OPEN, b"1"], "lost", None),
        ([OPEN, b'44{"message":"no"}'], "connect_error", None),
        ([OPEN, b'44{"message":"no","data":7}'], "connect_error", None),
        (
            [OPEN, b'44{"message":"no","data":{"code":"server.overloaded","retry_after_ms":50}}'],
            "server.overloaded",
            50,
        ),
    ],
)
async def test_a_handshake_that_fails(packets: list[bytes], code: str, retry_after_ms: int | None) -> None:
    """Each ends in its code, the wire ends, and the listener hears nothing: there was no connection."""
    recorded = Recorded()
    session = Session("secret", recorded, Liveness(), recorded)
    for packet in packets:
        session.take(packet, 0)
    with pytest.raises(ConnectFailed) as failed:
        await session.connected()
    assert (code, retry_after_ms) == (failed.value.code, failed.value.retry_after_ms)
    assert not session.is_open
    assert {"close", "abort"} >= set(map(str, recorded.said))


async def test_an_end_before_anyone_knew_of_the_connection_is_a_failure_to_connect() -> None:
    """Let in and thrown out in one breath: `connect` fails, and `on_closed` is not called."""
    recorded = Recorded()
    session = Session("secret", recorded, Liveness(), recorded)
    for packet in (OPEN, b"40", b"41"):
        session.take(packet, 0)
    with pytest.raises(ConnectFailed) as failed:
        await session.connected()
    assert ("lost", ["close"]) == (failed.value.code, recorded.said)


async def test_acks_find_who_asked() -> None:
    """Each ack goes to its own asker, once; one that nobody asked for is dropped; an empty one is not the end."""
    session, recorded, _ = await connected()
    heard: list[object] = []
    session.emit("a", {}, lambda envelope, now_ns: heard.append(("a", envelope, now_ns)))
    session.emit("b", {}, lambda envelope, now_ns: heard.append(("b", envelope, now_ns)))
    session.emit("c", {})
    for ack in (b'432[{"ok":true}]', b'432[{"ok":true}]', b'4399[{"ok":true}]', b"431[]"):
        session.take(ack, 5)
    assert [b'421["a",{}]', b'422["b",{}]', b'42["c",{}]'] == recorded.sent[1:]
    assert [("b", {"ok": True}, 5), ("a", {}, 5)] == heard


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda session: session.close(), "client"),
        (lambda session: session.abort(), "client"),
        (lambda session: session.take(b"41", 0), "server"),
        (lambda session: session.take(b"1", 0), "server"),
        (lambda session: session.take(b"40", 0), "garbage"),
        (lambda session: session.take(b"\xff", 0), "garbage"),
        (lambda session: session.ended("lost"), "lost"),
    ],
)
async def test_the_end_is_told_once(end: Any, reason: str) -> None:
    """Every open question hears None, the listener the reason; whatever comes later changes nothing."""
    session, recorded, _ = await connected()
    heard: list[object] = []
    session.emit("a", {}, lambda envelope, _: heard.append(envelope))
    end(session)
    assert (False, []) == (session.is_open, heard)
    for again in (
        session.close,
        session.abort,
        lambda: session.ended("lost"),
        lambda: session.take(b'42["late",{}]', 0),
    ):
        again()
    session.emit("b", {}, lambda envelope, _: heard.append(("late", envelope)))
    await recorded.closed.wait()
    assert [("late", None), None] == heard
    assert [reason] == [one for one in recorded.said if one not in {"close", "abort"}]


async def test_a_call_returns_data_or_fails_by_code() -> None:
    """Ok gives the data; an error its code and delay; nonsense is garbage; the end is lost; silence is a timeout."""
    session, _, _ = await connected()
    answers = [
        (b'[{"ok":true,"data":{"x":1}}]', None, None),
        (b'[{"ok":false,"error":{"code":"rate.limited","message":"slow","retry_after_ms":9}}]', "rate.limited", 9),
        (b'[{"ok":false}]', "garbage", None),
        (b"[7]", "garbage", None),
        (b"[]", "garbage", None),
    ]
    for number, (answer, code, retry_after_ms) in enumerate(answers, 1):
        call = asyncio.ensure_future(session.call("a", {}))
        await asyncio.sleep(0)
        session.take(b"43%d%b" % (number, answer), 0)
        if code is None:
            assert {"x": 1} == await call
            continue
        with pytest.raises(CallFailed) as failed:
            await call
        assert (code, retry_after_ms) == (failed.value.code, failed.value.retry_after_ms)
    with pytest.raises(CallFailed, match="timeout"):
        await session.call("a", {}, timeout_s=0)
    call = asyncio.ensure_future(session.call("a", {}))
    await asyncio.sleep(0)
    session.abort()
    with pytest.raises(CallFailed, match="lost"):
        await call
    with pytest.raises(CallFailed, match="lost"):
        await session.call("a", {})


async def test_a_server_that_does_not_ping_is_stalled() -> None:
    """Past interval and timeout since the last ping the session ends; other traffic does not count."""
    session, recorded, liveness = await connected()
    session.take(b"2", SECOND)
    session.take(b'42["a",{}]', SECOND + 400_000_000)
    liveness.look(SECOND + 500_000_000)
    assert session.is_open
    liveness.look(SECOND + 500_000_001)
    await recorded.closed.wait()
    assert ["abort", "stalled"] == recorded.said[1:]


async def test_someone_who_does_not_read_is_not_stalled() -> None:
    """While paused no ping can be heard; from resuming on the server has its whole time again."""
    session, recorded, liveness = await connected()
    session.pause()
    session.pause()
    liveness.look(2**62)
    assert session.is_open
    session.resume()
    session.resume()
    liveness.look(SECOND)
    assert session.is_open
    assert ["pause", "resume"] == recorded.said


async def test_a_listener_that_fails_is_shown_and_does_not_end_the_connection() -> None:
    """What a listener raises goes to the loop's handler of exceptions; the next event is heard."""
    session, recorded, _ = await connected()
    shown: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: shown.append(context["exception"]))
    session.take(b'42["bug",{}]', 1)
    session.take(b'42["fine",{}]', 2)
    assert [KeyError] == [type(one) for one in shown]
    assert [("fine", {}, 2)] == recorded.said
