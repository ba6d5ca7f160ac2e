"""How many may come, from where, and who is believed about that."""

import struct
from collections.abc import Callable

import pytest

from realtime.engine.options import DoorRules
from realtime.engine.proxies import Proxies
from tests.support.hall import Caller, Hall, handshake, request, serving, until

HELLO = request("GET /client")
LOCAL = Proxies("127.0.0.0/8")
TLV = b"\x04\x00\x03abc"


def line(address: str) -> bytes:
    """Return a PROXY header of version 1."""
    return f"PROXY TCP4 {address} 127.0.0.1 4711 8080\r\n".encode()


def binary(address: str) -> bytes:
    """Return a PROXY header of version 2, with an extension."""
    rest = bytes(map(int, address.split("."))) + b"\x7f\0\0\1" + struct.pack("!HH", 4711, 8080) + TLV
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", len(rest)) + rest


def forwarded(address: str) -> str:
    """Return the header that an HTTP proxy adds."""
    return f"X-Forwarded-For: {address}"


async def refused(caller: Caller) -> tuple[int, str, bool]:
    """Read a refusal to its end: its status and code, and whether it says when to come back."""
    answer = await caller.answer()
    assert "close" == answer.headers["connection"]
    assert b"" == await caller.rest()
    return answer.status, answer.code, "retry-after" in answer.headers


@pytest.mark.parametrize("header", [line, binary])
async def test_a_proxy_says_who_calls(header: Callable[[str], bytes]) -> None:
    """By PROXY header, of either version: before a request, and before a websocket."""
    async with serving(DoorRules(proxies=LOCAL, proxy_protocol=True)) as hall:
        caller = await hall.call()
        assert b"203.0.113.7" == (await caller.ask(header("203.0.113.7") + HELLO)).body
        assert b"203.0.113.7" == (await caller.ask(HELLO)).body
        caller = await hall.call()
        assert "203.0.113.7" == (await caller.ask(header("203.0.113.7") + handshake())).headers["x-client"]


async def test_a_proxy_header_hides_no_second_one() -> None:
    """A client behind a proxy that writes a PROXY header itself has sent a bad request."""
    async with serving(DoorRules(proxies=LOCAL, proxy_protocol=True)) as hall:
        for own in (line("1.1.1.1"), binary("1.1.1.1")):
            caller = await hall.call()
            assert 400 == (await caller.ask(line("203.0.113.7") + own + HELLO)).status


@pytest.mark.parametrize("sent", [HELLO, b"PROXY nonsense\r\n", b"\x16\x03\x01"])
async def test_a_proxy_that_says_nothing_is_refused(sent: bytes) -> None:
    """Where the PROXY protocol is on, each connection of a proxy begins with it."""
    async with serving(DoorRules(proxies=LOCAL, proxy_protocol=True)) as hall:
        caller = await hall.call()
        await caller.send(sent)
        assert (400, "request.invalid", False) == await refused(caller)
        assert 1 == hall.door.refused["proxy"]


async def test_a_stranger_cannot_pretend_to_be_a_proxy() -> None:
    """Where the PROXY protocol is on, nobody comes past the proxy; where it is off, it is no request."""
    async with serving(DoorRules(proxies=Proxies("127.0.0.2"), proxy_protocol=True)) as hall:
        assert (400, "request.invalid", False) == await refused(await hall.call("127.0.0.1"))
        assert 200 == (await (await hall.call("127.0.0.2")).ask(line("203.0.113.7") + HELLO)).status
        assert {"proxy": 1} == {reason: count for reason, count in hall.door.refused.items() if count}
    async with serving() as hall:
        assert 400 == (await (await hall.call()).ask(binary("203.0.113.7") + HELLO)).status
        assert 400 == (await (await hall.call()).ask(line("203.0.113.7") + HELLO)).status


async def test_forwarded_addresses_are_believed_from_proxies_only() -> None:
    """A stranger's X-Forwarded-For counts for nothing; of a proxy's, the nearest stranger is the client."""
    asked = request("GET /client", forwarded("1.1.1.1"), forwarded("203.0.113.7, 127.0.0.3"))
    socket = handshake(forwarded("1.1.1.1"), forwarded("203.0.113.7, 127.0.0.3"))
    for proxies, expected in ((Proxies(""), "127.0.0.2"), (Proxies("127.0.0.1"), "127.0.0.2"), (LOCAL, "203.0.113.7")):
        async with serving(DoorRules(proxies=proxies)) as hall:
            caller = await hall.call("127.0.0.2")
            assert expected.encode() == (await caller.ask(asked)).body
            assert b"127.0.0.2" == (await caller.ask(HELLO)).body
            assert expected == (await caller.ask(socket)).headers["x-client"]


