"""Take the pictures in docs/images: `make screenshots`.

Ada, Ms Rao and Ben of the demo school chat, each in a browser of their own; the pictures are of what Ada sees. Then the
load tester plays an evening on the same server, for the picture of its report.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs/images"
EVENING = ("--scale", "0.1", "--ramp", "15s", "--duration", "60s")
CHROMIUM_ARGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@contextmanager
def demo_school(data_dir: Path) -> Iterator[dict[str, str]]:
    """Run the demo school on a free port; yield the sign-in link of each person by id."""
    command = [sys.executable, "-m", "realtime.cli", "demo", "--port", "0", "--data-dir", str(data_dir)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "HOMEROOM_LOG_LEVEL": "warning"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield _links(server)
        finally:
            server.terminate()


def _links(server: "subprocess.Popen[str]") -> dict[str, str]:
    text = ""
    for line in server.stdout or ():
        text += line
        if "Ctrl-C" in line:
            return dict(re.findall(r"(\S+)\n\s+(http\S+)", text))
    sys.exit("The demo school did not start.")


def enter(browser: Browser, link: str, room: str = "Maths 7B", *, phone: bool = False) -> Page:
    """Sign in with a link and open a room."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 800},
        device_scale_factor=2 if phone else 1,
        is_mobile=phone,
        has_touch=phone,
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(link)
    page.get_by_test_id("room-row").filter(has_text=room).click()
    expect(page.get_by_test_id("message").last).to_be_visible()
    return page


def say(page: Page, text: str) -> None:
    """Send a message."""
    page.get_by_test_id("composer").fill(text)
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("composer")).to_have_value("")


def shown(page: Page, text: str) -> Locator:
    """Wait until the page shows a message with `text`, and return it."""
    message = page.get_by_test_id("message").filter(has_text=text).last
    expect(message).to_be_visible()
    return message


def react(page: Page, text: str, emoji: str) -> None:
    """Give a reaction to the message with `text`."""
    message = shown(page, text)
    message.hover()
    message.get_by_test_id("message-menu").click()
    page.locator(f'[data-testid="reaction-choice"][data-emoji="{emoji}"]').click()


def chat(ada: Page, rao: Page) -> None:
    """Have a conversation worth a picture."""
    say(ada, "Does the star exercise count for the project, Ms Rao?")
    shown(rao, "star exercise count")
    say(rao, "It does! A hint for it: $$\\frac{3}{4} = \\frac{6}{8}$$, so look for a **common bottom** first.")
    shown(ada, "common bottom")
    say(ada, "Oh, that makes it easy. Thank you! 🙏")
    react(ada, "common bottom", "👍")
    react(rao, "that makes it easy", "❤️")
    expect(shown(ada, "that makes it easy").get_by_test_id("reaction")).to_be_visible()


def take(ada: Page, rao: Page, name: str) -> None:
    """Take a picture of what Ada sees while Ms Rao is writing."""
    composer = rao.get_by_test_id("composer")
    composer.fill("")
    composer.press_sequentially("See you at four, and bring two colours", delay=150)
    expect(ada.get_by_test_id("typing-line")).to_contain_text("Rao")
    ada.mouse.move(0, 0)
    ada.evaluate("document.fonts.ready")
    ada.screenshot(path=IMAGES / name)
    print(f"docs/images/{name}")


def evening(data_dir: Path, url: str) -> Path:
    """Play a small evening on the school; return the report."""
    report = data_dir / "report.html"
    command = [sys.executable, "-m", "realtime.cli", "loadtest", "evening", "--url", url, *EVENING]
    files = ["--html", str(report), "--json", str(data_dir / "report.json")]
    environment = {**os.environ, "HOMEROOM_DATA_DIR": str(data_dir)}
    subprocess.run([*command, *files], cwd=ROOT, env=environment, check=True)
    return report


def take_report(browser: Browser, report: Path) -> None:
    """Take a picture of the top of a load tester's report."""
    page = browser.new_page(viewport={"width": 1280, "height": 1700})
    page.goto(report.as_uri())
    page.screenshot(path=IMAGES / "loadtest-report.png")
    print("docs/images/loadtest-report.png")


def main() -> None:
    """Write chat.png, chat-dark.png, chat-phone.png and loadtest-report.png."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        demo_school(Path(folder)) as links,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        rao = enter(browser, links["ms-rao"])
        ada = enter(browser, links["ada"])
        chat(ada, rao)
        say(enter(browser, links["ben"], room="Ada Novak"), "our bridge held 2 kg!! 🎉")
        ada.get_by_role("button", name="Details").click()
        take(ada, rao, "chat.png")
        ada.emulate_media(color_scheme="dark")
        take(ada, rao, "chat-dark.png")
        take(enter(browser, links["ada"], phone=True), rao, "chat-phone.png")
        take_report(browser, evening(Path(folder), links["ada"].partition("/#")[0]))
        browser.close()


if __name__ == "__main__":
    main()
