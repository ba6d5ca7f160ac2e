"""People who use the official JavaScript client, in a Node process that does as it is told."""

import asyncio
import base64
import itertools
import json
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.person import PATIENCE_S, Json, Refused

TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": ["polling", "websocket"]}
"""What the client may use, by the name of the mode, in its order of preference."""
PACKAGE = Path(__file__).resolve().parent.parent / "integration/js"
LINE_BYTES = 16 * 1024 * 1024


def as_bytes(data: bytes) -> Json:
    """Return what the driver turns into a Buffer."""
    return {"$bytes": base64.b64encode(data).decode()}


class JsPerson:
    """A socket of the official client. Remembers everything that happens to it, in order."""

    def __init__(self, driver: "Driver", name: str, user_id: str) -> None:
        self.user_id = user_id
        self.happened: list[tuple[str, Any]] = []
        self._driver = driver
        self._name = name
        self._news = asyncio.Condition()

    @property
    def events(self) -> list[tuple[str, list[Any]]]:
        """All events so far, with their arguments."""
        return [data for what, data in self.happened if what == "event"]

    def seen(self, event: str) -> list[Any]:
        """Return the payloads of an event so far."""
        return [arguments[0] for name, arguments in self.events if name == event]

    def was(self, what: str) -> list[Any]:
        """Return what came with each `connect`, `disconnect`, `connect_error`, `transport` or `reconnect` so far."""
        return [data for name, data in self.happened if name == what]

    async def until(self, fits: Callable[[], bool]) -> None:
        """Wait until something that happens makes `fits` true."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(fits), PATIENCE_S)

    async def wait_for(self, event: str, when: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the first payload of an event, past or to come, that fits."""
        await self.until(lambda: any(map(when, self.seen(event))))
        return next(filter(when, self.seen(event)))

    async def is_ready(self, *, times: int) -> None:
        """Wait until the server has said `ready` so often."""
        await self.until(lambda: len(self.seen("ready")) == times)

    async def has_used(self, transports: list[str]) -> None:
        """Wait until the connection has gone through these transports."""
        await self.until(lambda: self.was("transport") == transports)

    async def open(self, url: str, **options: Any) -> None:
        """Make the socket, which connects by itself."""
        await self._driver.tell(do="open", socket=self._name, url=url, options=options)

    async def admitted(self) -> None:
        """Wait for the first `connect`. Raises Refused for `connect_error`, with its `data`."""
        await self.until(lambda: bool(self.was("connect") or self.was("connect_error")))
        if not self.was("connect"):
            raise Refused(self.was("connect_error")[0]["data"])

    async def connect(self) -> None:
        """Connect again after the server ended the connection."""
        await self._driver.tell(do="connect", socket=self._name)

    async def call(self, event: str, *arguments: Any) -> Json:
        """Send an event; return its ack envelope."""
        (envelope,) = await self.burst([(event, *arguments)])
        return envelope

    async def burst(self, calls: Sequence[Sequence[Any]]) -> list[Json]:
        """Send many events in one turn of the client's loop; return their ack envelopes."""
        ids = [next(self._driver.ids) for _ in calls]
        commands = [{"id": id_, "event": call[0], "args": call[1:]} for id_, call in zip(ids, calls, strict=True)]
        await self._driver.tell(do="burst", socket=self._name, calls=commands)
        acks = self._driver.acks
        await self.until(lambda: all(id_ in acks for id_ in ids))
        answers = [acks.pop(id_) for id_ in ids]
        assert all(len(answer) == 1 for answer in answers), answers
        return [answer[0] for answer in answers]

    async def ok(self, event: str, payload: Any) -> Json:
        """Send an event; return the data of its ack, which must be ok."""
        envelope = await self.call(event, payload)
        assert envelope["ok"], envelope
        data: Json = envelope["data"]
        return data

    async def refused(self, event: str, *arguments: Any) -> Json:
        """Send an event; return the error of its ack, which must not be ok."""
        envelope = await self.call(event, *arguments)
        assert not envelope["ok"], envelope
        error: Json = envelope["error"]
        return error

    async def send(self, room_id: str, body: str, **more: Any) -> Json:
        """Send a message; return it as stored."""
        payload = {"room_id": room_id, "client_id": f"{self.user_id}-{body}", "body": body, **more}
        message: Json = (await self.ok("message:send", payload))["message"]
        return message

    async def emit(self, event: str, *arguments: Any) -> None:
        """Send an event without an ack id."""
        await self._driver.tell(do="emit", socket=self._name, event=event, args=arguments)

    async def settle(self) -> None:
        """Wait until everything that the server sent before now has arrived."""
        await self.call("presence:unwatch", {"user_ids": []})

    async def leave(self) -> None:
        """Disconnect."""
        await self._driver.tell(do="close", socket=self._name)

    async def happen(self, what: str, data: Any) -> None:
        """Take note of what the driver reports."""
        async with self._news:
            self.happened.append((what, data))
            self._news.notify_all()


class Driver:
    """The Node process: `tests/integration/js/driver.mjs`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.ids = itertools.count(1)
        self.acks: dict[int, list[Any]] = {}
        self._process = process
        self._people: dict[str, JsPerson] = {}

    def person(self, user_id: str) -> JsPerson:
        """Return a new person, whose socket is not made yet."""
        name = f"{user_id}#{len(self._people)}"
        self._people[name] = JsPerson(self, name, user_id)
        return self._people[name]

    async def tell(self, **command: Any) -> None:
        """Give a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def listen(self) -> None:
        """Take note of what happens until the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            news = json.loads(line)
            what, data = news["what"], news.get("data")
            if what == "ack":
                self.acks[news["id"]] = news["answer"]
            elif what == "event":
                data = (news["event"], news["args"])
            await self._people[news["socket"]].happen(what, data)


@asynccontextmanager
async def driving() -> AsyncIterator[Driver]:
    """Run the driver for the length of a block."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("The tests of the JavaScript client need Node 20 or newer (Debian: apt install nodejs npm).")
    if not (PACKAGE / "node_modules/socket.io-client").is_dir():
        pytest.fail("The JavaScript client is not installed: run `npm ci` in tests/integration/js, or `make test`.")
    process = await asyncio.create_subprocess_exec(
        node, "driver.mjs", cwd=PACKAGE, stdin=PIPE, stdout=PIPE, limit=LINE_BYTES
    )
    driver = Driver(process)
    listening = asyncio.ensure_future(driver.listen())
    try:
        yield driver
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), PATIENCE_S)
        await listening
