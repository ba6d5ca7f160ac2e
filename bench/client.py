"""A light Socket.IO client: text frames over a websocket, and the time at which each arrives."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson

from bench.process import token_of

Json = dict[str, Any]
Acked = Callable[[float], None]


class Client:
    """One connection. `on_message` hears of every `message:new` by its client id; nothing else is parsed."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.on_message: Callable[[str, float], None] | None = None
        self._acks: dict[int, Callable[[float, str], None]] = {}
        self._next_ack = 0
        self._reader: asyncio.Task[None] | None = None

    async def connect(self, http: aiohttp.ClientSession, url: str) -> None:
        """Connect, sign in and start to read."""
        address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        self._socket = await http.ws_connect(address, max_msg_size=0, compress=0)
        await self._socket.receive_str()
        await self._socket.send_str(f'40{{"token":"{token_of(self.user_id)}"}}')
        answer = await self._socket.receive_str()
        assert answer.startswith("40"), answer
        self._reader = asyncio.ensure_future(self._read())

    async def close(self) -> None:
        """Disconnect."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()

    async def call(self, event: str, payload: Json) -> Json:
        """Send an event; return the data of its ack."""
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await self._send(event, payload, lambda _, text: answered.set_result(text))
        text = await asyncio.wait_for(answered, 30)
        (envelope,) = orjson.loads(text[text.index("[") :])
        assert envelope["ok"], envelope
        data: Json = envelope["data"]
        return data

    async def say(self, room_id: str, client_id: str, acked: Acked) -> None:
        """Send a message of usual length; `acked` hears when it is stored."""
        body = "Does anyone have the answer to question four? I got 42."
        payload = {"room_id": room_id, "client_id": client_id, "body": body}

        def take(at: float, text: str) -> None:
            assert '{"ok":true' in text, text
            acked(at)

        await self._send("message:send", payload, take)

    async def say_and_wait(self, room_id: str, client_id: str) -> float:
        """Send a message; return the time at which its ack came."""
        answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        await self.say(room_id, client_id, answered.set_result)
        return await answered

    async def _send(self, event: str, payload: Json, take: Callable[[float, str], None]) -> None:
        self._next_ack += 1
        self._acks[self._next_ack] = take
        await self._socket.send_str(f"42{self._next_ack}" + orjson.dumps([event, payload]).decode())

    async def _read(self) -> None:
        async for message in self._socket:
            text, now = message.data, time.perf_counter()
            if text.startswith("43"):
                self._acks.pop(int(text[2 : text.index("[")]))(now, text)
            elif text == "2":
                await self._socket.send_str("3")
            elif self.on_message is not None and text.startswith('42["message:new"'):
                start = text.index('"client_id":"') + 13
                self.on_message(text[start : text.index('"', start)], now)
