"""The one port: reads the first request of a connection, and hands it to the websocket engine or to aiohttp.

    Door     makes a Visit for each connection that comes in; counts them and keeps their time
    Visit    one TCP connection: until its first head is in, and for as long as it stays with aiohttp
    Upgrade  who takes websockets

Between two requests of a kept-alive connection the next head is waited for here again, because proxies send a websocket
down any connection that is free.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Literal, Protocol, cast, get_args

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from realtime.engine.alarms import Alarm, Clockwork
from realtime.engine.answers import Refusal, head_refusal, invalid, overloaded
from realtime.engine.head import (
    HEAD_BYTES,
    Head,
    HeadRefused,
    body_length,
    check_websocket,
    parse_head,
    too_long,
    wants_websocket,
)
from realtime.engine.options import DoorRules
from realtime.engine.places import Place, Places
from realtime.engine.proxies import BadProxyHeader, plain_address, read_proxy_header

Reason = Literal["address", "connections", "head", "proxy", "stall", "timeout"]
"""Why: too many of one address, too many at all, no head of ours, no PROXY header, reads nothing, no head in time."""

_LOOK_S: Final = 0.001
_TLS_HANDSHAKE: Final = 0x16
_HTTP_2: Final = b"PRI * HTTP/2.0\r\n\r\n"
_TOKEN_BYTES: Final = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Upgrade(Protocol):
    """Who takes websockets."""

    def take(
        self, head: Head, address: str, transport: asyncio.Transport, rest: bytes, closed: Callable[[], None]
    ) -> Refusal | None:
        """Take a connection over: set the transport's protocol, and read `rest`, which came behind the head, first.

        The handshake is sound (RFC 6455 §4.2.1); `address` is the client's. Call `closed` when the connection has
        ended. To refuse, return the answer and leave the connection alone.
        """
        ...


class Door:
    """The protocol factory of a listener. Make it inside the running loop.

    `accepted` is how many connections were let in so far, `refused` how many answers or silent ends each reason had.
    """

    def __init__(self, upgrade: Upgrade, *, path: str, rules: DoorRules) -> None:
        loop = asyncio.get_running_loop()
        self.accepted = 0
        self.refused: dict[Reason, int] = dict.fromkeys(get_args(Reason), 0)
        self.upgrade = upgrade
        self.http: Callable[[], RequestHandler] | None = None
        """Makes the protocol of a connection that is not, or not yet, a websocket. Set it before anybody comes."""
        self.rules = rules
        self.start_of_ours = f"GET {path}".encode()
        self.places = Places(rules.connections, rules.connections_per_address)
        self.waiting: set[Visit] = set()
        self.stalls = Alarm[Visit](rules.stall_timeout_s, Visit.check_stall, loop.time)
        self._alarm = Alarm[Visit](rules.head_timeout_s, Visit.time_out, loop.time)
        self._clockwork = Clockwork(loop)
        self._clockwork.start(self._alarm, self.stalls)

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return Visit(self)

    @property
    def visits(self) -> int:
        """Return how many connections are open, websockets among them."""
        return len(self.places)

    def close(self) -> None:
        """Close the connections that have not sent a whole head, and keep time no more. For the end of the server."""
        self._clockwork.stop()
        for visit in list(self.waiting):
            visit.close()

    def expect(self, visit: "Visit") -> None:
        """Give a connection its time to send a head."""
        self.waiting.add(visit)
        self._alarm.set(visit)

    def expect_no_more(self, visit: "Visit") -> None:
        """A head is in, or none will come."""
        self.waiting.discard(visit)
        self._alarm.clear(visit)


class Visit(asyncio.Protocol):
    """One TCP connection. Once a websocket is made of it, nothing refers to it any more."""

    __slots__ = (
        "_awaits_proxy", "_body", "_door", "_held", "_in_step", "_inner", "_place", "_transport", "_unread", "address",
        "on_lost",
    )  # fmt: skip

    def __init__(self, door: Door) -> None:
        self.address = ""
        """Who connected, after the PROXY protocol; "" for a socket file."""
        self.on_lost: Callable[[], None] | None = None
        """Called when the connection has ended: whoever waits on behalf of its client sets this."""
        self._door = door
        self._transport: asyncio.Transport | None = None
        self._place: Place | None = None
        self._inner: RequestHandler | None = None
        self._held: bytearray | None = None
        self._awaits_proxy = door.rules.proxy_protocol
        self._in_step = True
        self._body = 0
        self._unread = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection and wait for its head."""
        door = self._door
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.address = plain_address(peer[0]) if isinstance(peer, tuple) else ""
        self._place = door.places.enter()
        if self._place is None:
            self._refuse("connections", overloaded("Too many connections. Try again shortly."))
        elif self._awaits_proxy and not door.rules.proxies.trusts(self.address):
            self._refuse("proxy", invalid("This server is reached through its proxy only."))
        elif self._awaits_proxy or self._counted(self.address):
            door.accepted += 1
            door.expect(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes in: of a head here, of a body there."""
        inner = self._inner
        if inner is not None and not (self._in_step and self._body == 0):
            self._body -= len(data)
            self._in_step = self._in_step and self._body >= 0
            inner.data_received(data)
        elif self._transport is not None:
            self._gather(data)

    def eof_received(self) -> bool | None:
        """Return whether the connection stays half open."""
        inner: asyncio.Protocol | None = self._inner
        return None if inner is None else inner.eof_received()

    def pause_writing(self) -> None:
        """Pass on that the client does not read, and see how long that goes on."""
        if self._inner is not None and self._transport is not None:
            self._inner.pause_writing()
            self._unread = self._transport.get_write_buffer_size()
            self._door.stalls.set(self)

    def resume_writing(self) -> None:
        """Pass on that the client reads again."""
        self._door.stalls.clear(self)
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Free the place and tell who has to know."""
        inner, on_lost = self._inner, self.on_lost
        self._inner = self.on_lost = self._transport = self._held = None
        self._door.expect_no_more(self)
        self._door.stalls.clear(self)
        if self._place is not None:
            self._place.leave()
        if inner is not None:
            inner.connection_lost(exc)
        if on_lost is not None:
            on_lost()

    def client(self, forwarded_for: str | None) -> str:
        """Return the address that a request with this X-Forwarded-For came from."""
        return self._door.rules.proxies.client(self.address, forwarded_for)

    def close(self) -> None:
        """End the connection without a word."""
        if (transport := self._leave()) is not None:
            transport.close()

    def time_out(self) -> None:
        """End a connection whose head is late. One that sent nothing hears nothing: browsers open some to spare."""
        if self._held:
            self._refuse("timeout", invalid("The request took too long to arrive.", HTTPStatus.REQUEST_TIMEOUT))
        else:
            self._door.refused["timeout"] += 1
            self.close()

    def check_stall(self) -> None:
        """End a connection that still has as much to read as it had when last looked at."""
        if self._transport is None:
            return
        unread = self._transport.get_write_buffer_size()
        if unread < self._unread:
            self._unread = unread
            self._door.stalls.set(self)
        else:
            self._door.refused["stall"] += 1
            self._transport.abort()

    def _gather(self, data: bytes) -> None:
        held, seen = self._held, 0
        whole: bytes | bytearray = data
        if held is not None:
            seen = len(held)
            held += data
            whole = held
        if self._awaits_proxy:
            rest = self._after_proxy_header(bytes(whole))
            if rest is None:
                return
            whole, seen = rest, 0
        if self._inner is None and not seen and whole and whole[0] not in _TOKEN_BYTES:
            self._refuse_gibberish(whole[0])
            return
        end = whole.find(b"\r\n\r\n", max(0, seen - 3)) + 4
        if end > HEAD_BYTES or (end < 4 and len(whole) >= HEAD_BYTES):
            self._refuse("head", head_refusal(too_long()))
        elif end < 4:
            self._hold(whole)
        else:
            self._held = None
            self._door.expect_no_more(self)
            self._direct(bytes(whole), end)

    def _hold(self, whole: bytes | bytearray) -> None:
        if self._inner is not None and self._held is None:
            self._door.expect(self)
        self._held = whole if isinstance(whole, bytearray) else bytearray(whole)

    def _after_proxy_header(self, data: bytes) -> bytes | None:
        """Return what came behind the PROXY header; None if it is not all here, or refused."""
        try:
            header = read_proxy_header(data)
        except BadProxyHeader:
            self._refuse("proxy", invalid("A connection from a proxy begins with a PROXY header here."))
            return None
        if header is None:
            self._hold(data)
            return None
        self._awaits_proxy = False
        self._held = None
        self.address = header.address or self.address
        return data[header.length :] if self._counted(self.address) else None

    def _refuse_gibberish(self, first: int) -> None:
        if first == _TLS_HANDSHAKE:  # whoever speaks TLS would not understand the answer
            self._door.refused["head"] += 1
            self.close()
        else:
            self._refuse("head", invalid("This is no HTTP/1.1 request."))

    def _direct(self, data: bytes, end: int) -> None:
        """Decide who serves the request whose head ends at `end`."""
        door, lower = self._door, data[:end].lower()
        behind = len(door.start_of_ours)
        try:
            if data.startswith(_HTTP_2):
                raise HeadRefused("Only HTTP/1.1 is spoken here.", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
            if data.startswith(door.start_of_ours) and data[behind] in b"? " and b"\r\nupgrade:" in lower:
                head = parse_head(data[:end])
                if wants_websocket(head):
                    check_websocket(head)
                    if self._inner is not None and not _awaits_request(self._inner):
                        self._look_again_soon(data)
                    else:
                        self._hand_over(head, data[end:])
                    return
        except HeadRefused as exc:
            self._refuse("head", head_refusal(exc))
            return
        if door.places.counts_addresses and door.rules.proxies.trusts(self.address) and not self._forwarded(data, end):
            return
        self._pass_on(data, end, lower)

    def _look_again_soon(self, data: bytes) -> None:
        """Wait with a websocket until the requests before it have been answered."""
        self._hold(data)
        asyncio.get_running_loop().call_later(_LOOK_S, self._look_again)

    def _look_again(self) -> None:
        held, self._held = self._held, None
        if held is not None and self._transport is not None:
            self._gather(bytes(held))

    def _hand_over(self, head: Head, rest: bytes) -> None:
        """Let the connection become a websocket."""
        address = self.client(head.headers.get("x-forwarded-for"))
        transport, place = self._transport, self._place
        if not self._counted(address) or transport is None or place is None:
            return
        self._dismiss()
        try:
            refusal = self._door.upgrade.take(head, address, transport, rest, place.leave)
        except BaseException:
            place.leave()  # the loop closes the connection, but whose protocol hears of it is not known
            raise
        if refusal is None:
            self._transport = self._place = None
        else:
            self._answer(refusal)

    def _pass_on(self, data: bytes, end: int, lower: bytes) -> None:
        """Let aiohttp serve the request, and note how many bytes of it are still to come."""
        length = body_length(lower)
        self._body = -1 if length is None else length - (len(data) - end)
        self._in_step = self._body >= 0
        if self._inner is None:
            if self._transport is None or self._door.http is None:
                self.close()
                return
            self._inner = self._door.http()
            self._inner.connection_made(self._transport)
        self._inner.data_received(data)

    def _forwarded(self, data: bytes, end: int) -> bool:
        """Count a connection from a proxy for whom the request came from; False if it was refused for that."""
        try:
            forwarded_for = parse_head(data[:end]).headers.get("x-forwarded-for")
        except HeadRefused:
            return True  # aiohttp will say so
        return self._counted(self.client(forwarded_for))

    def _counted(self, address: str) -> bool:
        """Count the connection for `address`, unless that is a proxy, behind which are many; False if refused."""
        of_client = "" if self._door.rules.proxies.trusts(address) else address
        if self._place is None or self._place.count_for(of_client):
            return True
        self._refuse("address", overloaded("Too many connections from your address. Try again shortly."))
        return False

    def _refuse(self, reason: Reason, refusal: Refusal) -> None:
        self._door.refused[reason] += 1
        self._answer(refusal)

    def _answer(self, refusal: Refusal) -> None:
        if (transport := self._leave()) is not None:
            transport.write(refusal.encode())
            transport.close()

    def _leave(self) -> asyncio.Transport | None:
        """Have done with the connection and return its transport, to be closed."""
        transport, self._transport, self._held = self._transport, None, None
        self._door.expect_no_more(self)
        self._dismiss()
        return transport

    def _dismiss(self) -> None:
        """Tell aiohttp, which waits for a request, that none will come, and keep it from closing the connection."""
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.transport = None
            inner.connection_lost(None)


def visit_of(request: web.BaseRequest) -> Visit | None:
    """Return the connection that a request came by; None if it came by no door, or the connection has ended."""
    transport = request.transport
    protocol = None if transport is None else transport.get_protocol()
    return protocol if isinstance(protocol, Visit) else None


def client_of(request: web.BaseRequest) -> str:
    """Return the address that a request came from, as far as the proxies on its way are trusted."""
    visit = visit_of(request)
    if visit is None:
        return plain_address(request.remote)
    return visit.client(", ".join(request.headers.getall("X-Forwarded-For", ())) or None)


def _awaits_request(handler: RequestHandler) -> bool:
    """Whether aiohttp has answered all it has heard, and read it to the end."""
    waiter = handler._waiter
    return waiter is not None and not waiter.done()
