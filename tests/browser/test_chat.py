"""Two people chat in the web app, each in a window of their own."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Enter

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_two_people_chat(enter: Enter) -> None:
    """Messages go both ways at once; the sender's ticks turn to read when the other has seen them."""
    ada, rao = await enter("ada", "Ms Rao"), await enter("ms-rao", "Ada Novak")
    await ada.say("Good morning, Ms Rao")
    await rao.shows("Good morning, Ms Rao")
    await rao.say("Good morning, Ada")
    await ada.shows("Good morning, Ada")
    for window, text in ((ada, "Good morning, Ms Rao"), (rao, "Good morning, Ada")):
        await window.page.bring_to_front()
        await window.state(text, "sent", "delivered", "read")
    await rao.page.bring_to_front()
    await ada.state("Good morning, Ms Rao", "read")
    await ada.picture("chat")


async def test_an_unread_message_is_counted_and_then_read(enter: Enter) -> None:
    """A message in a room that is not open raises its badge and stays unread; opening the room clears both."""
    ben, ito = await enter("ben", "Physics project"), await enter("mr-ito")
    await ben.say("The bridge holds!")
    await ben.say("Two kilograms")
    badge = ito.row("Physics project").get_by_test_id("unread-badge")
    await expect(badge).to_have_text("2")
    await expect(ito.page).to_have_title("(2) Homeroom")
    await ben.state("Two kilograms", "sent", "delivered")
    await ito.picture("unread")
    await ito.open_room("Physics project")
    await ito.shows("The bridge holds!", "Two kilograms")
    await expect(badge).to_have_count(0)


async def test_writing_is_shown_while_it_lasts(enter: Enter) -> None:
    """The other side sees who is typing, and no longer does once the message is there."""
    ada, ben = await enter("ada", "Ben Okafor"), await enter("ben", "Ada Novak")
    await ada.composer.press_sequentially("Are you com")
    await expect(ben.page.get_by_test_id("typing-line")).to_have_text("Ada Novak is typing")
    await ben.picture("typing")
    await ada.composer.press("Enter")
    await ben.shows("Are you com")
    await expect(ben.page.get_by_test_id("typing-line")).to_have_text("")


async def test_writing_ends_when_the_text_is_taken_back(enter: Enter) -> None:
    """Who deletes what they wrote is not typing any more."""
    chen, ito = await enter("chen", "Mr Ito"), await enter("mr-ito", "Chen Wei")
    await ito.composer.press_sequentially("Hm")
    await expect(chen.page.get_by_test_id("typing-line")).to_contain_text("Mr Ito")
    await ito.composer.fill("")
    await expect(chen.page.get_by_test_id("typing-line")).to_have_text("")


async def test_a_dot_says_who_is_there(enter: Enter) -> None:
    """Someone's dot turns green when they come, and grey when they have closed the window."""
    ito = await enter("mr-ito", "Chen Wei")
    dot = ito.row("Chen Wei").locator(".dot")
    await expect(dot).to_have_attribute("title", "Offline")
    chen = await enter("chen")
    await expect(dot).to_have_attribute("title", "Online")
    await chen.page.close()
    await expect(dot).to_have_attribute("title", "Offline")


async def test_reply_react_edit_and_delete(enter: Enter) -> None:
    """What one side does to a message, the other side sees."""
    ada, ben = await enter("ada", "Ben Okafor"), await enter("ben", "Ada Novak")
    await ada.say("Wich page is it?")
    await ben.shows("Wich page is it?")

    await ben.menu("Wich page is it?", "Reply")
    await ben.say("Page forty-two")
    await expect(ada.message("Page forty-two").locator(".quote")).to_contain_text("Wich page is it?")

    await ben.message("Wich page is it?").first.hover()
    await ben.message("Wich page is it?").first.get_by_test_id("message-menu").click()
    await ben.page.locator('[data-testid="reaction-choice"][data-emoji="👍"]').click()
    reaction = ada.message("Wich page is it?").first.get_by_test_id("reaction")
    await expect(reaction).to_have_attribute("data-emoji", "👍")
    await reaction.click()
    await expect(ben.message("Wich page is it?").first.get_by_test_id("reaction")).to_contain_text("2")
    await ada.picture("reply-reaction")

    await ben.menu("Page forty-two", "Edit")
    await expect(ben.composer).to_have_value("Page forty-two")
    await ben.say("Page forty-three")
    await expect(ada.message("Page forty-three")).to_contain_text("edited")

    await ben.menu("Page forty-three", "Delete", "Delete this message for everyone?")
    await expect(ada.message("This message was deleted.")).to_be_visible()
    await expect(ada.message("Page forty-three")).to_have_count(0)


async def test_markup_in_a_message_is_text(enter: Enter) -> None:
    """HTML is shown as it was written: no element of it comes to be, and no script of it runs."""
    ada, rao = await enter("ada", "Ms Rao"), await enter("ms-rao", "Ada Novak")
    attack = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><b>fat</b>'
    await ada.say(f"{attack} [x](javascript:window.hacked=1)")
    for window in (ada, rao):
        message = window.message("window.hacked=1")
        await expect(message).to_contain_text(attack)
        await expect(
            message.locator(".bubble img, .bubble script, .bubble b, .bubble a[href^=javascript]")
        ).to_have_count(0)
        assert await window.page.evaluate("window.hacked === undefined")
    await rao.picture("markup")


async def test_a_new_chat_is_one_search_away(enter: Enter) -> None:
    """Someone who was never written to is found by name; the other side gets the chat with the first message."""
    dia, gus = await enter("dia"), await enter("gus")
    await dia.page.get_by_test_id("new-chat").click()
    await dia.page.get_by_test_id("user-search").fill("gus")
    found = dia.page.get_by_test_id("user-result")
    await expect(found).to_have_count(1)
    await found.click()
    await expect(dia.composer).to_be_visible()
    await dia.say("Do you have straws?")
    await expect(gus.row("Dia Sharma")).to_contain_text("Do you have straws?")
    await gus.open_room("Dia Sharma")
    await gus.shows("Do you have straws?")


async def test_back_to_the_newest(enter: Enter) -> None:
    """Who has scrolled up stays there when something comes, is told how much, and gets down with one click."""
    eli, rao = await enter("eli", "Maths 7B"), await enter("ms-rao", "Maths 7B")
    for number in range(25):
        await rao.say(f"Exercise {number}: show your working, please.")
    await eli.shows("Exercise 24:")
    await eli.page.get_by_role("region", name="Messages").hover()
    await eli.page.mouse.wheel(0, -3000)
    jump = eli.page.get_by_test_id("jump-latest")
    await expect(jump).to_be_visible()
    await rao.say("That is all for today")
    await expect(jump).to_contain_text("1")
    await eli.picture("jump-latest")
    await jump.click()
    await expect(eli.message("That is all for today")).to_be_in_viewport()
    await expect(jump).to_have_count(0)
