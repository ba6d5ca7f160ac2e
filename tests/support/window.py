"""A browser window in which someone uses the web app."""

import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    async_playwright,
    expect,
)

from tests.support.process import Homeroom

ROOT = Path(__file__).resolve().parent.parent.parent
ARTIFACTS = ROOT / "artifacts/browser"
AXE = ROOT / "tests/integration/js/node_modules/axe-core/axe.min.js"
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PATIENCE_MS = 15_000
WIDE = {"width": 1280, "height": 800}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
OUTAGE = re.compile(r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to")
"""What a browser reports of a server that is gone, whatever the page does about it."""
REFUSAL = re.compile(r"401")
"""What a browser reports of a token that the server does not accept."""
NOTHING = re.compile(r"(?!)")

expect.set_options(timeout=PATIENCE_MS)


def _check_installed() -> None:
    if not CHROMIUM.exists():
        pytest.fail(f"The browser tests need {CHROMIUM} (Debian: apt install chromium).")
    if not (ROOT / "web/dist/index.html").exists():
        pytest.fail("The web app is not built: run `make web`.")
    if not AXE.exists():
        pytest.fail("axe-core is not installed: run `npm ci` in tests/integration/js, or `make test`.")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a browser for the length of a block."""
    _check_installed()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        try:
            yield browser
        finally:
            await browser.close()


async def links(school: Homeroom) -> dict[str, str]:
    """Return the sign-in links that the demo school has printed, by person."""
    await school.says("Ctrl-C")
    return dict(re.findall(r"(\S+)\n\s+(http\S+)", school.printed))


class Window:
    """One person's window. Takes note of everything that a developer would see in red."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("requestfailed", self._on_failed)
        page.on("response", self._on_response)
        page.set_default_timeout(PATIENCE_MS)

    @property
    def composer(self) -> Locator:
        """Where one writes."""
        return self.page.get_by_test_id("composer")

    @property
    def banner(self) -> Locator:
        """What is said about the connection."""
        return self.page.get_by_test_id("connection-banner")

    def row(self, title: str) -> Locator:
        """A room in the list."""
        return self.page.get_by_test_id("room-row").filter(has=self.page.get_by_text(title, exact=True))

    def message(self, text: str) -> Locator:
        """The messages that show `text`."""
        return self.page.get_by_test_id("message").filter(has_text=text)

    def button(self, name: str) -> Locator:
        """A button or an entry of a menu, by its name."""
        return self.page.locator(f'button[aria-label="{name}"], button:has-text("{name}")').first

    async def open_room(self, title: str) -> None:
        """Show a room, and wait until its messages are there."""
        await self.row(title).click()
        await expect(self.composer).to_be_visible()
        await expect(self.page.get_by_test_id("message").last).to_be_visible()

    async def say(self, text: str) -> None:
        """Write a message and press Enter."""
        await self.composer.fill(text)
        await self.composer.press("Enter")
        await expect(self.composer).to_have_value("")

    async def shows(self, *texts: str) -> None:
        """Wait until each of the texts is shown, in one message each."""
        for text in texts:
            await expect(self.message(text)).to_have_count(1)

    async def state(self, text: str, *states: str) -> None:
        """Wait until a message is in one of the states, such as `read`."""
        await expect(self.message(text)).to_have_attribute("data-state", re.compile("|".join(states)))

    async def menu(self, text: str, *entries: str) -> None:
        """Open a message's menu and choose from it."""
        await self.message(text).hover()
        await self.message(text).get_by_test_id("message-menu").click()
        for entry in entries:
            await self.page.get_by_role("menuitem", name=entry).click()

    async def picture(self, name: str) -> None:
        """Save what the window shows in artifacts/browser."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        await self.page.evaluate("document.fonts.ready")
        await self.page.screenshot(path=ARTIFACTS / f"{name}.png")

    async def barriers(self) -> list[str]:
        """Return what axe-core finds seriously wrong for people with disabilities."""
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [_barrier(one) for one in found["violations"] if one["impact"] in {"serious", "critical"}]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"console: {message.text}")

    def _on_failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left
            self.problems.append(f"failed: {request.method} {request.url} {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")


def _barrier(violation: dict[str, Any]) -> str:
    nodes = [(node["target"], node.get("failureSummary", "")) for node in violation["nodes"][:4]]
    return f"{violation['id']}: {violation['help']} {json.dumps(nodes)}"


class Windows:
    """Opens windows, and at the end checks that nothing went wrong in any of them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._opened: list[Window] = []

    async def open(self, url: str, **options: Any) -> Window:
        """Open an address in a profile of its own."""
        options = {"viewport": WIDE, "locale": "en-GB", "reduced_motion": "reduce", **options}
        context = await self._browser.new_context(**options)
        self._contexts.append(context)
        return await self.open_in(context, url)

    async def open_in(self, context: BrowserContext, url: str) -> Window:
        """Open an address in one more tab of a profile."""
        window = Window(await context.new_page())
        self._opened.append(window)
        await window.page.goto(url)
        return window

    async def close(self, allowed: re.Pattern[str]) -> None:
        """Close all; nothing may have gone wrong in them but what is allowed."""
        for context in self._contexts:
            await context.close()
        problems = [problem for window in self._opened for problem in window.problems]
        problems = [problem for problem in problems if not allowed.search(problem)]
        assert not problems, "\n".join(problems)


@asynccontextmanager
async def windows(browser: Browser, allowed: re.Pattern[str] = NOTHING) -> AsyncIterator[Windows]:
    """Open windows for the length of a block. Problems that match `allowed` are part of the test."""
    opened = Windows(browser)
    try:
        yield opened
    except BaseException:
        await _last_pictures(opened)
        raise
    finally:
        await opened.close(allowed)


async def _last_pictures(opened: Windows) -> None:
    test = os.environ.get("PYTEST_CURRENT_TEST", "test").split("::")[-1].split(" ")[0]
    for number, window in enumerate(opened._opened):
        if not window.page.is_closed():
            await window.picture(f"failed-{re.sub(r'[^a-z0-9_]+', '-', test)}-{number}")
