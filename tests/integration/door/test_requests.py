"""One port for websockets and plain requests: each gets to who serves it, whole and in order."""

import pytest

from realtime.engine.answers import Refusal
from realtime.engine.options import DoorRules
from tests.support.hall import BIG, Caller, handshake, request, serving, until

HELLO = request("GET /client")


async def socket_works(caller: Caller) -> bool:
    """Whether the connection has become a websocket."""
    answer = await caller.ask(handshake())
    await caller.send(b"hello\n")
    return (101, b"hello\n") == (answer.status, await caller.line())


async def test_a_connection_is_kept_for_the_next_request() -> None:
    """Requests with and without a body follow each other on one connection, bodies in pieces or not."""
    async with serving() as hall:
        caller = await hall.call()
        for _ in range(3):
            assert b"127.0.0.1" == (await caller.ask(HELLO)).body
            assert b"a body" == (await caller.ask(request("POST /echo", body=b"a body"))).body
            whole = request("POST /echo", body=b"x" * 100_000)
            await caller.send(whole[:-50_000])
            assert b"x" * 100_000 == (await caller.ask(whole[-50_000:])).body
        assert (1, 1) == (hall.door.accepted, hall.door.visits)
        await caller.leave()
        assert await hall.emptied()


async def test_requests_in_one_piece_are_answered_in_order() -> None:
    """Pipelining (RFC 9112 §9.3.2): also where a request is cut in the line end, while the one before is served."""
    async with serving() as hall:
        caller = await hall.call()
        await caller.send(HELLO + request("POST /echo", body=b"a body") + HELLO)
        assert [b"127.0.0.1", b"a body", b"127.0.0.1"] == [(await caller.answer()).body for _ in range(3)]
        caller = await hall.call()
        await caller.send(request("GET /slow"))
        await hall.asked.wait()
        await caller.send(HELLO[:-1])
        hall.released.set()
        assert b"slow" == (await caller.answer()).body
        assert b"127.0.0.1" == (await caller.ask(HELLO[-1:])).body


@pytest.mark.parametrize("times", [1, 2])
async def test_a_head_may_come_byte_by_byte(times: int) -> None:
    """A slow line is no fault, for the first request and for the next."""
    async with serving() as hall:
        caller = await hall.call()
        for _ in range(times):
            for byte in request("POST /echo", body=b"a body"):
                await caller.send(bytes([byte]))
            assert b"a body" == (await caller.answer()).body
        for byte in handshake():
            await caller.send(bytes([byte]))
        assert 101 == (await caller.answer()).status


async def test_a_websocket_hears_what_came_with_its_handshake() -> None:
    """Frames may follow in the same piece; they are not lost, and come first."""
    async with serving() as hall:
        caller = await hall.call()
        assert 101 == (await caller.ask(handshake() + b"early\n")).status
        await caller.send(b"late\n")
        assert [b"early\n", b"late\n"] == [await caller.line(), await caller.line()]
        assert 1 == hall.door.visits
        await caller.leave()
        assert await hall.emptied()


@pytest.mark.parametrize(
    "before",
    [[HELLO], [request("POST /echo", body=b"body")], [request("POST /echo", body=b"body")[:-2], b"dy"], [HELLO[:9]]],
    ids=["get", "post", "body in pieces", "head in pieces"],
)
async def test_a_kept_connection_becomes_a_websocket(before: list[bytes]) -> None:
    """A proxy sends a handshake down any connection that is free, whatever went before."""
    async with serving() as hall:
        caller = await hall.call()
        for piece in before:
            await caller.send(piece)
        if before[-1] == HELLO[:9]:
            await caller.send(HELLO[9:])
        assert 200 == (await caller.answer()).status
        assert 1 == hall.plain()
        assert await socket_works(caller)
        await until(lambda: not hall.plain())
        assert 1 == hall.door.visits


async def test_a_body_is_no_handshake() -> None:
    """What looks like one inside a body that nobody reads is not taken for one."""
    async with serving() as hall:
        caller = await hall.call()
        post = request("POST /unread", body=handshake())
        await caller.send(post[: -len(handshake())])
        assert 403 == (await caller.answer()).status
        await caller.send(handshake())
        assert b"127.0.0.1" == (await caller.ask(HELLO)).body


async def test_a_handshake_waits_for_the_request_before_it() -> None:
    """Sent while a request is in hand, it is taken when that has been answered."""
    async with serving() as hall:
        caller = await hall.call()
        await caller.send(request("GET /slow"))
        await hall.asked.wait()
        await caller.send(handshake())
        hall.released.set()
        assert [200, 101] == [(await caller.answer()).status for _ in range(2)]


@pytest.mark.parametrize(
    "asked",
    [
        request("GET /socket.io/?EIO=4&transport=polling"),
        request("GET /socket.io/", "Upgrade: websocket"),
        request("GET /socket.io/", "Upgrade: h2c", "Connection: Upgrade"),
        handshake().replace(b"/socket.io/", b"/client"),
        handshake().replace(b"/socket.io/", b"/socket.io/more"),
    ],
)
async def test_everything_else_is_a_plain_request(asked: bytes) -> None:
    """Polling, another protocol, half a wish, another path."""
    async with serving() as hall:
        caller = await hall.call()
        assert b"127.0.0.1" == (await caller.ask(asked)).body


async def test_a_refused_websocket_is_answered_and_closed() -> None:
    """As the engine says; on a kept connection too."""
    async with serving() as hall:
        hall.refusal = Refusal(400, b'{"code":1}')
        for before in ([], [HELLO]):
            caller = await hall.call()
            for piece in before:
                await caller.ask(piece)
            answer = await caller.ask(handshake())
            assert (400, b'{"code":1}', b"") == (answer.status, answer.body, await caller.rest())


async def test_who_waits_hears_that_the_client_left() -> None:
    """A polling request in hand is told at once."""
    async with serving() as hall:
        caller = await hall.call()
        await caller.send(request("GET /wait"))
        await hall.asked.wait()
        await caller.leave()
        await hall.lost.wait()


async def test_a_response_waits_for_who_reads_slowly() -> None:
    """The application hears that the client does not read, and that it does again; nothing is lost."""
    async with serving() as hall:
        caller = await hall.call()
        await caller.send(request("GET /big"))
        await until(lambda: hall.request is not None and hall.request.protocol.writing_paused)
        assert BIG == (await caller.answer()).body
        assert b"127.0.0.1" == (await caller.ask(HELLO)).body


async def test_the_end_of_a_server_closes_who_said_nothing() -> None:
    """Silent connections and unfinished heads, the first or a later one."""
    async with serving(DoorRules(head_timeout_s=60)) as hall:
        silent, halfway, kept = [await hall.call() for _ in range(3)]
        await halfway.send(HELLO[:20])
        await kept.ask(HELLO)
        await kept.send(HELLO[:20])
        await until(lambda: len(hall.door.waiting) == 3)
        hall.door.close()
        assert [b"", b"", b""] == [await caller.rest() for caller in (silent, halfway, kept)]
