"""Signing in and out over HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from auth.types import Role, User
from core.ids import UserId
from tests.support.api import SERVICE, Api, Json, school
from tests.support.person import Refused, connected
from tests.support.server import token

MINT = "/v1/auth/tokens"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A school."""
    async with school(tmp_path) as api:
        yield api


async def test_the_backend_signs_a_new_person_in(api: Api) -> None:
    """A mint makes the person, and its access token speaks for them at once."""
    asked = {"user_id": "zoe", "name": "Zoë", "role": "student", "tz": "Asia/Kolkata", "locale": "hi-IN"}
    minted = await api.ok("POST", MINT, by=SERVICE, json=asked)
    expected = {"id": "zoe", "name": "Zoë", "role": "student", "tz": "Asia/Kolkata", "locale": "hi-IN"}
    assert expected == minted["user"]
    headers = {"Authorization": f"bearer {minted['access_token']}"}
    assert {"user": expected} == await api.ok("GET", "/v1/me", headers=headers)


async def test_a_mint_changes_only_what_it_names(api: Api) -> None:
    """For someone who is known, what is left out stays as it is."""
    await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada", "avatar_url": "https://school.example/ada.png"})
    minted = await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada", "name": "Ada L."})
    expected = {"id": "ada", "name": "Ada L.", "role": "student", "avatar_url": "https://school.example/ada.png"}
    assert expected == minted["user"]


async def test_a_mint_with_another_role_ends_the_old_one(api: Api) -> None:
    """Tokens that speak for the old role are void, and the new one works at once."""
    old = _bearer(api.token("ms-rao"))
    await api.ok("GET", "/v1/me", headers=old)
    minted = await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ms-rao", "role": "viewer"})
    assert "auth.invalid_token" == (await api.refused("GET", "/v1/me", headers=old))["code"]
    assert "viewer" == (await api.ok("GET", "/v1/me", headers=_bearer(minted["access_token"])))["user"]["role"]


async def test_a_token_of_service_role_may_mint(api: Api) -> None:
    """A backend may hold a token with the service role instead of a key."""
    access, _ = api.server.app.minter.mint(User(UserId("backend"), "Backend", Role.SERVICE), timedelta(minutes=1))
    headers = {"Authorization": f"Bearer {access}"}
    await api.ok("POST", MINT, json={"user_id": "ada"}, headers=headers)


@pytest.mark.parametrize("by", ["ada", "ms-rao", "admin", "ivy"])
async def test_people_may_not_mint(api: Api, by: str) -> None:
    """Only a service may speak for others; not even an admin may."""
    assert "auth.forbidden" == (await api.refused("POST", MINT, by=by, json={"user_id": "ada"}))["code"]


async def test_a_new_person_needs_a_role(api: Api) -> None:
    """Nobody gets a role by default, and a refused mint leaves no one behind."""
    problem = await api.refused("POST", MINT, by=SERVICE, json={"user_id": "zoe"})
    assert ("request.invalid", ["role"]) == (problem["code"], problem["fields"])
    assert "user.not_found" == (await api.refused("GET", "/v1/users/zoe", by="admin"))["code"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "service"),
        ("user_id", "service:bot"),
        ("user_id", ""),
        ("user_id", "x" * 129),
        ("user_id", "a\u0000b"),
        ("user_id", " ada"),
        ("user_id", 7),
        ("role", "service"),
        ("role", "owner"),
        ("name", "line\nbreak"),
        ("name", ""),
        ("avatar_url", "javascript:alert(1)"),
        ("avatar_url", "http://school.example/a.png"),
        ("tz", "Mars/Olympus"),
        ("locale", "not a locale"),
    ],
)
async def test_a_mint_refuses_what_no_person_can_be(api: Api, field: str, value: object) -> None:
    """Ids of services, unknown roles, control characters, unsafe addresses: refused by the name of the field."""
    asked = {"user_id": "zoe", "role": "student", field: value}
    problem = await api.refused("POST", MINT, by=SERVICE, json=asked)
    assert ("request.invalid", [field]) == (problem["code"], problem["fields"])


