"""A built server without a network."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from realtime.app import App
from tests.support.desk import opened


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """Everything that a server has but the sockets."""
    async with opened(tmp_path) as app:
        yield app
