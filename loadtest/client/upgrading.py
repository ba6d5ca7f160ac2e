"""A wire that begins by polling and goes over to a websocket, as the official clients do."""

import asyncio
from collections.abc import Awaitable, Callable

from loadtest.client.errors import ConnectFailed
from loadtest.client.packets import PROBE, PROBED, UPGRADE
from loadtest.client.polling import Own, PollingWire
from loadtest.client.session import Session, Wire
from loadtest.client.websocket import WebsocketWire

PROBE_S = 10.0
"""How long a server has to answer the probe."""

Open = Callable[[WebsocketWire], Awaitable[None]]
"""Brings the websocket up. Raises ConnectFailed."""
Told = Callable[[ConnectFailed | None], None]
"""Hears once how the upgrade went: None if the session goes on over the websocket. Not if the session ended first."""


class _Probe:
    """Takes what comes over the websocket until the session does."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_over = False

    def take(self, data: bytes, now_ns: int) -> None:
        if not self.answered.done() and data == PROBED:
            self.answered.set_result(None)
        else:
            self._fail("garbage", f"not the answer to a probe: {data[:60]!r}")

    def fail(self, reason: str, text: str) -> None:
        self._fail(reason, text)

    def ended(self, reason: str, text: str = "") -> None:
        self._fail("lost" if reason == "server" else reason, text)

    def _fail(self, code: str, text: str) -> None:
        self.is_over = True
        if not self.answered.done():
            self.answered.set_exception(ConnectFailed(code, text))
            self.answered.exception()  # whoever waited may have been cancelled


class UpgradingWire:
    """Polls, and probes a websocket beside it; what is sent while one hands over to the other waits for the other.

    If the upgrade fails in any way before its last packet, the session goes on by polling.
    """

    __slots__ = ("_held", "_is_paused", "_polling", "_session", "_told", "_upgrading", "_websocket", "_wire")

    def __init__(self, polling: PollingWire, websocket: WebsocketWire, told: Told) -> None:
        self._polling = polling
        self._websocket = websocket
        self._told = told
        self._wire: Wire = polling
        self._session: Session
        self._held: list[bytes] | None = None
        """What was sent since the polling wire began to hand over."""
        self._upgrading: asyncio.Task[None] | None = None
        self._is_paused = False

    def carry(self, session: Session) -> None:
        """Give what comes to this session. Before anything can come."""
        self._session = session
        self._polling.carry(session)

    def upgrade(self, open_websocket: Open, own: Own) -> None:
        """Begin to upgrade, unless the session has ended already. The polling wire has been opened."""
        if not self._polling.is_over:
            self._upgrading = asyncio.ensure_future(self._upgrade(open_websocket))
            own(self._upgrading)

    def send(self, packet: bytes) -> None:
        if self._held is not None:
            self._held.append(packet)
        else:
            self._wire.send(packet)

    def pause(self) -> None:
        self._is_paused = True
        self._wire.pause()

    def resume(self) -> None:
        self._is_paused = False
        self._wire.resume()

    def close(self) -> None:
        self._stay()
        self._wire.close()

    def abort(self) -> None:
        self._stay()
        self._wire.abort()

    async def _upgrade(self, open_websocket: Open) -> None:
        """Go over to the websocket, or tell why not; cancelled, do neither."""
        try:
            await self._go_over(open_websocket)
        except ConnectFailed as failed:
            self._websocket.abort()
            self._go_on_polling()
            if not self._polling.is_over:
                self._told(failed)
        else:
            self._told(None)
        self._upgrading = None

    async def _go_over(self, open_websocket: Open) -> None:
        probe = _Probe()
        self._websocket.carry(probe)
        await open_websocket(self._websocket)
        self._websocket.send(PROBE)
        try:
            async with asyncio.timeout(PROBE_S):
                await probe.answered
        except TimeoutError:
            raise ConnectFailed("timeout", f"no answer to a probe within {PROBE_S:g} s") from None
        self._held = []
        held = await self._polling.hand_over()
        if probe.is_over or self._polling.is_over:
            self._held[:0] = held
            raise ConnectFailed("lost", "the connection ended during the upgrade")
        self._websocket.carry(self._session)
        self._wire = self._websocket
        for packet in (UPGRADE, *held, *self._held):
            self._websocket.send(packet)
        self._held = None
        if self._is_paused:
            self._websocket.pause()

    def _go_on_polling(self) -> None:
        held, self._held = self._held, None
        self._polling.take_back(held or [])

    def _stay(self) -> None:
        """Upgrade no more: the session ends over the wire that it has."""
        upgrading, self._upgrading = self._upgrading, None
        if upgrading is not None:
            upgrading.cancel()
            self._websocket.abort()
            self._go_on_polling()
