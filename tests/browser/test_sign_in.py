"""Ways into the web app, and out of it."""

from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Enter
from tests.support.process import Homeroom
from tests.support.window import REFUSAL, Windows, links, windows

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_link_signs_in_and_leaves_no_token_in_the_address(enter: Enter) -> None:
    """The demo school's link leads to the rooms; the token is gone from the address and the history."""
    fay = await enter("fay")
    await expect(fay.row("Maths 7B")).to_be_visible()
    assert "token" not in fay.page.url
    await fay.page.reload()
    await expect(fay.row("Maths 7B")).to_be_visible()


@pytest.mark.parametrize("pasted", ["token", "link"])
async def test_a_pasted_token_signs_in(opened: Windows, school: Homeroom, pasted: str) -> None:
    """Without a link there is a page to paste a token, or the whole link, into."""
    window = await opened.open(school.url)
    await expect(window.page.get_by_test_id("signin-submit")).to_be_disabled()
    await window.picture("sign-in")
    token = school.token("hana")
    await window.page.get_by_test_id("signin-token").fill(
        token if pasted == "token" else f"{school.url}/#token={token}"
    )
    await window.page.get_by_test_id("signin-submit").click()
    await expect(window.row("Maths 7B")).to_be_visible()


async def test_what_is_no_token_is_refused_in_words(opened: Windows, school: Homeroom) -> None:
    """Something else pasted by mistake gets a sentence that says what to do."""
    window = await opened.open(school.url)
    await window.page.get_by_test_id("signin-token").fill("my homework")
    await window.page.get_by_test_id("signin-submit").click()
    await expect(window.page.get_by_role("alert").first).to_contain_text("Copy all of it")


async def test_an_expired_token_leads_to_the_sign_in_page(opened: Windows, school: Homeroom) -> None:
    """A link that is too old says so, and asks for a new one."""
    old = school.token("ada", ttl=timedelta(minutes=5), age=timedelta(hours=2))
    window = await opened.open(f"{school.url}/#token={old}")
    await expect(window.page.get_by_test_id("signin-token")).to_be_visible()
    await expect(window.page.get_by_role("alert").first).to_contain_text("This sign-in has ended")
    await window.picture("expired")


async def test_a_forged_token_leads_to_the_sign_in_page(browser: Browser, school: Homeroom) -> None:
    """A token with a broken signature shows nothing of the school."""
    head, claims, signature = school.token("ada").split(".")
    async with windows(browser, REFUSAL) as opened:
        window = await opened.open(f"{school.url}/#token={head}.{claims}.{signature[::-1]}")
        await expect(window.page.get_by_test_id("signin-token")).to_be_visible()
        await expect(window.page.get_by_test_id("room-row")).to_have_count(0)


async def test_signing_out_forgets_the_token(enter: Enter) -> None:
    """After signing out, a reload does not bring one back in, and nothing of the token is kept."""
    gus = await enter("gus")
    await gus.page.get_by_test_id("profile-menu").click()
    await gus.button("Sign out").click()
    await expect(gus.page.get_by_test_id("signin-token")).to_be_visible()
    await gus.page.reload()
    await expect(gus.page.get_by_test_id("signin-token")).to_be_visible()
    assert "eyJ" not in await gus.page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")


async def test_a_session_that_ends_says_so(browser: Browser, school: Homeroom) -> None:
    """When the token ends while the window is open, the sign-in page says why, and a new token leads back."""
    async with windows(browser, REFUSAL) as opened:
        window = await opened.open(f"{school.url}/#token={school.token('eli', ttl=timedelta(seconds=8))}")
        await expect(window.row("Maths 7B")).to_be_visible()
        await expect(window.page.get_by_test_id("signin-token")).to_be_visible(timeout=25_000)
        await expect(window.page.get_by_role("alert").first).to_contain_text("This sign-in has ended")
        await window.page.get_by_test_id("signin-token").fill((await links(school))["eli"])
        await window.page.get_by_test_id("signin-submit").click()
        await expect(window.row("Maths 7B")).to_be_visible()
