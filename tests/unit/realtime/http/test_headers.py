"""Cross-origin rules and content security policies."""

import pytest
from aiohttp.test_utils import make_mocked_request

from realtime.http.headers import Cors, app_policy, page_policy


@pytest.mark.parametrize(
    ("setting", "origin", "allowed"),
    [
        ("", "https://a.example", None),
        ("https://a.example", "https://a.example", "https://a.example"),
        (" https://a.example/ ,https://b.example", "https://b.example", "https://b.example"),
        ("https://a.example", "https://a.example.evil.example", None),
        ("https://a.example", "http://a.example", None),
        ("https://a.example", "null", None),
        ("https://a.example", "", None),
        ("*", "https://any.example", "*"),
    ],
)
def test_which_origin_may_read(setting: str, origin: str, allowed: str | None) -> None:
    """Exactly those that are named, scheme and all."""
    headers = Cors(setting).headers(make_mocked_request("GET", "/", headers={"Origin": origin}))
    assert allowed == headers.get("Access-Control-Allow-Origin")


def test_a_preflight_needs_its_header() -> None:
    """A plain OPTIONS is left to the router."""
    cors = Cors("*")
    assert cors.preflight(make_mocked_request("OPTIONS", "/", headers={"Origin": "https://a.example"})) is None


@pytest.mark.parametrize(
    ("public_url", "connect"),
    [
        (None, "connect-src 'self';"),
        ("https://school.example", "connect-src 'self' wss://school.example;"),
        ("http://localhost:8080/", "connect-src 'self' ws://localhost:8080;"),
    ],
)
def test_the_app_may_talk_to_its_own_server(public_url: str | None, connect: str) -> None:
    """And to its sockets, by name for browsers that need it."""
    assert connect in app_policy(public_url)


def test_no_policy_allows_inline_scripts() -> None:
    """Styles may be inline in the app, scripts nowhere."""
    directives = dict(part.split(" ", 1) for part in app_policy(None).split("; "))
    assert ("'self'", "'none'", "'none'") == (
        directives["script-src"],
        directives["object-src"],
        directives["base-uri"],
    )
    assert "unsafe" not in page_policy(script_hash="s", style_hash="t")
