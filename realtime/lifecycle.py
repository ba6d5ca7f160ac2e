"""From settings to a serving process, and back to nothing lost."""

import asyncio
import contextlib
import errno
import gc
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from aiohttp import web

from auth.errors import SettingRefused
from realtime.app import App, build, signing_key
from realtime.config import Settings
from realtime.connection import Connection
from storage.errors import StoreError
from storage.sqlite.store import SqliteStore

if sys.platform == "win32":
    from asyncio import new_event_loop
else:
    from uvloop import new_event_loop

BACKLOG = 4096
GC_THRESHOLDS = (50_000, 5, 5)
"""A full collection walks every connection, and everyone waits: at 10,000 for most of a second. So there is one for
each 1.25 million new objects, which a leak of cycles would take some ten thousand closed connections to make."""
_CLOSE_S = 2.0

Prepare = Callable[[App], Awaitable[None]]
"""What is done to a built server before anyone can reach it."""


class StartRefused(Exception):
    """The server cannot start. The message is one readable line; `status` is the exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def check(settings: Settings) -> None:
    """Refuse what this version cannot do, in words. Raises StartRefused with status 2."""
    if settings.cluster != "local":
        raise StartRefused("HOMEROOM_CLUSTER: only `local` is supported by this version.", 2)
    store_path(settings)


def store_path(settings: Settings) -> Path:
    """Return the file of the SQLite store. Raises StartRefused with status 2."""
    if settings.store == "sqlite":
        return settings.data_dir / "homeroom.db"
    if settings.store.startswith("sqlite:///"):
        path = settings.store.removeprefix("sqlite:///")
        if not path:
            raise StartRefused("HOMEROOM_STORE: `sqlite:///` needs the path of a file behind it.", 2)
        return Path(path)
    raise StartRefused("HOMEROOM_STORE: use `sqlite` or `sqlite:///path`; this version has no other store.", 2)


def prepare_data_dir(settings: Settings) -> None:
    """Make the data directory. Raises StartRefused."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        store_path(settings).parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StartRefused(f"The data directory {settings.data_dir} cannot be made: {exc.strerror}.") from exc


async def open_app(settings: Settings) -> App:
    """Open the store and build the server. Raises StartRefused."""
    check(settings)
    prepare_data_dir(settings)
    try:
        key = signing_key(settings)
        store = await SqliteStore.open(store_path(settings))
    except (SettingRefused, StoreError) as exc:
        raise StartRefused(str(exc)) from exc
    try:
        return build(settings, store, key)
    except BaseException as exc:
        await store.close()
        if isinstance(exc, SettingRefused):
            raise StartRefused(str(exc), 2) from exc
        raise


class Server:
    """A listening server."""

    def __init__(self, app: App, runner: web.AppRunner, url: str, port: int) -> None:
        self.app = app
        self.url = url
        self.port = port
        self._runner = runner

    @classmethod
    async def start(cls, settings: Settings, prepare: Prepare | None = None) -> "Server":
        """Build, let `prepare` have the app, and listen. Raises StartRefused."""
        app = await open_app(settings)
        if prepare is not None:
            await prepare(app)
        runner = web.AppRunner(app.web, access_log=None, shutdown_timeout=_CLOSE_S)
        try:
            await runner.setup()
            site = web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG)
            await site.start()
        except (OSError, UnicodeError) as exc:
            await runner.cleanup()
            await app.close()
            raise StartRefused(_cannot_listen(settings, exc)) from exc
        port: int = runner.addresses[0][1]
        return cls(app, runner, settings.public_url or f"http://{_reachable(settings.host)}:{port}", port)

    async def stop(self) -> None:
        """Drain, then close everything; what was acknowledged is stored, what is under way finishes."""
        await self._drain()
        await self._runner.cleanup()
        await self.app.close()

    async def _drain(self) -> None:
        settings, edge = self.app.settings, self.app.edge
        # a few people are gone in a moment; thousands come back spread out
        window_s = min(settings.drain_s / 2, 0.2 + len(self.app.hub.connections) / 500)
        started = asyncio.get_running_loop().time()
        for delay_s, connection in edge.drain(window_s):
            await asyncio.sleep(max(0.0, started + delay_s - asyncio.get_running_loop().time()))
            _close(connection)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.app.hub.empty.wait(), max(0.1, settings.drain_s - window_s))


def _close(connection: Connection) -> None:
    connection.link.close("draining")


def _cannot_listen(settings: Settings, exc: OSError | UnicodeError) -> str:
    where = f"{settings.host}:{settings.port}"
    if isinstance(exc, UnicodeError):
        return f"Cannot listen on {where}: that is no host name."
    if exc.errno == errno.EADDRINUSE:
        return f"Port {settings.port} is taken: another program listens on {where}. Choose one with --port."
    return f"Cannot listen on {where}: {exc.strerror or exc}."


def _reachable(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


async def serve(settings: Settings, started: Callable[[Server], None], prepare: Prepare | None = None) -> None:
    """Run until SIGTERM or SIGINT. Raises StartRefused."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await Server.start(settings, prepare)
    log = structlog.get_logger("realtime.lifecycle")
    try:
        started(server)
        # everything made so far lives as long as the process: keep the collector from walking it again and again
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        log.info("serving", url=server.url)
        await stop.wait()
        log.info("draining", connections=len(server.app.hub.connections))
    finally:
        await server.stop()
    log.info("stopped")


def run(settings: Settings, started: Callable[[Server], None], prepare: Prepare | None = None) -> None:
    """Run a server in this process until it is told to stop. Raises StartRefused."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(settings, started, prepare))
