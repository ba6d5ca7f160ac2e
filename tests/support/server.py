"""A real server in the test's own loop, on a free port, with a real store in a temporary directory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from auth.types import Role, User
from core.ids import UserId
from realtime.config import Limits, Settings
from realtime.lifecycle import Server

HOUR = timedelta(hours=1)
LIFTED = {"events_per_s": 10_000, "events_burst": 10_000, "messages_per_s": 10_000, "messages_burst": 10_000}
"""Limits for tests that are not about limits."""


def settings_for(data_dir: Path, limits: dict[str, Any] | None = None, **values: Any) -> Settings:
    """Return settings of a server for a test; the environment does not matter."""
    values = {"drain_s": 1.0, "presence_grace_ms": 150, **values}
    return Settings(host="127.0.0.1", port=0, data_dir=data_dir, limits=Limits(**(LIFTED | (limits or {}))), **values)


@asynccontextmanager
async def running(data_dir: Path, limits: dict[str, Any] | None = None, **values: Any) -> AsyncIterator[Server]:
    """Run a server for the length of a block."""
    server = await Server.start(settings_for(data_dir, limits, **values))
    try:
        yield server
    finally:
        await server.stop()


def user(user_id: str, role: str = "student", name: str | None = None) -> User:
    """Return a user value."""
    return User(UserId(user_id), name or user_id.title(), Role(role))


def token(server: Server, user_id: str, role: str = "student", *, ttl: timedelta = HOUR) -> str:
    """Return an access token of this server."""
    access, _ = server.app.minter.mint(user(user_id, role), ttl)
    return access
