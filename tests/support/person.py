"""Someone with a real Socket.IO client, who remembers every event."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import socketio

from core.ids import uuid7

Json = dict[str, Any]
PATIENCE_S = 10.0


class Refused(Exception):
    """The server refused the connection; `data` is what `connect_error` carried."""

    def __init__(self, data: Any) -> None:
        super().__init__(str(data))
        self.data = data


class Person:
    """A connected client."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.events: list[tuple[str, Any]] = []
        self.disconnected = asyncio.Event()
        self._client = socketio.AsyncClient(reconnection=False)
        self._news = asyncio.Condition()
        self._refusal: Any = None
        self._client.on("*", self._on_event)
        self._client.on("disconnect", self._on_disconnect)
        self._client.on("connect_error", self._on_refused)

    async def connect(self, url: str, token: str | None, *, transports: list[str] | None = None, **more: Any) -> None:
        """Connect and wait for `ready`. Raises Refused."""
        auth = {"token": token} if token is not None else None
        for namespace in more.get("namespaces", []):
            self._client.on("connect_error", self._on_refused, namespace=namespace)
        try:
            await self._client.connect(url, auth=auth, transports=transports or ["websocket"], **more)
        except socketio.exceptions.ConnectionError as exc:
            raise Refused(self._refusal) from exc
        await self.wait_for("ready")

    async def call(self, event: str, payload: Any) -> Json:
        """Send an event; return its ack envelope."""
        answer: Json = await self._client.call(event, payload, timeout=PATIENCE_S)
        return answer

    async def ok(self, event: str, payload: Any) -> Json:
        """Send an event; return the data of its ack, which must be ok."""
        envelope = await self.call(event, payload)
        assert envelope["ok"], envelope
        data: Json = envelope["data"]
        return data

    async def refused(self, event: str, payload: Any) -> Json:
        """Send an event; return the error of its ack, which must not be ok."""
        envelope = await self.call(event, payload)
        assert not envelope["ok"], envelope
        error: Json = envelope["error"]
        return error

    async def send(self, room_id: str, body: str, **more: Any) -> Json:
        """Send a message; return it as stored."""
        payload = {"room_id": room_id, "client_id": uuid7(), "body": body, **more}
        message: Json = (await self.ok("message:send", payload))["message"]
        return message

    async def emit(self, event: str, payload: Any) -> None:
        """Send an event without an ack id."""
        await self._client.emit(event, payload)

    def seen(self, event: str) -> list[Any]:
        """Return the payloads of an event so far."""
        return [payload for name, payload in self.events if name == event]

    async def wait_for(self, event: str, when: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the first payload of an event, past or to come, that fits."""

        def found() -> list[Any]:
            return [payload for payload in self.seen(event) if when(payload)]

        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: bool(found())), PATIENCE_S)
        return found()[0]

    async def settle(self) -> None:
        """Wait until everything that the server sent before now has arrived."""
        await self.call("presence:unwatch", {"user_ids": []})

    async def leave(self) -> None:
        """Disconnect."""
        await self._client.disconnect()

    async def _on_event(self, event: str, payload: Any = None) -> None:
        async with self._news:
            self.events.append((event, payload))
            self._news.notify_all()

    async def _on_disconnect(self, *_: Any) -> None:
        self.disconnected.set()

    async def _on_refused(self, data: Any) -> None:
        self._refusal = data


@asynccontextmanager
async def connected(url: str, user_id: str, token: str, **more: Any) -> AsyncIterator[Person]:
    """Connect someone for the length of a block."""
    person = Person(user_id)
    await person.connect(url, token, **more)
    try:
        yield person
    finally:
        await person.leave()