async def test_a_refresh_gives_a_new_pair(api: Api) -> None:
    """Both tokens are new, and the access token works."""
    minted = await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada"})
    pair = await api.ok("POST", "/v1/auth/refresh", json={"refresh_token": minted["refresh_token"]})
    assert not {minted["access_token"], minted["refresh_token"]} & {pair["access_token"], pair["refresh_token"]}
    me = await api.ok("GET", "/v1/me", headers={"Authorization": f"Bearer {pair['access_token']}"})
    assert "ada" == me["user"]["id"]


async def test_a_stolen_refresh_token_ends_the_sign_in(api: Api) -> None:
    """The second use of a refresh token is refused, and takes the first user's new one with it."""
    first = (await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada"}))["refresh_token"]
    second = (await api.ok("POST", "/v1/auth/refresh", json={"refresh_token": first}))["refresh_token"]
    reused = await api.refused("POST", "/v1/auth/refresh", json={"refresh_token": first})
    ended = await api.refused("POST", "/v1/auth/refresh", json={"refresh_token": second})
    assert ("auth.reused_token", "auth.invalid_token") == (reused["code"], ended["code"])


async def test_a_refresh_follows_the_directory(api: Api) -> None:
    """A role that was changed meanwhile is in the next access token."""
    minted = await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ms-rao"})
    await api.ok("PUT", "/v1/users/ms-rao", by="admin", json={"name": "Ms Rao", "role": "viewer"})
    pair = await api.ok("POST", "/v1/auth/refresh", json={"refresh_token": minted["refresh_token"]})
    assert "viewer" == jwt.decode(pair["access_token"], options={"verify_signature": False})["role"]


async def test_a_sign_out_ends_one_sign_in_and_its_connections(api: Api) -> None:
    """After a revoke the refresh token is dead and the live connections are closed; other sign-ins go on."""
    here = await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada"})
    there = await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada"})
    async with connected(api.server.url, "ada", here["access_token"]) as ada:
        await api.ok("POST", "/v1/auth/revoke", json={"refresh_token": here["refresh_token"]})
        await ada.disconnected.wait()
    assert "auth.invalid_token" == (await _refresh(api, here["refresh_token"]))["code"]
    await api.ok("POST", "/v1/auth/refresh", json={"refresh_token": there["refresh_token"]})


@pytest.mark.parametrize("by", ["admin", SERVICE])
async def test_the_office_signs_somebody_out_everywhere(api: Api, by: str) -> None:
    """All tokens of the user are void at once, over HTTP and for sockets; a new mint works."""
    minted = await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada"})
    access = minted["access_token"]
    async with connected(api.server.url, "ada", access) as ada:
        await api.ok("POST", "/v1/auth/revoke", by=by, json={"user_id": "ada"})
        await ada.disconnected.wait()
    assert "auth.invalid_token" == (await api.refused("GET", "/v1/me", headers=_bearer(access)))["code"]
    with pytest.raises(Refused):
        async with connected(api.server.url, "ada", access):
            pass
    again = await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada"})
    await api.ok("GET", "/v1/me", headers=_bearer(again["access_token"]))


@pytest.mark.parametrize(
    ("by", "code"), [(None, "auth.missing_token"), ("ada", "auth.forbidden"), ("ms-rao", "auth.forbidden")]
)
async def test_others_may_not_sign_somebody_out(api: Api, by: str | None, code: str) -> None:
    """Naming a user needs the office; naming oneself is no exception, as the refresh token does that."""
    assert code == (await api.refused("POST", "/v1/auth/revoke", by=by, json={"user_id": "ada"}))["code"]


@pytest.mark.parametrize("refresh_token", ["nonsense", "hrr_" + "x" * 43, "h\u00e9"])
async def test_revoking_an_unknown_token_says_nothing(api: Api, refresh_token: str) -> None:
    """RFC 7009: 204, so that nobody can probe for tokens."""
    assert 204 == (await api.call("POST", "/v1/auth/revoke", json={"refresh_token": refresh_token})).status


async def test_an_expired_bearer_does_not_keep_anyone_from_signing_out(api: Api) -> None:
    """The refresh token is its own credential; naming a user with a bad bearer says what is bad about it."""
    minted = await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada"})
    headers = _bearer("a.b.c")
    await api.ok("POST", "/v1/auth/revoke", json={"refresh_token": minted["refresh_token"]}, headers=headers)
    assert "auth.invalid_token" == (await _refresh(api, minted["refresh_token"]))["code"]
    refused = await api.refused("POST", "/v1/auth/revoke", json={"user_id": "ada"}, headers=headers)
    assert "auth.invalid_token" == refused["code"]


@pytest.mark.parametrize("body", [{}, {"refresh_token": "a", "user_id": "ada"}, {"refresh_token": None}])
async def test_a_revoke_names_one_thing(api: Api, body: object) -> None:
    """Neither both nor nothing."""
    assert "request.invalid" == (await api.refused("POST", "/v1/auth/revoke", by=SERVICE, json=body))["code"]


async def test_anyone_can_verify_tokens(api: Api) -> None:
    """The key set verifies a minted token, and holds nothing private."""
    keys = (await api.ok("GET", "/.well-known/jwks.json"))["keys"]
    key = jwt.PyJWK(keys[0])
    claims = jwt.decode(api.token("ada"), key, algorithms=["EdDSA"], audience="homeroom")
    assert ("ada", False) == (claims["sub"], "d" in keys[0])


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "auth.invalid_token"),
        ("Bearer", "auth.invalid_token"),
        ("Bearer  ", "auth.invalid_token"),
        ("Basic YWRhOnB3", "auth.invalid_token"),
        ("Bearer a b", "auth.invalid_token"),
        ("Bearer a.b.c", "auth.invalid_token"),
        ("Bearer hrk_wrong", "auth.invalid_token"),
        ("Bearer " + "x" * 8000, "auth.invalid_token"),
    ],
)
async def test_what_is_no_credential_is_refused(api: Api, header: str, code: str) -> None:
    """Whatever the Authorization header holds, the answer is a 401 that says so, without repeating it."""
    answer = await api.call("GET", "/v1/me", headers={"Authorization": header})
    assert (401, code) == (answer.status, answer.code)
    assert 'Bearer error="invalid_token"' == answer.headers["WWW-Authenticate"]
    assert "hrk_wrong" not in answer.body.decode()


