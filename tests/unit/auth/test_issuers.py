"""HOMEROOM_JWT_ISSUERS: three ways to write it, and an error that names what is wrong."""

import json
from pathlib import Path

import pytest

from auth.claims import ROLE_WORDS, ClaimRules
from auth.errors import SettingRefused
from auth.issuers import Issuer, parse_issuers
from auth.types import Role

FULL = {
    "issuer": "https://login.school.example/",
    "jwks_url": "https://keys.school.example/set",
    "audience": ["classroom", "mobile"],
    "algorithms": ["ES256"],
    "leeway_s": 5,
    "role_claims": "https://school.example/roles",
    "role_map": {"Prof": "teacher", "ADMIN": None},
    "default_role": "student",
    "name_claims": ["nickname"],
}


def test_every_field_is_read() -> None:
    """A full entry, in the words of the documentation."""
    words = {**ROLE_WORDS, "prof": Role.TEACHER}
    del words["admin"]
    rules = ClaimRules(("https://school.example/roles",), words, Role.STUDENT, ("nickname",))
    expected = Issuer(
        "https://login.school.example/",
        "https://keys.school.example/set",
        ("classroom", "mobile"),
        ("ES256",),
        5.0,
        rules,
    )
    assert (expected,) == parse_issuers(json.dumps([FULL]))


def test_urls_with_commas_take_the_defaults() -> None:
    """The short form; a slash at the end belongs to the issuer's name but is not doubled in the address."""
    issuers = parse_issuers(" https://a.example , https://b.example/realm/,")
    assert [
        Issuer("https://a.example", "https://a.example/.well-known/jwks.json"),
        Issuer("https://b.example/realm/", "https://b.example/realm/.well-known/jwks.json"),
    ] == list(issuers)


def test_the_setting_may_be_a_file(tmp_path: Path) -> None:
    """A path to JSON is the same as the JSON."""
    path = tmp_path / "issuers.json"
    path.write_text(json.dumps([FULL]))
    assert parse_issuers(json.dumps([FULL])) == parse_issuers(str(path))


@pytest.mark.parametrize("text", ["", "  ", "[]"])
def test_no_issuers_is_fine(text: str) -> None:
    """A school with local tokens only."""
    assert () == parse_issuers(text)


@pytest.mark.parametrize(
    "url", ["http://localhost:9000", "http://127.0.0.1/x", "http://[::1]:9000", "https://a.example"]
)
def test_http_is_for_this_machine_only(url: str) -> None:
    """Development needs no certificate."""
    assert url == parse_issuers(url)[0].issuer


def test_an_issuer_with_a_key_address_may_have_any_name() -> None:
    """A school's own backend calls itself what it likes."""
    (issuer,) = parse_issuers('[{"issuer": "my-school", "jwks_url": "https://school.example/jwks"}]')
    assert "my-school" == issuer.issuer


def _with(**changes: object) -> str:
    return json.dumps([{**FULL, **changes}])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no-such-file.json", "the file no-such-file.json cannot be read"),
        ("[", "is not JSON: Expecting value"),
        ("[" * 100_000, "is not JSON"),
        ('{"issuer": "https://a.example"}', "must be a JSON list of issuers"),
        ("[7]", r"HOMEROOM_JWT_ISSUERS\[0\] must be an object"),
        ("[{}]", r"HOMEROOM_JWT_ISSUERS\[0\].issuer must be the text of the iss claim"),
        (_with(isuer="x"), "has the unknown field isuer; known are algorithms, audience"),
        (_with(issuer="homeroom"), "issuer must not be homeroom"),
        ('[{"issuer": "my-school"}]', "issuer must be an https URL without user name"),
        ("http://a.example", "issuer must be an https URL; http is for localhost only"),
        ("http://localhost.evil.example", "http is for localhost only"),
        (_with(jwks_url="http://10.0.0.1/keys"), "jwks_url must be an https URL; http is for localhost only"),
        (_with(jwks_url="file:///etc/passwd"), "jwks_url must be an https URL"),
        (_with(jwks_url="ftp://a.example/x"), "jwks_url must be an https URL"),
        (_with(jwks_url="https://user:pass@a.example"), "without user name"),
        (_with(jwks_url="https://[bad"), "jwks_url is not a URL"),
        (_with(jwks_url=7), "jwks_url must be an https URL"),
        (_with(audience=[]), "audience is empty"),
        (_with(audience=[7]), "audience must be a text or a list of texts"),
        (_with(algorithms=["HS256"]), "algorithms: HS256 is not a public-key algorithm"),
        (_with(algorithms=["none"]), "algorithms: none is not a public-key algorithm"),
        (_with(algorithms=[]), "algorithms is empty"),
        (_with(leeway_s=-1), "leeway_s must be a number of seconds from 0 to 300"),
        (_with(leeway_s=True), "leeway_s must be a number"),
        (_with(leeway_s=3600), "leeway_s must be a number of seconds from 0 to 300"),
        (_with(role_map=[]), "role_map must be an object"),
        (_with(role_map={"x": "king"}), "role_map.x must be one of student, teacher, admin, viewer, service"),
        (_with(role_map={"x": []}), "role_map.x must be one of"),
        (_with(default_role="admin"), "default_role must be student, teacher or viewer"),
        (_with(default_role="service"), "default_role must be student, teacher or viewer"),
        (_with(default_role="king"), "default_role must be one of"),
        ("https://a.example,https://a.example", "names the issuer https://a.example twice"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    """The operator reads which entry and field to mend."""
    with pytest.raises(SettingRefused, match=message):
        parse_issuers(text)
