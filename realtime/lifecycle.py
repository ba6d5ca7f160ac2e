"""From settings to a serving process, and back to nothing lost."""

import asyncio
import contextlib
import errno
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from aiohttp import web

from auth.errors import SettingRefused
from realtime.app import App, build, door_rules, signing_key
from realtime.config import Settings
from realtime.engine.door import Door
from realtime.listening import Listening, listen
from realtime.observe import Figures
from realtime.process import COMFORTABLE_OPEN_FILES, new_event_loop, raise_open_files, settle
from realtime.vitals import Vitals
from storage.errors import StoreError
from storage.sqlite.store import SqliteStore

_CLOSE_S = 2.0
_KEEPALIVE_S = 75
"""How long an idle HTTP connection is kept: longer than proxies do, so that it is they who close it."""

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
    try:
        door_rules(settings)
    except SettingRefused as exc:
        raise StartRefused(str(exc), 2) from exc


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

    def __init__(self, app: App, runner: web.AppRunner, listening: Listening, vitals: Vitals, url: str) -> None:
        self.app = app
        self.url = url
        self.port = listening.port
        self._runner = runner
        self._listening = listening
        self._vitals = vitals

    @classmethod
    async def start(cls, settings: Settings, prepare: Prepare | None = None, *, reuse_port: bool = False) -> "Server":
        """Build, let `prepare` have the app, and listen, with `reuse_port` beside others. Raises StartRefused."""
        app = await open_app(settings)
        runner = web.AppRunner(app.web, access_log=None, keepalive_timeout=_KEEPALIVE_S, shutdown_timeout=_CLOSE_S)
        try:
            if prepare is not None:
                await prepare(app)
            await runner.setup()
            app.door.http = runner.server
            listening = await _listen(settings, app.door, reuse_port=reuse_port)
        except BaseException:
            await _close(app, runner)
            raise
        app.registry.register(Figures(app.hub, app.sockets.tally, app.door))
        vitals = Vitals(app.registry)
        vitals.start()
        own = f"http://{_reachable(settings.host)}:{listening.port}"
        return cls(app, runner, listening, vitals, settings.public_url or own)

    async def stop(self) -> None:
        """Drain, then close everything; what was acknowledged is stored, what is under way finishes."""
        await self._drain()  # still listening: who comes now is told why, and health checks are answered
        self._listening.close()
        await _close(self.app, self._runner)
        self._vitals.stop()

    async def _drain(self) -> None:
        settings, edge = self.app.settings, self.app.edge
        # a few people are gone in a moment; thousands come back spread out
        window_s = min(settings.drain_s / 2, 0.2 + len(self.app.hub.connections) / 500)
        started = asyncio.get_running_loop().time()
        for delay_s, connection in edge.drain(window_s):
            await asyncio.sleep(max(0.0, started + delay_s - asyncio.get_running_loop().time()))
            connection.link.close("draining")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.app.hub.empty.wait(), max(0.1, settings.drain_s - window_s))


async def _close(app: App, runner: web.AppRunner) -> None:
    await app.sockets.close()
    await runner.cleanup()
    app.door.close()
    await app.close()


async def _listen(settings: Settings, door: Door, *, reuse_port: bool) -> Listening:
    try:
        return await listen(door, settings.host, settings.port, reuse_port=reuse_port)
    except (OSError, UnicodeError) as exc:
        raise StartRefused(_cannot_listen(settings, exc)) from exc


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
    log = structlog.get_logger("realtime.lifecycle")
    files = raise_open_files()
    if files is not None and files < COMFORTABLE_OPEN_FILES:
        log.warning("few files may be open: each connection is one", open_files=files)
    server = await Server.start(settings, prepare)
    try:
        started(server)
        settle()
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
