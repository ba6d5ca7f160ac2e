"""People over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.api import SERVICE, Api, school
from tests.support.person import connected

ADA = {"id": "ada", "name": "Ada", "role": "student"}
BEN = {"id": "ben", "name": "Ben", "role": "student"}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A school."""
    async with school(tmp_path) as api:
        yield api


async def test_me_is_the_caller(api: Api) -> None:
    """Everyone sees their own record."""
    assert {"user": ADA} == await api.ok("GET", "/v1/me", by="ada")


@pytest.mark.parametrize("by", ["admin", SERVICE])
async def test_the_office_puts_a_person_whole(api: Api, by: str) -> None:
    """A put replaces the record: what is left out is gone."""
    full = {"name": "Zoë", "role": "teacher", "avatar_url": "https://school.example/z.png", "tz": "UTC", "locale": "en"}
    expected = {"id": "zoe", **full}
    assert {"user": expected} == await api.ok("PUT", "/v1/users/zoe", by=by, json=full)
    assert {"user": expected} == await api.ok("GET", "/v1/users/zoe", by=by)
    plain = {"name": "Zoë", "role": "teacher"}
    assert {"user": {"id": "zoe", **plain}} == await api.ok("PUT", "/v1/users/zoe", by=by, json=plain)


async def test_a_put_outlives_the_persons_older_token(api: Api) -> None:
    """Claims of a token that was seen before do not undo what the office has put since."""
    await api.ok("GET", "/v1/me", by="ada")
    await api.ok("PUT", "/v1/users/ada", by="admin", json={"name": "Ada Lovelace", "role": "student"})
    assert "Ada Lovelace" == (await api.ok("GET", "/v1/me", by="ada"))["user"]["name"]


async def test_a_changed_role_counts_at_once(api: Api) -> None:
    """A demoted admin's tokens and connections end; a new sign-in has the new role. A new name ends nothing."""
    async with connected(api.server.url, "admin", api.token("admin")) as admin:
        old = {"Authorization": f"Bearer {api.token('admin')}"}
        await api.ok("PUT", "/v1/users/admin", by=SERVICE, json={"name": "Boss", "role": "admin"})
        await api.ok("GET", "/v1/me", headers=old)
        await api.ok("PUT", "/v1/users/admin", by=SERVICE, json={"name": "Boss", "role": "teacher"})
        await admin.disconnected.wait()
    assert "auth.invalid_token" == (await api.refused("GET", "/v1/me", headers=old))["code"]
    minted = await api.ok("POST", "/v1/auth/tokens", by=SERVICE, json={"user_id": "admin"})
    new = {"Authorization": f"Bearer {minted['access_token']}"}
    assert "teacher" == (await api.ok("GET", "/v1/me", headers=new))["user"]["role"]


@pytest.mark.parametrize("by", ["ada", "ms-rao", "ivy"])
async def test_others_may_not_put_people(api: Api, by: str) -> None:
    """Neither pupils nor teachers nor viewers change the roll, not even their own record."""
    problem = await api.refused("PUT", f"/v1/users/{by}", by=by, json={"name": "X", "role": "admin"})
    assert "auth.forbidden" == problem["code"]


@pytest.mark.parametrize("user_id", ["service", "service:bot", "%20ada", "a%0Ab", "x" * 129, "%E2%80%AEadmin"])
async def test_a_put_refuses_ids_that_no_person_can_have(api: Api, user_id: str) -> None:
    """Ids of services, blanks at the edge, hidden and control characters, and too long ones are refused."""
    problem = await api.refused("PUT", f"/v1/users/{user_id}", by="admin", json={"name": "X", "role": "student"})
    assert ("request.invalid", ["user_id"]) == (problem["code"], problem["fields"])


@pytest.mark.parametrize(
    "user_id",
    ["a/b", "a b", "auth0|5f7c", "zoë@school.example", "100%", "a?b#c", "..", "日本", "a,b", "x" * 128, "{id}"],
)
async def test_an_id_may_hold_anything_visible(api: Api, user_id: str) -> None:
    """Ids come from other systems: each survives the way through a URL path."""
    path = f"/v1/users/{quote(user_id, safe='')}"
    await api.ok("PUT", path, by="admin", json={"name": "X", "role": "student"})
    assert user_id == (await api.ok("GET", path, by="admin"))["user"]["id"]


async def test_an_unknown_person_is_not_found(api: Api) -> None:
    """404 with the code of its own."""
    assert "user.not_found" == (await api.refused("GET", "/v1/users/nobody", by="ada"))["code"]


async def test_a_viewer_sees_only_themselves(api: Api) -> None:
    """An investor's look at the figures is no look at the pupils."""
    assert "ivy" == (await api.ok("GET", "/v1/users/ivy", by="ivy"))["user"]["id"]
    for path in ("/v1/users/ada", "/v1/users/nobody", "/v1/users", "/v1/users?ids=ada"):
        assert "auth.forbidden" == (await api.refused("GET", path, by="ivy"))["code"]


async def test_people_are_found_by_name_or_id(api: Api) -> None:
    """The search ignores case and looks into both."""
    await api.ok("PUT", "/v1/users/u-7", by="admin", json={"name": "ADALBERT", "role": "student"})
    found = await api.ok("GET", "/v1/users?query=aDa", by="ben")
    assert ["ada", "u-7"] == [user["id"] for user in found["users"]]


async def test_a_search_has_no_wildcards(api: Api) -> None:
    """Signs that mean something to a database mean themselves."""
    assert {"users": []} == await api.ok("GET", "/v1/users?query=%25", by="ben")
    assert {"users": []} == await api.ok("GET", "/v1/users?query=a_a", by="ben")


async def test_pages_of_people_are_whole_and_end(api: Api) -> None:
    """Walking the cursors gives everyone once, in order of name, and the last page has no cursor."""
    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = await api.ok("GET", f"/v1/users?limit=4{cursor}", by="ada")
        seen += [user["id"] for user in page["users"]]
        cursor = f"&cursor={page['next_cursor']}" if "next_cursor" in page else ""
        pages += 1
    assert (["ada", "admin", "ben", "eve", "ivy", "ms-rao"], 2) == (seen, pages)


async def test_people_are_named_by_id(api: Api) -> None:
    """Ids are answered in the order asked, once each; unknown ones are left out."""
    assert {"users": [BEN, ADA]} == await api.ok("GET", "/v1/users?ids=ben,nobody,ada,ben,", by="ada")


async def test_a_hundred_ids_at_most(api: Api) -> None:
    """The hundred-and-first is refused."""
    hundred = ",".join(f"u{number}" for number in range(100))
    assert {"users": []} == await api.ok("GET", f"/v1/users?ids={hundred}", by="ada")
    problem = await api.refused("GET", f"/v1/users?ids={hundred},more", by="ada")
    assert ("request.invalid", ["ids"]) == (problem["code"], problem["fields"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("cursor=", "cursor"),
        ("cursor=!!", "cursor"),
        ("cursor=eyJhIjoxfQ", "cursor"),
        ("cursor=WzEsMl0", "cursor"),
        ("query=" + "x" * 201, "query"),
    ],
)
async def test_a_bad_query_names_its_field(api: Api, query: str, field: str) -> None:
    """Numbers out of range, empty values and made-up cursors are refused by name."""
    problem = await api.refused("GET", f"/v1/users?{query}", by="ada")
    assert ("request.invalid", [field]) == (problem["code"], problem["fields"])
