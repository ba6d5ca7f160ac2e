"""A running server and people who talk to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from realtime.lifecycle import Server
from tests.support.person import Person, connected
from tests.support.server import running, token

Join = Callable[..., Awaitable[Person]]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A server with default settings and lifted rate limits."""
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
async def join(server: Server) -> AsyncIterator[Join]:
    """Connect people to the server: `await join("ada")`, `await join("ms-rao", "teacher")`."""
    async with AsyncExitStack() as stack:

        async def connect(user_id: str, role: str = "student", **more: object) -> Person:
            return await stack.enter_async_context(connected(server.url, user_id, token(server, user_id, role), **more))

        yield connect
