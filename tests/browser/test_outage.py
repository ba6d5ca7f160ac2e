"""The server goes away under the web app, and comes back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.conftest import SETTINGS
from tests.support.person import connected
from tests.support.process import Homeroom, serving
from tests.support.window import OUTAGE, Window, Windows, links, windows

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LINES = 12
SENT = ("sent", "delivered", "read")


@pytest_asyncio.fixture(loop_scope="module")
async def own_school(tmp_path: Path) -> AsyncIterator[Homeroom]:
    """A demo school that may be killed."""
    async with serving(tmp_path / "data", command="demo", **SETTINGS) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def opened(browser: Browser) -> AsyncIterator[Windows]:
    """Windows that may find the server gone."""
    async with windows(browser, OUTAGE) as opened:
        yield opened


async def bodies(school: Homeroom, user_id: str, title: str) -> list[str]:
    """Return the texts of a direct room as the server has them."""
    async with connected(school.url, user_id, school.token(user_id)) as person:
        rooms = (await person.ok("room:list", {}))["rooms"]
        room_id = next(room["id"] for room in rooms if title == room["title"])
        page = await person.ok("message:history", {"room_id": room_id, "limit": 100})
        return [message["body"] for message in page["messages"]]


async def both(school: Homeroom, opened: Windows) -> tuple[Window, Window]:
    """Open the room of Ada and Ms Rao on both sides."""
    addresses = await links(school)
    ada, rao = [await opened.open(addresses[user_id]) for user_id in ("ada", "ms-rao")]
    await ada.open_room("Ms Rao")
    await rao.open_room("Ada Novak")
    return ada, rao


async def test_a_crash_amid_sending_loses_and_doubles_nothing(own_school: Homeroom, opened: Windows) -> None:
    """kill -9 while both write: both come back by themselves, what waited goes out once, in order, on both sides."""
    ada, rao = await both(own_school, opened)
    mine = [f"ada says {number}." for number in range(LINES)]
    theirs = [f"rao says {number}." for number in range(LINES)]

    async def write(window: Window, lines: list[str]) -> None:
        for line in lines:
            await window.say(line)

    writing = asyncio.gather(write(ada, mine), write(rao, theirs))
    await ada.shows("rao says 3.")
    await own_school.kill()
    await writing
    await ada.state(mine[-1], "sending")
    for window in (ada, rao):
        await expect(window.banner).to_contain_text("waiting")
    await ada.picture("reconnecting")
    await own_school.start()
    for window, lines in ((ada, mine), (rao, theirs)):
        await window.state(lines[-1], *SENT)
    await ada.shows(*theirs[-3:])
    await rao.shows(*mine[-3:])
    await expect(ada.page.locator('[data-state="sending"], [data-state="failed"]')).to_have_count(0)
    await expect(ada.banner).to_have_count(0)
    stored = [body for body in await bodies(own_school, "ada", "Ms Rao") if " says " in body]
    assert mine == [body for body in stored if body.startswith("ada")]
    assert theirs == [body for body in stored if body.startswith("rao")]
    assert stored[-8:] == await said(ada) == await said(rao)


async def said(window: Window) -> list[str]:
    """Return the last eight texts that a window shows."""
    texts = await window.page.locator('[data-testid="message"] .bubble p').all_inner_texts()
    return [text.strip() for text in texts][-8:]


async def test_what_waits_survives_the_page(own_school: Homeroom, opened: Windows) -> None:
    """Messages written while the server is away, in a tab that is then closed, go out once when the app opens again."""
    ada, rao = await both(own_school, opened)
    await own_school.kill()
    for text in ("Written in the dark", "And one more"):
        await ada.say(text)
        await ada.state(text, "sending")
    address, profile = ada.page.url, ada.page.context
    await ada.page.close()
    await own_school.start()
    again = await opened.open_in(profile, address)
    for window in (again, rao):
        await window.shows("Written in the dark", "And one more")
    await again.state("And one more", *SENT)
    assert ["Written in the dark", "And one more"] == (await bodies(own_school, "ada", "Ms Rao"))[-2:]


async def test_a_reload_keeps_what_waits(own_school: Homeroom, opened: Windows) -> None:
    """A message that was on its way when the page was reloaded is sent once."""
    ada, rao = await both(own_school, opened)
    for number in range(5):
        await ada.composer.fill(f"before the reload {number}")
        await ada.composer.press("Enter")
    await ada.page.reload()
    await ada.state("before the reload 4", *SENT)
    await rao.shows(*(f"before the reload {number}" for number in range(5)))
    stored = await bodies(own_school, "ada", "Ms Rao")
    assert [f"before the reload {number}" for number in range(5)] == stored[-5:]


async def test_an_orderly_stop_is_hardly_seen(own_school: Homeroom, opened: Windows) -> None:
    """A restart for a new version: the windows come back, and what is written meanwhile arrives."""
    ada, rao = await both(own_school, opened)
    await own_school.stop()
    await ada.say("Written during the update")
    await own_school.start()
    await rao.shows("Written during the update")
    await ada.state("Written during the update", *SENT)
