"""All connections of one process to one server, and what they share."""

import asyncio
import itertools
import ssl
from functools import partial

import aiohttp

from loadtest.client.dialling import Dialler
from loadtest.client.errors import ConnectFailed
from loadtest.client.liveness import Liveness
from loadtest.client.polling import PollingWire
from loadtest.client.session import Listener, Session
from loadtest.client.target import Target
from loadtest.client.upgrading import Told, UpgradingWire
from loadtest.client.websocket import GOODBYE_S, WebsocketWire, open_websocket


class Network:
    """Makes sessions. Begin with `start`, in the loop that it will run in; end with `close`.

    `upgraded` hears of each session that has gone over from polling to a websocket, or why it has not.
    """

    def __init__(self, target: Target, upgraded: Told = lambda _: None) -> None:
        self.target = target
        self._upgraded = upgraded
        self._openings = {
            "websocket": itertools.repeat(self._by_websocket),
            "polling": itertools.repeat(self._by_polling),
            "upgrade": itertools.repeat(self._by_upgrade),
            "mixed": itertools.cycle((self._by_upgrade, self._by_websocket)),
        }[target.transport]
        self._dialler = Dialler(target)
        self._tls = ssl.create_default_context() if target.secure else None
        self._liveness = Liveness()
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: dict[str | None, aiohttp.ClientSession] = {}

    def start(self) -> None:
        """Look after sessions from now on."""
        self._liveness.start()

    async def connect(self, token: str, listener: Listener, source: str | None = None) -> Session:
        """Return a session that the server has let in; events follow, `ready` first. Raises ConnectFailed.

        `source` is the local address to come from. May be called for many at once, and cancelled.
        """
        try:
            async with asyncio.timeout(self.target.connect_timeout_s):
                return await next(self._openings)(token, listener, source)
        except TimeoutError:
            raise ConnectFailed("timeout", f"not connected within {self.target.connect_timeout_s:g} s") from None

    async def close(self) -> None:
        """End everything that is still open; goodbyes under way get a moment."""
        self._liveness.stop()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=GOODBYE_S + 1)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for http in self._http.values():
            await http.close()

    async def _by_websocket(self, token: str, listener: Listener, source: str | None) -> Session:
        wire = WebsocketWire(self._own)
        session = Session(token, listener, self._liveness, wire)
        wire.carry(session)
        try:
            await open_websocket(self.target, self._dialler, wire, self._tls, source)
            await session.connected()
        except BaseException:
            session.abort()
            raise
        return session

    async def _by_polling(self, token: str, listener: Listener, source: str | None) -> Session:
        wire = PollingWire(self._http_from(source), self._own)
        session = Session(token, listener, self._liveness, wire)
        wire.carry(session)
        try:
            await wire.open(self.target)
            await session.connected()
        except BaseException:
            session.abort()
            raise
        return session

    async def _by_upgrade(self, token: str, listener: Listener, source: str | None) -> Session:
        polling = PollingWire(self._http_from(source), self._own)
        wire = UpgradingWire(polling, WebsocketWire(self._own), self._upgraded)
        session = Session(token, listener, self._liveness, wire)
        wire.carry(session)
        try:
            await polling.open(self.target)
            wire.upgrade(partial(self._open_second, polling, source), self._own)
            await session.connected()
        except BaseException:
            session.abort()
            raise
        return session

    async def _open_second(self, polling: PollingWire, source: str | None, wire: WebsocketWire) -> None:
        """Bring up the websocket of a session that polls. Raises ConnectFailed."""
        try:
            async with asyncio.timeout(self.target.connect_timeout_s):
                await open_websocket(self.target, self._dialler, wire, self._tls, source, polling.sid)
        except TimeoutError:
            raise ConnectFailed("timeout", f"no websocket within {self.target.connect_timeout_s:g} s") from None

    def _http_from(self, source: str | None) -> aiohttp.ClientSession:
        if source not in self._http:
            address = (source, 0) if source is not None else None
            self._http[source] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, local_addr=address), cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._http[source]

    def _own(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
