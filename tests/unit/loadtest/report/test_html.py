"""The page: one file that needs nothing, says what was found, and cannot be taken over by a server."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from loadtest.report.html import page
from loadtest.report.result import Result
from tests.unit.loadtest.report import sample

VOID = {"meta", "link", "rect", "path"}
ATTACK = "</script></style>\"'><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\u202e&amp;$title"
SAMPLES = (sample.evening, sample.failed, sample.invalid, sample.unreachable, sample.stopped)


class Outline(HTMLParser):
    """The elements of a page, checked to be closed in the order in which they were opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element without content."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost open element ends."""
        assert self.open.pop() == tag

    def all(self, name: str) -> Iterator[str]:
        """Return the values of an attribute, wherever it is."""
        return (attributes[name] or "" for _, attributes in self.elements if name in attributes)


@pytest.mark.parametrize("make", SAMPLES)
def test_the_page_is_sound(make: Callable[[], Result]) -> None:
    """Every element is closed, every id is unique, and what is referred to is there."""
    outline = Outline(page(make()))
    ids = list(outline.all("id"))
    assert [] == outline.open
    assert len(ids) == len(set(ids))
    assert {one for names in outline.all("aria-labelledby") for one in names.split()} <= set(ids)


@settings(max_examples=30, deadline=None)
@given(sample.results())
def test_any_result_makes_a_sound_page(result: Result) -> None:
    """Whatever was found and whatever a server said, the page has its elements and no others."""
    outline = Outline(page(result))
    assert [] == outline.open
    assert 1 == sum(tag == "script" for tag, _ in outline.elements)


def test_nothing_is_loaded() -> None:
    """No element refers to anything outside, and the page's own policy forbids it."""
    text = page(sample.evening())
    outline = Outline(text)
    assert ["data:,"] == [*outline.all("src"), *outline.all("href"), *outline.all("srcset")]
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in next(outline.all("content"))


def test_only_our_script_may_run() -> None:
    """The policy names the script by its hash, so that no other would run even if it got in."""
    text = page(sample.evening())
    script = text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_what_a_server_says_stays_text() -> None:
    """Markup, quotes, escape sequences and changes of direction are shown as text, wherever a server can put them."""
    harmless, attacked = (Outline(page(sample.hostile(text))) for text in ("harmless", ATTACK))
    assert [tag for tag, _ in harmless.elements] == [tag for tag, _ in attacked.elements]
    assert not any(name.startswith("on") for _, attributes in attacked.elements for name in attributes)
    text = page(sample.hostile(ATTACK))
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert not set("\x1b\u202e") & set(text)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (sample.evening, ["Passed", "All 3 checks held.", "1,000 people over websocket", "99.992 %", "310 µs"]),
        (sample.failed, ["Failed", "2 of 5 checks did not hold", "lost: number 17", "rate_limited", "✗ broken"]),
        (sample.invalid, ["Invalid", "The generator could not keep up", "It did not keep up", "No figures"]),
        (sample.unreachable, ["Unreachable", "None of 1,000 connections was made", "Connection refused", "no data"]),
        (sample.stopped, ["The run was stopped early.", "No errors."]),
    ],
)
def test_the_page_says_what_was_found(make: Callable[[], Result], said: list[str]) -> None:
    """The verdict and its reason, and the figures that belong to it, are written out."""
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page(make())))
    assert [] == [text for text in said if text not in words]


def test_what_has_no_data_is_left_out() -> None:
    """A run in which nobody got in shows neither latencies nor messages nor what the generator did."""
    outline = Outline(page(sample.unreachable()))
    sections = [attributes["id"] for tag, attributes in outline.elements if tag == "section"]
    assert ["checks", "connections", "settings"] == sections
