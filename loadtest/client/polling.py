"""A wire over HTTP long-polling: one GET waits for packets, POSTs carry ours, each when the one before has ended."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from loadtest.client import packets
from loadtest.client.errors import ConnectFailed, code_of
from loadtest.client.packets import Kind, NotAPacket, Opening
from loadtest.client.session import Session
from loadtest.client.target import Target

POST_TIMEOUT_S = 30.0
CLOSE = b"1"

Own = Callable[[asyncio.Task[None]], None]


class PollingWire:
    """Polls in one task, and posts in another while there is something to post."""

    __slots__ = (
        "_http",
        "_is_ended",
        "_is_leaving",
        "_most",
        "_outgoing",
        "_own",
        "_polling",
        "_posting",
        "_reading",
        "_session",
        "_url",
        "sid",
    )

    def __init__(self, http: aiohttp.ClientSession, own: Own) -> None:
        self._http = http
        self._own = own
        self._url = ""
        self._most = packets.DEFAULT_MAX_PAYLOAD
        self._session: Session
        self._outgoing: list[bytes] = []
        self._polling: asyncio.Task[None] | None = None
        self._posting: asyncio.Task[None] | None = None
        self._reading = asyncio.Event()
        self._reading.set()
        self._is_ended = False
        self._is_leaving = False
        self.sid = ""
        """Of the Engine.IO session, once open."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will go or come this way."""
        return self._is_ended

    def carry(self, session: Session) -> None:
        """Give what comes to this session. Before anything can come."""
        self._session = session

    def send(self, packet: bytes) -> None:
        if self._is_ended:
            return
        self._outgoing.append(packet)
        self._begin_posting()

    def pause(self) -> None:
        self._reading.clear()

    def resume(self) -> None:
        self._reading.set()

    def close(self) -> None:
        self.send(CLOSE)
        self._is_ended = True
        self._reading.set()

    def abort(self) -> None:
        self._is_ended = True
        self._outgoing.clear()
        for task in (self._polling, self._posting):
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    async def open(self, target: Target) -> None:
        """Shake hands, and poll from then on. Raises ConnectFailed."""
        payload = packets.split(await self._request("GET", target.polling_url))
        opening = _opening(payload[0])
        self.sid = opening.sid
        self._url = f"{target.polling_url}&sid={opening.sid}"
        self._most = opening.max_payload
        self._take(payload)
        if not self._is_ended:
            self._polling = self._spawn(self._poll())

    async def hand_over(self) -> list[bytes]:
        """Wait until no request is under way, and begin none; return what was not sent. Another wire goes on.

        Cancelled, or if the other cannot: `take_back`.
        """
        self._is_leaving = True
        if waiting := [task for task in (self._polling, self._posting) if task is not None]:
            await asyncio.wait(waiting)
        left, self._outgoing = self._outgoing, []
        return left

    def take_back(self, packets: list[bytes]) -> None:
        """Go on after all, with these packets first. Nothing if it has ended."""
        self._is_leaving = False
        if self._is_ended or not self._url:
            return
        self._outgoing[:0] = packets
        self._begin_posting()
        if self._polling is None or self._polling.done():
            self._polling = self._spawn(self._poll())

    def _begin_posting(self) -> None:
        if self._posting is None and self._outgoing:
            self._posting = self._spawn(self._post())

    async def _poll(self) -> None:
        try:
            while not self._is_ended and not self._is_leaving:
                payload = packets.split(await self._request("GET", self._url))
                await self._reading.wait()
                self._take(payload)
        except ConnectFailed as failed:
            self._over(failed)

    async def _post(self) -> None:
        try:
            while self._outgoing and not self._is_leaving:
                await self._request("POST", self._url, packets.join(self._batch()))
        except ConnectFailed as failed:
            self._over(failed)
        finally:
            self._posting = None
        if self._is_ended and self._polling is not None:
            self._polling.cancel()

    def _batch(self) -> list[bytes]:
        """Take as many of the waiting packets as the server reads at once, and one at least."""
        size, count = -1, 0
        for packet in self._outgoing:
            size += len(packet) + 1
            if count and size > self._most:
                break
            count += 1
        batch, self._outgoing = self._outgoing[:count], self._outgoing[count:]
        return batch

    def _take(self, payload: list[bytes]) -> None:
        now_ns = time.monotonic_ns()
        for packet in payload:
            self._session.take(packet, now_ns)

    def _over(self, failed: ConnectFailed) -> None:
        self._session.ended("garbage" if failed.code == "garbage" else "lost", str(failed))
        self.abort()

    async def _request(self, method: str, url: str, body: bytes | None = None) -> bytes:
        """Return the body of a 200. Raises ConnectFailed."""
        timeout = aiohttp.ClientTimeout(total=None if body is None else POST_TIMEOUT_S)
        headers = {} if body is None else {"Content-Type": "text/plain;charset=UTF-8"}
        try:
            async with self._http.request(
                method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise ConnectFailed(code_of(exc), str(exc)) from None
        if response.status != 200:
            wait = response.headers.get("Retry-After", "")
            retry_after_ms = int(wait) * 1000 if wait.isdigit() else None
            raise ConnectFailed(f"http_{response.status}", response.reason or "", retry_after_ms)
        return answer

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._own(task)
        return task


def _opening(packet: bytes) -> Opening:
    try:
        parsed = packets.parse(packet)
    except NotAPacket as exc:
        raise ConnectFailed("garbage", str(exc)) from None
    if parsed.kind is not Kind.OPEN:
        raise ConnectFailed("garbage", f"the first packet is {parsed.kind.name}")
    opening: Opening = parsed.data
    return opening
