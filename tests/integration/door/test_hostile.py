"""What no honest client sends: it is answered or closed in time, and nobody else notices."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.engine.head import HEAD_BYTES
from realtime.engine.options import DoorRules
from realtime.engine.proxies import Proxies
from tests.support.hall import handshake, request, serving, until

HELLO = request("GET /client")
QUICK = DoorRules(head_timeout_s=0.5)


async def test_an_unfinished_head_is_given_up() -> None:
    """However a client dribbles, its time runs from the start of the connection."""
    async with serving(QUICK) as hall:
        caller = await hall.call()
        for byte in HELLO[:20]:
            await caller.send(bytes([byte]))
        answer = await caller.answer()
        assert (408, "request.invalid", b"") == (answer.status, answer.code, await caller.rest())
        assert 1 == hall.door.refused["timeout"]


async def test_a_silent_connection_is_closed_in_silence() -> None:
    """Browsers open connections to spare, and would take an answer for one to their next request."""
    async with serving(QUICK) as hall:
        assert b"" == await (await hall.call()).rest()
        assert 1 == hall.door.refused["timeout"]


@pytest.mark.parametrize("unfinished", [HELLO[:-1], HELLO[:1], handshake()[:-1]])
async def test_a_later_head_is_given_up_too(unfinished: bytes) -> None:
    """A good request at first buys no more time for the next."""
    async with serving(QUICK) as hall:
        caller = await hall.call()
        assert 200 == (await caller.ask(HELLO)).status
        answer = await caller.ask(unfinished)
        assert (408, b"") == (answer.status, await caller.rest())


async def test_a_request_in_hand_is_not_hurried() -> None:
    """The time is for heads: a body, an answer or a pause between requests may take longer."""
    async with serving(QUICK) as hall:
        caller, other = await hall.call(), await hall.call()
        assert 200 == (await caller.ask(HELLO)).status
        await caller.send(request("GET /slow"))
        await hall.asked.wait()
        assert b"" == await other.rest()  # two that came later have run out of time
        assert b"" == await (await hall.call()).rest()
        hall.released.set()
        assert b"slow" == (await caller.answer()).body
        assert b"" == await (await hall.call()).rest()
        assert 200 == (await caller.ask(HELLO)).status


async def test_an_unfinished_head_behind_a_request_in_hand_is_given_up() -> None:
    """What is pipelined goes to aiohttp unseen, which lets go of it when its own time for idle connections is up."""
    async with serving(keepalive_timeout=0.2) as hall:
        caller = await hall.call()
        assert b"127.0.0.1" == (await caller.ask(HELLO + HELLO[:20])).body
        assert b"" == await caller.rest()


async def test_who_reads_nothing_is_cut_off() -> None:
    """An answer is not kept for ever for somebody who does not take it."""
    async with serving(DoorRules(stall_timeout_s=0.2)) as hall:
        caller = await hall.call()
        await caller.send(request("GET /big"))
        await until(lambda: hall.door.refused["stall"] == 1)
        await until(lambda: not hall.door.visits)


@pytest.mark.parametrize("again", [False, True])
async def test_a_long_head_is_refused(again: bool) -> None:
    """As soon as it is too long, whether it would ever end or not, first or later."""
    for end in (b"", b"\r\n\r\n"):
        async with serving() as hall:
            caller = await hall.call()
            if again:
                await caller.ask(HELLO)
            answer = await caller.ask(HELLO[:-2] + b"X: " + b"x" * HEAD_BYTES + end)
            assert (431, "request.too_large") == (answer.status, answer.code)
            assert 1 == hall.door.refused["head"]


async def test_the_longest_head_is_taken() -> None:
    """Up to the last byte, in one piece or many."""
    async with serving() as hall:
        long = "X: " + "x" * 6000
        missing = HEAD_BYTES - len(handshake(long, long, "X: "))
        data = handshake(long, long, "X: " + "x" * missing)
        caller = await hall.call()
        await caller.send(data[:1])
        for start in range(1, HEAD_BYTES, 1000):
            await caller.send(data[start : min(start + 1000, HEAD_BYTES - 1)])
        await caller.send(data[-1:])
        assert 101 == (await caller.answer()).status
        assert 431 == (await (await hall.call()).ask(data.replace(b"X: ", b"X:  ", 1))).status


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"\x00", 400),
        (b"\r\n\r\n", 400),
        (b" GET / HTTP/1.1\r\n\r\n", 400),
        (b"\xff\xfe\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (handshake("Content-Length: 5"), 400),
        (handshake("Transfer-Encoding: chunked"), 400),
        (handshake("Upgrade: websocket"), 400),
        (handshake("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), 400),
        (handshake("Host: other.example"), 400),
        (handshake("X: a\n b"), 400),
        (handshake("X: a\r b"), 400),
        (handshake("X: a\0b"), 400),
        (handshake("X : a"), 400),
        (handshake("X: a\r\n folded"), 400),
        (handshake().replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
        (handshake().replace(b"HTTP/1.1", b"HTTP/2.0"), 505),
        (handshake().replace(b"-Version: 13", b"-Version: 8"), 426),
        (handshake().replace(b"ZQ==", b""), 400),
    ],
)
async def test_what_is_no_request_is_refused(sent: bytes, status: int) -> None:
    """With an answer that says why, and then the connection closes."""
    async with serving() as hall:
        caller = await hall.call()
        answer = await caller.ask(sent)
        assert (status, b"") == (answer.status, await caller.rest())


async def test_tls_is_not_spoken() -> None:
    """A client that begins with TLS hears nothing it could not read anyway."""
    async with serving() as hall:
        caller = await hall.call()
        await caller.send(bytes.fromhex("16030100c8010000c40303") + b"\x00" * 100)
        assert b"" == await caller.rest()
        assert 1 == hall.door.refused["head"]


@pytest.mark.parametrize("sent", [b"", HELLO[:9], HELLO + HELLO[:9], handshake()[:30], b"PROXY TCP4 "])
async def test_who_stops_sending_is_let_go(sent: bytes) -> None:
    """The end of the stream before the end of a head closes the connection."""
    async with serving(DoorRules(proxies=Proxies("127.0.0.1"), proxy_protocol=sent[:5] == b"PROXY")) as hall:
        caller = await hall.call()
        await caller.send(sent)
        caller.end_writing()
        await caller.rest()
        await until(lambda: not hall.door.visits)


PIECES = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=40),
        st.sampled_from([HELLO, handshake(), HELLO[:20], handshake()[:-2], request("POST /echo", body=b"body")]),
        st.sampled_from([b"\r\n", b"\r\n\r\n", b"PROXY TCP4 203.0.113.7 127.0.0.1 1 1\r\n", b"GET /socket.io/?"]),
        st.sampled_from([b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"]),
    ),
    min_size=1,
    max_size=6,
)
RULES = [DoorRules(), DoorRules(proxies=Proxies("127.0.0.1"), proxy_protocol=True, connections_per_address=5)]


@given(st.lists(PIECES, min_size=1, max_size=4), st.sampled_from(RULES))
@settings(max_examples=60)
async def test_noise_disturbs_nobody(callers: list[list[bytes]], rules: DoorRules) -> None:
    """Random bytes and sound ones in any order: the event loop sees no exception, and everyone is gone at the end."""
    async with serving(rules) as hall:
        for pieces in callers:
            caller = await hall.call()
            for piece in pieces:
                await caller.send(piece)
            caller.end_writing()
        assert await hall.emptied()
