"""Polling as HTTP (RFC 9110, RFC 9112): what clients, proxies and attackers write."""

import asyncio

import pytest

from tests.support.echo import ENGINE, MAX_PAYLOAD, Echo, packet_zero
from tests.support.rawsocket import Wire, request

OPEN = f"{ENGINE}?EIO=4&transport=polling"
CHUNKED = {"Transfer-Encoding": "chunked"}


def chunked(*parts: bytes) -> bytes:
    """Return a body in chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


async def test_a_connection_carries_many_requests(echo: Echo) -> None:
    """Keep-alive is the default of HTTP/1.1 (§9.3): a whole session fits on one connection."""
    async with echo.wire() as wire:
        await wire.send(request(OPEN))
        sid = packet_zero((await wire.response()).text)["sid"]
        for number in range(20):
            await wire.send(request(f"{OPEN}&sid={sid}", method="POST", body=b"4%d" % number))
            assert b"ok" == (await wire.response()).body
            await wire.send(request(f"{OPEN}&sid={sid}"))
            assert b"4%d" % number == (await wire.response()).body


async def test_pipelined_requests_are_answered_in_order(echo: Echo) -> None:
    """Requests that do not wait for answers get them in the order in which they were sent (§9.3.2)."""
    polling = await echo.polling()
    async with echo.wire() as wire:
        posts = [request(polling.target, method="POST", body=b"4%d" % number) for number in range(5)]
        await wire.send(*posts, request(polling.target), request(f"{OPEN}&sid=nobody"), request(OPEN))
        answers = [await wire.response() for _ in range(8)]
        assert [200] * 6 + [400, 200] == [answer.status for answer in answers]
        assert [b"ok"] * 5 + [b"40\x1e41\x1e42\x1e43\x1e44"] == [answer.body for answer in answers[:6]]


async def test_what_is_pipelined_behind_a_waiting_poll_waits(echo: Echo) -> None:
    """A poll that waits holds up what follows on its connection, and nothing else."""
    polling = await echo.polling()
    async with echo.wire() as wire:
        await wire.send(request(polling.target), request(OPEN))
        await echo.serves()
        await polling.say("4now")
        assert b"4now" == (await wire.response()).body
        packet_zero((await wire.response()).text)


async def test_a_client_may_ask_for_the_end_of_the_connection(echo: Echo) -> None:
    """`Connection: close` is answered, and then the connection ends (§9.6)."""
    async with echo.wire() as wire:
        await wire.send(request(OPEN, headers={"Connection": "close"}))
        assert 200 == (await wire.response()).status
        assert b"" == await wire.rest()


async def test_http_1_0_is_answered_and_closed(echo: Echo) -> None:
    """Without keep-alive there is one request for each connection."""
    async with echo.wire() as wire:
        await wire.send(request(OPEN, version="1.0"))
        assert 200 == (await wire.response()).status
        assert b"" == await wire.rest()


async def test_a_request_may_come_byte_by_byte(echo: Echo) -> None:
    """Head and body."""
    polling = await echo.polling()
    async with echo.wire() as wire:
        await wire.trickle(request(polling.target, method="POST", body="4héllo".encode()))
        assert (200, b"ok") == ((answer := await wire.response()).status, answer.body)
    assert ["4héllo"] == await polling.packets()


@pytest.mark.parametrize(
    "parts", [[b"4hello"], [b"4", b"h", b"ello"], [b"4h\xc3", b"\xa9llo"], [b"4" + b"x" * 99_999] * 1]
)
async def test_a_chunked_post_is_taken(echo: Echo, parts: list[bytes]) -> None:
    """A body whose length is not known when it begins (§7.1)."""
    polling = await echo.polling()
    async with echo.wire() as wire:
        await wire.send(request(polling.target, method="POST", headers=CHUNKED), chunked(*parts))
        assert (200, b"ok") == ((answer := await wire.response()).status, answer.body)
    assert [b"".join(parts).decode()] == await polling.packets()


async def test_chunk_extensions_and_trailers_are_of_no_account(echo: Echo) -> None:
    """They may be there (§7.1.1, §7.1.2), and say nothing to us."""
    polling = await echo.polling()
    body = b'3;a="b"\r\n4he\r\n3;x\r\nllo\r\n0\r\nX-Trailer: y\r\n\r\n'
    answer = await echo.raw(request(polling.target, method="POST", headers=CHUNKED), body)
    assert 200 == answer.status
    assert ["4hello"] == await polling.packets()


async def test_a_chunked_post_beyond_the_limit_is_refused(echo: Echo) -> None:
    """413 though no length was named, and without waiting for the end that never comes."""
    polling = await echo.polling()
    async with echo.wire() as wire:
        await wire.send(request(polling.target, method="POST", headers=CHUNKED))
        await wire.send(b"%x\r\n" % (MAX_PAYLOAD * 2), b"4" * (MAX_PAYLOAD + 1))
        assert 413 == (await wire.response()).status


async def test_a_post_beyond_the_limit_is_refused_by_its_length(echo: Echo) -> None:
    """Content-Length is enough to refuse; the body need not come."""
    polling = await echo.polling()
    async with echo.wire() as wire:
        await wire.send(request(polling.target, method="POST", headers={"Content-Length": str(MAX_PAYLOAD + 1)}))
        assert 413 == (await wire.response()).status
    await polling.say("4hello")
    assert ["4hello"] == await polling.packets()


async def test_a_client_may_wait_for_permission_to_send(echo: Echo) -> None:
    """`Expect: 100-continue` is answered before the body comes (RFC 9110 §10.1.1)."""
    polling = await echo.polling()
    async with echo.wire() as wire:
        headers = {"Expect": "100-continue", "Content-Length": "6"}
        await wire.send(request(polling.target, method="POST", headers=headers))
        assert 100 == (await wire.response()).status
        await wire.send(b"4hello")
        assert b"ok" == (await wire.response()).body
    assert ["4hello"] == await polling.packets()


async def test_another_expectation_is_refused(echo: Echo) -> None:
    """417 for what nobody knows (RFC 9110 §15.5.18)."""
    polling = await echo.polling()
    answer = await echo.request(polling.target, method="POST", headers={"Expect": "miracles"}, body=b"4hello")
    assert 417 == answer.status


async def test_a_body_that_ends_too_early_is_not_handled(echo: Echo) -> None:
    """A client that is gone before its whole body came has said nothing, and its session ends."""
    polling = await echo.polling()
    async with echo.wire() as wire:
        await wire.send(request(polling.target, method="POST", headers={"Content-Length": "100"}, body=b"4half"))
        await echo.serves()
    await echo.serves()
    assert 400 == (await polling.post("4whole")).status
    assert await polling.is_gone()


BROKEN = {
    "no request": b"NONSENSE\r\n\r\n",
    "no version": f"GET {OPEN}\r\nHost: x\r\n\r\n".encode(),
    "version 9": request(OPEN, version="9.9"),
    "control character in the target": b"GET /engine.io/\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": request(OPEN, method="POST").replace(
        b"Content-Length: 0", b"Content-Length: 1\r\nContent-Length: 2"
    ),
    "length and chunks": request(OPEN, method="POST", headers={"Content-Length": "5", **CHUNKED}) + chunked(b"4hello"),
    "negative length": request(OPEN, method="POST", headers={"Content-Length": "-1"}),
    "length with a plus": request(OPEN, method="POST", headers={"Content-Length": "+5"}) + b"4hell",
    "length in words": request(OPEN, method="POST", headers={"Content-Length": "five"}),
    "unknown coding": request(OPEN, method="POST", headers={"Transfer-Encoding": "gzip, identity"}),
    "space before the colon": request(OPEN).replace(b"Host:", b"Host :"),
    "folded header": request(OPEN).replace(b"\r\n\r\n", b"\r\nX: a\r\n b\r\n\r\n"),
    "no colon": request(OPEN).replace(b"\r\n\r\n", b"\r\nnothing\r\n\r\n"),
    "NUL in a header": request(OPEN, headers={"X": "a\x00b"}),
    "binary": b"\x80\x81\x82\x83" * 10,
    "a websocket frame": b"\x81\x85\x00\x00\x00\x004hell",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=list(BROKEN))
async def test_what_is_no_request_is_refused(echo: Echo, broken: bytes) -> None:
    """400 or its like and the end of the connection; above all, nothing that follows is read as a request."""
    async with echo.wire() as wire:
        await wire.send(broken, request(OPEN) * 2)
        answer = await wire.response()
        assert answer.status in {400, 505}, answer
        assert b"0{" not in await wire.rest()


HEAVY = {
    "long target": request(f"{OPEN}&x={'x' * 20_000}"),
    "long header": request(OPEN, headers={"X": "x" * 20_000}),
    "long name": request(OPEN, headers={"X" * 20_000: "x"}),
    "many headers": request(OPEN, headers={f"X-{number}": "x" for number in range(1500)}),
    "many long headers": request(OPEN, headers={f"X-{number}": "x" * 500 for number in range(100)}),
}


@pytest.mark.parametrize("heavy", HEAVY.values(), ids=list(HEAVY))
async def test_a_heavy_head_is_refused(echo: Echo, heavy: bytes) -> None:
    """431 or 400 beyond 16 KiB, however it is spread, and the connection ends."""
    async with echo.wire() as wire:
        await wire.send(heavy)
        assert (await wire.response()).status in {400, 414, 431}
        await wire.rest()


async def test_a_head_without_end_is_refused_before_it_ends(echo: Echo) -> None:
    """Nobody has to send the whole of it to be refused, and nothing of it is kept."""
    async with echo.wire() as wire:
        await wire.send(b"GET /", b"x" * 40_000)
        assert 431 == (await wire.response()).status
        await wire.rest()


async def test_a_heavy_second_head_is_refused_too(echo: Echo) -> None:
    """The limit holds for every request of a connection."""
    async with echo.wire() as wire:
        await wire.send(request(OPEN))
        assert 200 == (await wire.response()).status
        await wire.send(request(OPEN, headers={"X": "x" * 40_000}))
        assert (await wire.response()).status in {400, 431}
        await wire.rest()


@pytest.mark.parametrize(
    "start", [b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], ids=["TLS", "HTTP/2"]
)
async def test_other_protocols_are_turned_away(echo: Echo, start: bytes) -> None:
    """A TLS hello or an HTTP/2 preface ends the connection, and is answered with nothing that looks like success."""
    async with echo.wire() as wire:
        await wire.send(start)
        answer = await wire.rest()
        assert not answer.startswith(b"HTTP/1.1 2")


@pytest.mark.parametrize("origin", ["https://school.example", "null", "http://localhost:8080"])
async def test_a_preflight_is_answered(echo: Echo, origin: str) -> None:
    """A browser asks before it sends what is out of the ordinary from another origin."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = await echo.request(OPEN, method="OPTIONS", headers=asked)
    assert answer.status in {200, 204}
    assert answer.headers["access-control-allow-origin"] in {"*", origin}
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"].lower()


