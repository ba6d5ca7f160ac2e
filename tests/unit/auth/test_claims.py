"""Claims of the identity providers we know become a role, a name and a profile."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.claims import NAME_CLAIMS, ClaimRules, Profile, clean_name, read_name, read_profile, read_role
from auth.types import Role
from core.errors import ErrorCode, HomeroomError

RULES = ClaimRules()


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"role": "student"}, Role.STUDENT),
        ({"role": " Teacher "}, Role.TEACHER),
        ({"roles": ["ADMIN"]}, Role.ADMIN),
        ({"cognito:groups": ["eu-west-1_pool", "Trainer"]}, Role.TEACHER),
        ({"custom:role": "mentor"}, Role.TEACHER),
        ({"public_metadata": {"role": "learner"}}, Role.STUDENT),
        ({"metadata": {"role": "administrator"}}, Role.ADMIN),
        ({"role": "authenticated", "app_metadata": {"role": "instructor"}}, Role.TEACHER),
        ({"https://school.example/roles": ["investor"]}, Role.VIEWER),
        ({"https://school.example/role": "viewer"}, Role.VIEWER),
        ({"roles": ["student", "teacher", "janitor"]}, Role.TEACHER),
        ({"roles": ["viewer", "student"]}, Role.STUDENT),
        ({"roles": ["admin", "teacher"]}, Role.ADMIN),
        ({"role": "student", "cognito:groups": ["admin"]}, Role.STUDENT),
    ],
)
def test_roles_of_the_providers_we_know(claims: Mapping[str, object], role: Role) -> None:
    """Without configuration; the first telling claim decides, and in it the strongest word."""
    assert role == read_role(claims, RULES)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"role": "janitor"},
        {"role": "service"},
        {"role": None},
        {"role": {"admin": True}},
        {"role": [["admin"]]},
        {"roles": 7},
        {"user_metadata": {"role": "admin"}},
        {"unsafe_metadata": {"role": "admin"}},
        {"public_metadata": "role"},
        {"http://school.example/roles": ["admin"]},
        {"evil/roles": ["admin"]},
    ],
)
def test_nobody_is_let_in_by_a_claim_that_does_not_count(claims: Mapping[str, object]) -> None:
    """Unknown words, claims that people set themselves, and shapes nobody promised."""
    with pytest.raises(HomeroomError, match="its token names none that Homeroom knows") as refusal:
        read_role(claims, RULES)
    assert ErrorCode.AUTH_FORBIDDEN == refusal.value.code


def test_the_default_role_is_for_those_without_one() -> None:
    """And only for them."""
    rules = replace(RULES, default_role=Role.STUDENT)
    assert [Role.STUDENT, Role.ADMIN] == [read_role({"role": word}, rules) for word in ("janitor", "admin")]


def test_a_claim_of_exactly_that_name_wins_over_a_path() -> None:
    """Claim names may hold dots."""
    rules = ClaimRules(role_claims=("a.b",))
    assert Role.ADMIN == read_role({"a.b": "admin", "a": {"b": "student"}}, rules)
    assert Role.STUDENT == read_role({"a": {"b": "student"}}, rules)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Ms Rao", "given_name": "x"}, "Ms Rao"),
        ({"given_name": "Grace", "family_name": "Hopper", "preferred_username": "gh"}, "Grace Hopper"),
        ({"given_name": "Grace"}, "Grace"),
        ({"preferred_username": "grace"}, "grace"),
        ({"cognito:username": "grace"}, "grace"),
        ({"email": "grace.h@navy.example"}, "grace.h"),
        ({"name": " \t\x00 ", "email": "grace@navy.example"}, "grace"),
        ({"name": 7, "email": None}, "u-1"),
        ({}, "u-1"),
    ],
)
def test_names_of_the_providers_we_know(claims: Mapping[str, object], name: str) -> None:
    """The first claim that makes a name; an address never shows its domain."""
    assert name == read_name({"sub": "u-1", **claims}, NAME_CLAIMS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("two\r\n lines\u2028here", "two lines here"),
        ("\u202ednuor yaw gnorw", "dnuor yaw gnorw"),
        ("\ud83d broken", "broken"),
        ("\u200d\u200c", ""),
        ("می\u200cشود", "می\u200cشود"),
        ("👩\u200d🏫 Rao", "👩\u200d🏫 Rao"),
        ("e\u0301", "\u00e9"),
        ("x" * 200, "x" * 120),
    ],
)
def test_a_name_is_one_visible_line(text: str, name: str) -> None:
    """No control character, reordering or broken surrogate reaches a screen; joiners that scripts need stay."""
    assert name == clean_name(text)


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_any_name_can_be_shown_and_sent(text: str) -> None:
    """Whatever comes in, what goes out is short, clean, encodable, and the same when cleaned again."""
    name = clean_name(text)
    assert len(name.encode()) <= 480
    assert name == clean_name(name)
    assert name in json.loads(json.dumps([name]))


def test_a_profile_takes_only_what_is_well_formed() -> None:
    """A picture over https, a real time zone, a language tag."""
    claims = {
        "sub": "u",
        "role": "student",
        "picture": "https://a.example/p.png",
        "zoneinfo": "Asia/Tokyo",
        "locale": "pt_BR",
    }
    assert Profile(Role.STUDENT, "u", "https://a.example/p.png", "Asia/Tokyo", "pt-BR") == read_profile(claims, RULES)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("picture", "http://a.example/p.png"),
        ("picture", "javascript:alert(1)"),
        ("picture", "data:image/png;base64,AA"),
        ("picture", "https://"),
        ("picture", "https://[bad"),
        ("picture", "https://a.example/a b"),
        ("picture", "https://a.example/\n"),
        ("picture", "https://a.example/" + "x" * 2048),
        ("picture", {"url": "https://a.example"}),
        ("zoneinfo", "Mars/Olympus"),
        ("zoneinfo", "../../etc/passwd"),
        ("zoneinfo", "localtime"),
        ("zoneinfo", ["Asia/Tokyo"]),
        ("locale", "<script>"),
        ("locale", "x" * 9),
        ("locale", 7),
    ],
)
def test_what_is_not_well_formed_is_left_out(claim: str, value: object) -> None:
    """A strange extra does not keep anybody out, and goes no further."""
    expected = Profile(Role.STUDENT, "u", None, None, None)
    assert expected == read_profile({"sub": "u", "role": "student", claim: value}, RULES)