async def test_no_credential_is_told_apart(api: Api) -> None:
    """A client that forgot to sign in gets the bare challenge of RFC 6750."""
    answer = await api.call("GET", "/v1/me")
    assert (401, "auth.missing_token", "Bearer") == (answer.status, answer.code, answer.headers["WWW-Authenticate"])


async def test_an_expired_token_is_told_apart(api: Api) -> None:
    """A client learns that a new token will do."""
    user = User(UserId("ada"), "Ada", Role.STUDENT)
    past = api.server.app.services.clock.now() - timedelta(hours=2)
    access, _ = api.server.app.minter.mint(user, timedelta(hours=1), now=past)
    assert "auth.expired_token" == (await api.refused("GET", "/v1/me", headers=_bearer(access)))["code"]


async def test_a_query_parameter_is_no_credential(api: Api) -> None:
    """A token in the address would land in logs: it is not looked at."""
    access = token(api.server, "ada")
    assert "auth.missing_token" == (await api.refused("GET", f"/v1/me?token={access}&access_token={access}"))["code"]


async def test_a_person_is_known_from_the_first_request(api: Api) -> None:
    """Someone with a valid token that nobody put in the directory is provisioned from its claims."""
    access = token(api.server, "newcomer", "teacher")
    me = await api.ok("GET", "/v1/me", headers=_bearer(access))
    expected = {"user": {"id": "newcomer", "name": "Newcomer", "role": "teacher"}}
    assert (expected, expected) == (me, await api.ok("GET", "/v1/users/newcomer", by="admin"))


async def test_a_service_is_nobody_in_the_directory(api: Api) -> None:
    """A service key has a name and a role, but makes no person."""
    assert "service" == (await api.ok("GET", "/v1/me", by=SERVICE))["user"]["role"]
    assert "user.not_found" == (await api.refused("GET", "/v1/users/service", by="admin"))["code"]


async def _refresh(api: Api, refresh_token: str) -> Json:
    return await api.refused("POST", "/v1/auth/refresh", json={"refresh_token": refresh_token})


def _bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}"}
