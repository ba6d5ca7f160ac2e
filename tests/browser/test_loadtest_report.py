"""The load tester's report in a browser: opened from a file, alone, by anyone."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from loadtest.report.html import page
from loadtest.report.result import Result
from tests.support.window import PHONE, Window, Windows
from tests.unit.loadtest.report import sample

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


async def open_report(opened: Windows, folder: Path, result: Result, **options: object) -> Window:
    """Write a report and open it. Problems in the console, and policies violated, fail the test when it ends."""
    path = folder / "report.html"
    path.write_text(page(result), encoding="utf-8")
    return await opened.open(path.as_uri(), **options)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everyone_can_read_it(opened: Windows, tmp_path: Path, scheme: str) -> None:
    """axe finds no serious barrier, in light and in dark, with a table of figures open."""
    window = await open_report(opened, tmp_path, sample.failed(), color_scheme=scheme)
    await window.page.locator("summary").first.click()
    await expect(window.page.locator("details table").first).to_be_visible()
    assert [] == await window.barriers()
    await window.picture(f"loadtest-report-{scheme}")


async def test_it_asks_for_nothing(opened: Windows, tmp_path: Path) -> None:
    """Beside the file itself nothing is loaded, whatever a server put into it, and no other script runs."""
    attack = '"><img src=http://127.0.0.1:9/x onerror=document.title=1><script>document.title=2</script>'
    window = await open_report(opened, tmp_path, sample.hostile(attack))
    assert 0 == await window.page.evaluate("performance.getEntriesByType('resource').length")
    assert 0 == await window.page.locator("img").count()
    assert (await window.page.title()).startswith("Passed: ")


async def test_the_pointer_shows_values(opened: Windows, tmp_path: Path) -> None:
    """Over a chart its values are shown, and the same moment is marked in all charts over time; away, it is gone."""
    window = await open_report(opened, tmp_path, sample.evening())
    chart = window.page.locator("#chart-latency-delivery")
    await chart.locator(".area").hover(position={"x": 200, "y": 100})
    await expect(chart.locator(".tip")).to_contain_text("p99")
    await expect(chart.locator(".tip")).to_contain_text(" ms")
    await expect(window.page.locator("#chart-server-cpu .cross")).to_have_count(1)
    await expect(window.page.locator("#chart-percentiles .cross")).to_have_count(0)
    await expect(window.page.locator(".tip")).to_have_count(1)
    await window.page.locator("h1").hover()
    await expect(window.page.locator(".tip, .cross, .dot")).to_have_count(0)


async def test_it_is_complete_without_a_script(opened: Windows, tmp_path: Path) -> None:
    """With scripts switched off all charts are drawn."""
    window = await open_report(opened, tmp_path, sample.evening(), java_script_enabled=False)
    await expect(window.page.locator("#chart-latency-delivery path.line")).to_have_count(3)
    await expect(window.page.locator("#chart-latency-delivery .y span").first).to_be_visible()


@pytest.mark.parametrize(
    "result",
    [sample.evening(), sample.unreachable(), sample.hostile("w" * 400)],
    ids=["evening", "unreachable", "long"],
)
async def test_a_phone_shows_it_without_scrolling_sideways(opened: Windows, tmp_path: Path, result: Result) -> None:
    """At 390 pixels only wide tables scroll, each by itself."""
    window = await open_report(opened, tmp_path, result, **PHONE)
    assert not await window.page.evaluate(OVERFLOWS)
    await window.picture("loadtest-report-phone")