async def test_pages_of_other_origins_may_read_answers(echo: Echo) -> None:
    """Where every origin is allowed, refusals say so too: a page learns why it was refused."""
    for target in (OPEN, f"{ENGINE}?EIO=3&transport=polling"):
        answer = await echo.request(target, headers={"Origin": "https://school.example"})
        assert answer.headers["access-control-allow-origin"] in {"*", "https://school.example"}


async def test_polls_are_not_to_be_kept_by_caches(echo: Echo) -> None:
    """A poll that a cache answered would be lost or doubled."""
    assert "no-store" in (await echo.request(OPEN)).headers["cache-control"]


async def test_thousands_of_requests_on_one_connection(echo: Echo) -> None:
    """Pipelined in one go, all are answered, one by one."""
    async with echo.wire() as wire:
        sending = asyncio.ensure_future(wire.send(request(f"{OPEN}&sid=nobody") * 2000))
        assert [400] * 2000 == [(await wire.response()).status for _ in range(2000)]
        await sending


async def test_a_connection_that_says_nothing_is_no_burden(echo: Echo) -> None:
    """Connections that are opened and closed, or reset, without a word."""
    wires = [await Wire.open(echo.port) for _ in range(50)]
    for number, wire in enumerate(wires):
        if number % 2:
            wire.reset()
        else:
            await wire.close()
