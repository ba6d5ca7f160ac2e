"""How the web app looks and feels: on a phone, in the dark, by keyboard, and to a screen reader."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Enter
from tests.support.process import Homeroom
from tests.support.window import PHONE, Window, Windows

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
FOCUSED = "document.activeElement?.dataset.testid ?? document.activeElement?.tagName"


async def test_a_phone_shows_one_pane_at_a_time(enter: Enter) -> None:
    """List, then room, then back; nothing is wider than the screen, and what is touched is large enough."""
    ben = await enter("ben", **PHONE)
    await expect(ben.row("Maths 7B")).to_be_visible()
    await ben.picture("phone-list")
    await ben.row("Maths 7B").tap()
    await expect(ben.composer).to_be_visible()
    await expect(ben.row("Maths 7B")).not_to_be_visible()
    assert not await ben.page.evaluate(OVERFLOWS)
    await ben.composer.fill("From my phone")
    await ben.page.get_by_test_id("send").tap()
    await ben.shows("From my phone")
    await ben.picture("phone-room")
    await ben.message("From my phone").locator(".bubble").tap()
    await expect(ben.page.get_by_role("menuitem", name="Reply")).to_be_visible()
    await ben.picture("phone-menu")
    await ben.page.keyboard.press("Escape")
    await ben.page.get_by_test_id("back").tap()
    await expect(ben.row("Maths 7B")).to_be_visible()
    assert [] == await small_targets(ben)


async def small_targets(window: Window) -> list[str]:
    """Return the controls that are too small to touch: under 24 pixels (WCAG 2.2, 2.5.8)."""
    found: list[str] = await window.page.evaluate(
        """[...document.querySelectorAll("a, button, input, textarea")]
            .map((each) => [each, each.getBoundingClientRect()])
            .filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24))
            .map(([each]) => each.outerHTML.slice(0, 120))"""
    )
    return found


async def test_dark_follows_the_device_and_the_button(enter: Enter) -> None:
    """The dark theme comes with the device's setting, or by the button, which a reload does not forget."""
    dia = await enter("dia", "Maths 7B", color_scheme="dark")
    await expect(dia.page.locator("html")).to_have_attribute("data-theme", "dark")
    await dia.picture("dark")
    await dia.page.get_by_test_id("theme-toggle").click()
    await expect(dia.page.locator("html")).to_have_attribute("data-theme", "light")
    await dia.page.reload()
    await expect(dia.composer).to_be_visible()
    await expect(dia.page.locator("html")).to_have_attribute("data-theme", "light")


async def tab_to(window: Window, test_id: str) -> None:
    """Press Tab until a control has the focus."""
    for _ in range(60):
        if test_id == await window.page.evaluate(FOCUSED):
            return
        await window.page.keyboard.press("Tab")
    pytest.fail(f"Tab never reaches {test_id}")


async def test_everything_is_within_reach_of_the_keyboard(enter: Enter) -> None:
    """Find a room, write, edit, answer, look at the shortcuts and change rooms without a pointer."""
    chen = await enter("chen")
    await expect(chen.row("Mr Ito")).to_be_visible()
    keyboard = chen.page.keyboard
    await keyboard.press("Control+k")
    await expect(chen.page.get_by_test_id("palette-input")).to_be_focused()
    await keyboard.type("ito")
    await chen.picture("palette")
    await keyboard.press("Enter")
    await expect(chen.composer).to_be_visible()
    await tab_to(chen, "composer")
    await keyboard.type("Yes, I wold like to")
    await keyboard.press("Enter")
    await expect(chen.message("Yes, I wold like to").get_by_test_id("message-menu")).to_have_count(1)  # it is stored
    await keyboard.press("ArrowUp")
    await expect(chen.composer).to_have_value("Yes, I wold like to")
    await keyboard.press("Control+a")
    await keyboard.type("Yes, I would like to")
    await keyboard.press("Enter")
    await expect(chen.message("Yes, I would like to")).to_contain_text("edited")
    await keyboard.type("First line")
    await keyboard.press("Shift+Enter")
    await keyboard.type("second line")
    await expect(chen.composer).to_have_value("First line\nsecond line")
    await keyboard.press("Control+a")
    await keyboard.press("Delete")
    await keyboard.press("Alt+ArrowDown")
    await expect(chen.page.get_by_test_id("room-row").nth(1)).to_have_attribute("aria-current", "page")
    await expect(chen.row("Mr Ito")).not_to_contain_text("Draft")
    await tab_to(chen, "room-row")
    await keyboard.press("?")
    await expect(chen.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await chen.picture("shortcuts")
    await keyboard.press("Escape")
    await expect(chen.page.get_by_role("dialog")).to_have_count(0)


async def test_a_messages_menu_is_within_reach_of_the_keyboard(enter: Enter) -> None:
    """Tab reaches a message's actions; the menu takes the focus, arrows move in it, and Escape gives the focus back."""
    ada = await enter("ada", "Ben Okafor")
    await ada.composer.focus()
    for _ in range(3):
        await ada.page.keyboard.press("Shift+Tab")
        if "message-menu" == await ada.page.evaluate(FOCUSED):
            break
    await expect(ada.page.get_by_test_id("message-menu").last).to_be_focused()
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.get_by_role("menu")).to_be_visible()
    await ada.page.keyboard.press("ArrowDown")
    assert await ada.page.evaluate("document.activeElement.closest('[role=menu]') !== null")
    await ada.page.keyboard.press("Escape")
    await expect(ada.page.get_by_test_id("message-menu").last).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_bars_the_way(enter: Enter, scheme: str) -> None:
    """axe-core finds nothing serious in the room, its details, the dialogs and the menus, in both themes."""
    ada = await enter("ada", "Maths 7B", color_scheme=scheme)
    barriers = {"room": await ada.barriers()}
    await ada.button("Details").click()
    await expect(ada.page.get_by_role("complementary")).to_be_visible()
    barriers["details"] = await ada.barriers()
    await ada.picture(f"details-{scheme}")
    await ada.page.get_by_test_id("new-chat").click()
    await expect(ada.page.get_by_test_id("user-result").first).to_be_visible()
    barriers["new chat"] = await ada.barriers()
    await ada.picture(f"new-chat-{scheme}")
    await ada.page.keyboard.press("Escape")
    await ada.page.keyboard.press("Control+k")
    await expect(ada.page.get_by_test_id("palette-input")).to_be_visible()
    barriers["palette"] = await ada.barriers()
    await ada.page.keyboard.press("Escape")
    await ada.message("Challenge accepted").hover()
    await ada.message("Challenge accepted").get_by_test_id("message-menu").click()
    await expect(ada.page.get_by_role("menu")).to_be_visible()
    barriers["menu"] = await ada.barriers()
    await ada.picture(f"menu-{scheme}")
    assert {} == {where: found for where, found in barriers.items() if found}


async def test_the_sign_in_page_bars_nobody(opened: Windows, school: Homeroom) -> None:
    """axe-core finds nothing serious where people come in."""
    window = await opened.open(school.url)
    await expect(window.page.get_by_test_id("signin-token")).to_be_visible()
    assert [] == await window.barriers()


async def test_a_tablet_shows_two_panes(enter: Enter) -> None:
    """At 900 pixels the list and the room stand side by side."""
    hana = await enter("hana", "Physics project", viewport={"width": 900, "height": 700})
    await expect(hana.row("Maths 7B")).to_be_visible()
    assert not await hana.page.evaluate(OVERFLOWS)
    await hana.picture("tablet")