async def let_in(hall: Hall, local: str, sent: bytes) -> bool:
    """Whether one more connection is served; it stays."""
    caller = await hall.call(local)
    await caller.send(sent)
    answer = await caller.answer()
    if answer.status == 503:
        assert ("server.overloaded", b"") == (answer.code, await caller.rest())
        assert int(answer.headers["retry-after"]) > 0
    return answer.status in {200, 101}


async def test_an_address_has_so_many_connections() -> None:
    """Plain ones and websockets together; one that ends makes room, and other addresses are not concerned."""
    async with serving(DoorRules(connections_per_address=2)) as hall:
        first = await hall.call("127.0.0.2")
        await first.ask(HELLO)
        assert await let_in(hall, "127.0.0.2", handshake())
        assert not await let_in(hall, "127.0.0.2", HELLO)
        assert await let_in(hall, "127.0.0.3", HELLO)
        await first.leave()
        await until(lambda: hall.door.visits == 2)
        assert await let_in(hall, "127.0.0.2", handshake())
        assert not await let_in(hall, "127.0.0.2", handshake())
        assert (4, 2) == (hall.door.accepted, hall.door.refused["address"])


async def test_a_silent_connection_counts() -> None:
    """Whoever only connects takes a place of its address as well, until its time is up."""
    async with serving(DoorRules(connections_per_address=1, head_timeout_s=0.5)) as hall:
        silent = await hall.call("127.0.0.2")
        assert not await let_in(hall, "127.0.0.2", HELLO)
        assert b"" == await silent.rest()
        await until(lambda: not hall.door.visits)
        assert await let_in(hall, "127.0.0.2", HELLO)


@pytest.mark.parametrize("kind", [request, handshake], ids=["plain", "websocket"])
@pytest.mark.parametrize("protocol", ["forwarded", "v1", "v2"])
async def test_behind_a_proxy_each_client_counts_for_itself(kind: Callable[..., bytes], protocol: str) -> None:
    """The proxy itself may have any number, each client behind it so many."""
    rules = DoorRules(proxies=LOCAL, proxy_protocol=protocol != "forwarded", connections_per_address=1)

    def sent(address: str) -> bytes:
        more = [forwarded(address)] if protocol == "forwarded" else []
        before = {"forwarded": b"", "v1": line(address), "v2": binary(address)}[protocol]
        return before + (handshake(*more) if kind is handshake else request("GET /client", *more))

    async with serving(rules) as hall:
        clients = ["203.0.113.7", "203.0.113.8", "203.0.113.7", "127.0.0.9", "127.0.0.9"]
        assert [True, True, False, True, True] == [await let_in(hall, "127.0.0.1", sent(client)) for client in clients]


async def test_a_shared_connection_counts_for_its_last_client() -> None:
    """A proxy sends requests of several clients down one connection: none of them is charged for the others."""
    async with serving(DoorRules(proxies=LOCAL, connections_per_address=1)) as hall:
        shared = await hall.call()
        for client in ("203.0.113.7", "203.0.113.8"):
            assert 200 == (await shared.ask(request("GET /client", forwarded(client)))).status
        assert await let_in(hall, "127.0.0.1", request("GET /client", forwarded("203.0.113.7")))
        assert not await let_in(hall, "127.0.0.1", request("GET /client", forwarded("203.0.113.8")))
        await shared.send(handshake(forwarded("203.0.113.7")))
        assert (503, "server.overloaded", True) == await refused(shared)


async def test_a_server_has_so_many_connections() -> None:
    """Beyond that nobody comes in, whoever they are, until somebody leaves."""
    async with serving(DoorRules(connections=2)) as hall:
        first = await hall.call()
        await first.ask(HELLO)
        assert await let_in(hall, "127.0.0.2", handshake())
        assert (503, "server.overloaded", True) == await refused(await hall.call("127.0.0.3"))
        await first.leave()
        await until(lambda: hall.door.visits == 1)
        assert await let_in(hall, "127.0.0.3", HELLO)
        assert (3, 1) == (hall.door.accepted, hall.door.refused["connections"])


async def test_a_flood_of_connections_passes() -> None:
    """Hundreds at once against a small limit: as many as there is room for are let in, and then it is quiet again."""
    async with serving(DoorRules(connections=20)) as hall:
        callers = [await hall.call(f"127.0.1.{n % 200 + 1}") for n in range(300)]
        await until(lambda: hall.door.accepted + hall.door.refused["connections"] == 300)
        assert (20, 20) == (hall.door.accepted, hall.door.visits)
        assert [503] * 280 == [(await caller.answer()).status for caller in callers[20:]]
        assert 200 == (await callers[0].ask(HELLO)).status
