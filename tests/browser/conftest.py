"""A browser, and a demo school to open in it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.process import Homeroom, serving
from tests.support.window import Window, Windows, chromium, links, windows

Enter = Callable[..., Awaitable[Window]]

SETTINGS = {"HOMEROOM_PRESENCE_GRACE_MS": "300", "HOMEROOM_LIMITS_HTTP_ANONYMOUS_PER_15_MINUTES": "100000"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for all tests of a module."""
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def school(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Homeroom]:
    """The demo school, for all tests of a module: each uses rooms of its own."""
    async with serving(tmp_path_factory.mktemp("school") / "data", command="demo", **SETTINGS) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def opened(browser: Browser) -> AsyncIterator[Windows]:
    """Windows without an error in the console, a failed request or a violated policy."""
    async with windows(browser) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def enter(opened: Windows, school: Homeroom) -> Enter:
    """Sign someone in: `await enter("ada")`, or right into a room: `await enter("ada", "Maths 7B")`."""

    async def enter(user_id: str, room: str | None = None, **options: object) -> Window:
        window = await opened.open((await links(school))[user_id], **options)
        if room is not None:
            await window.open_room(room)
        return window

    return enter
