"""The reference page: whole, linked, self-contained."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from core.errors import ERRORS
from realtime.config import Limits
from realtime.contract.registry import CLIENT_EVENTS, SERVER_EVENTS
from realtime.http.docs import documents
from realtime.http.docs_schema import json_block, notes, prose, row, table, type_of
from realtime.http.routes import ROUTES

DOCUMENTS = documents(ROUTES, Limits(), "1.2.3<b>")
PAGE = DOCUMENTS.page.decode()
VOID = {"meta", "input", "link", "br"}


class Reader(HTMLParser):
    """Collects what the tests ask about, and checks that tags nest."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.targets.append(value or "")
            elif name in ("src", "srcset", "data", "poster"):
                self.loaded.append(value or "")
            elif name == "style" or name.startswith("on"):
                self.inline.append(name)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            self.unbalanced.append(tag)


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The page, read."""
    reader = Reader()
    reader.feed(PAGE)
    return reader


def test_it_is_well_formed(reader: Reader) -> None:
    """Every element that is opened is closed, in order, and no id is given twice."""
    assert ([], []) == (reader.unbalanced, reader.open)
    assert len(set(reader.ids)) == len(reader.ids)


def test_every_link_leads_somewhere(reader: Reader) -> None:
    """Anchors exist; other links are the two documents."""
    anchors = {target[1:] for target in reader.targets if target.startswith("#")}
    assert set() == anchors - set(reader.ids)
    others = {target for target in reader.targets if not target.startswith("#")}
    assert {"/openapi.json", "/asyncapi.json"} == others


def test_it_loads_nothing(reader: Reader) -> None:
    """No file, no font, no picture from anywhere, and nothing inline that its policy would refuse."""
    assert ([], []) == (reader.loaded, reader.inline)
    assert not re.search(r"url\(|@import|<link", PAGE)


def test_its_policy_allows_its_own_script_and_style_only() -> None:
    """The hashes are those of what stands in the page."""
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        found = re.findall(f"<{tag}>(.*?)</{tag}>", PAGE, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
        assert 1 == len(found)
        assert f"{directive} 'sha256-{digest}'" in DOCUMENTS.page_policy


def test_it_has_everything(reader: Reader) -> None:
    """Each endpoint, event and error has its place."""
    expected = {f"event-{name}" for name in (*CLIENT_EVENTS, *SERVER_EVENTS)}
    expected |= {f"error-{code}" for code in ERRORS}
    expected |= {f"{route.tag}.{route.handler.__name__.strip('_')}" for route in ROUTES}
    assert set() == expected - set(reader.ids)
    assert all(name in PAGE for name in Limits.model_fields)


def test_what_it_shows_is_escaped() -> None:
    """Text is text, wherever it comes from."""
    assert "1.2.3&lt;b&gt;" in PAGE
    assert "<code>&lt;i&gt;</code> &amp; so on" == prose("`<i>` & so on")
    assert "<i class=s>&quot;&lt;script&gt;&quot;</i>" == json_block("<script>")
    assert "<b>" not in row("<b>", {"description": "<b>", "const": "<b>"}, required=True)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "date-time"}, "instant"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer"),
        ({"$ref": "#/components/schemas/Room"}, '<a href="#object-Room">Room</a>'),
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "map to integer"),
        ({"enum": ["a", "b"]}, "<code>a</code> · <code>b</code>"),
        ({}, "any"),
    ],
)
def test_types_read_as_words(schema: dict[str, object], expected: str) -> None:
    """A reader needs no JSON Schema."""
    assert expected == type_of(schema)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"maxLength": 128, "minLength": 1}, '<span class="bounds">1 – 128 characters</span>'),
        ({"maximum": 200, "minimum": 1, "default": 50}, '<span class="bounds">1 – 200, default <code>50</code></span>'),
        ({"maxItems": 1000}, '<span class="bounds">at most 1,000 items</span>'),
        ({"maximum": 2**53 - 1, "minimum": 0}, ""),
        ({"description": "Text.", "default": []}, "Text."),
    ],
)
def test_bounds_read_as_words(schema: dict[str, object], expected: str) -> None:
    """Lengths, ranges and defaults; what any JavaScript number is bound by goes without saying."""
    assert expected == notes(schema)


def test_a_union_is_a_table_for_each_kind() -> None:
    """Which fields go together can be seen."""
    schema = {"oneOf": [{"$ref": "#/x/A"}, {"$ref": "#/x/B"}]}
    of = {"A": {"properties": {"kind": {"const": "a"}}}, "B": {"properties": {"kind": {"const": "b"}}}}
    assert 2 == table(schema, of).count("<table>")
