"""Members of rooms over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.api import SERVICE, Api, school
from tests.support.person import connected
from tests.support.server import token


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A school."""
    async with school(tmp_path) as api:
        yield api


@pytest.fixture
async def members(api: Api) -> str:
    """The members' path of a group that Ms Rao owns and Ada is in."""
    return f"/v1/rooms/{await api.group('ms-rao', 'ada')}/members"


async def test_members_are_listed_with_their_people(api: Api, members: str) -> None:
    """By user id, with role and watermarks; whether someone else wants to be rung is theirs to know."""
    found = (await api.ok("GET", members, by="ada"))["members"]
    assert [("ada", "member", "all"), ("ms-rao", "owner", None)] == [
        (one["user_id"], one["role"], one.get("notify")) for one in found
    ]
    assert {"id": "ms-rao", "name": "Ms-Rao", "role": "teacher"} == found[1]["user"]


async def test_pages_of_members_end(api: Api, members: str) -> None:
    """Each member once, and no cursor on the last page."""
    await api.ok("PUT", f"{members}/ben", by="ms-rao", json={})
    first = await api.ok("GET", f"{members}?limit=2", by="ada")
    last = await api.ok("GET", f"{members}?limit=2&cursor={first['next_cursor']}", by="ada")
    assert ["ada", "ben", "ms-rao"] == [one["user_id"] for one in first["members"] + last["members"]]
    assert "next_cursor" not in last


async def test_a_member_is_added_and_told(api: Api, members: str) -> None:
    """The new member is live in the room at once, with nothing unread."""
    room_id = members.split("/")[3]
    await api.send("ada", room_id, "before")
    async with connected(api.server.url, "ben", token(api.server, "ben")) as ben:
        added = (await api.ok("PUT", f"{members}/ben", by="ms-rao", json={"role": "observer"}))["member"]
        await ben.wait_for("room:changed")
        await api.send("ada", room_id, "after")
        heard = await ben.wait_for("message:new")
    assert ("observer", 1, "after") == (added["role"], added["read_seq"], heard["message"]["body"])
    assert added == (await api.ok("GET", f"{members}/ben", by="ms-rao"))["member"]


async def test_adding_twice_is_adding_once(api: Api, members: str) -> None:
    """A repeat of the same put answers the same."""
    first = await api.ok("PUT", f"{members}/ben", by="ms-rao", json={})
    assert first == await api.ok("PUT", f"{members}/ben", by="ms-rao", json={})


@pytest.mark.parametrize("by", ["admin", SERVICE])
async def test_the_office_manages_members_of_any_room(api: Api, members: str, by: str) -> None:
    """It may add, promote and remove where it is no member."""
    await api.ok("PUT", f"{members}/ben", by=by, json={"role": "moderator"})
    await api.ok("DELETE", f"{members}/ben", by=by)
    assert "user.not_found" == (await api.refused("GET", f"{members}/ben", by="ada"))["code"]


async def test_a_member_may_not_manage_others(api: Api, members: str) -> None:
    """Whoever reads the room is told that they may not."""
    for method, json in (("PUT", {"role": "owner"}), ("DELETE", None)):
        assert "room.forbidden" == (await api.refused(method, f"{members}/ms-rao", by="ada", json=json))["code"]
    assert "room.forbidden" == (await api.refused("PUT", f"{members}/ada", by="ada", json={"role": "owner"}))["code"]


async def test_a_moderator_makes_no_moderators(api: Api, members: str) -> None:
    """Only the owner grants a role that keeps the room."""
    await api.ok("PUT", f"{members}/ada", by="ms-rao", json={"role": "moderator"})
    await api.ok("PUT", f"{members}/ben", by="ada", json={})
    for json in ({"role": "moderator"}, {"role": "owner"}):
        assert "room.forbidden" == (await api.refused("PUT", f"{members}/ben", by="ada", json=json))["code"]
    assert "room.forbidden" == (await api.refused("DELETE", f"{members}/ms-rao", by="ada"))["code"]


async def test_anyone_silences_a_room_for_themselves(api: Api, members: str) -> None:
    """One's own `notify` needs no right, and no one else is shown it."""
    own = (await api.ok("PUT", f"{members}/ada", by="ada", json={"notify": "mentions"}))["member"]
    assert "mentions" == own["notify"]
    assert "notify" not in (await api.ok("GET", f"{members}/ada", by="ms-rao"))["member"]
    assert "mentions" == (await api.ok("GET", members.removesuffix("/members"), by="ada"))["room"]["me"]["notify"]


async def test_a_mute_holds_and_is_lifted(api: Api, members: str) -> None:
    """A muted member is told how long; an instant in the past lifts it."""
    messages = members.replace("/members", "/messages")
    muted = await api.ok("PUT", f"{members}/ada", by="ms-rao", json={"muted_until": "2999-01-01T00:00:00+05:30"})
    assert "2998-12-31T18:30:00.000Z" == muted["member"]["muted_until"]
    refused = await api.refused("POST", messages, by="ada", json={"body": "x"})
    assert ("room.muted", True) == (refused["code"], refused["retry_after_ms"] > 1000)
    await api.ok("PUT", f"{members}/ada", by="ms-rao", json={"muted_until": "2020-01-01T00:00:00Z"})
    await api.ok("POST", messages, by="ada", json={"body": "x"})


async def test_leaving_ends_what_one_may_see(api: Api, members: str) -> None:
    """204, live connections are told, and from then on the room does not exist."""
    async with connected(api.server.url, "ada", token(api.server, "ada")) as ada:
        assert 204 == (await api.call("DELETE", f"{members}/ada", by="ada")).status
        gone = await ada.wait_for("room:removed")
    assert (members.split("/")[3], "left") == (gone["room_id"], gone["reason"])
    assert "room.not_found" == (await api.refused("GET", members, by="ada"))["code"]


@pytest.mark.parametrize(("method", "json"), [("GET", None), ("DELETE", None)])
async def test_somebody_who_is_not_there(api: Api, members: str, method: str, json: object) -> None:
    """A member asks for someone who is not in the room."""
    assert "user.not_found" == (await api.refused(method, f"{members}/ben", by="ms-rao", json=json))["code"]


async def test_nobody_is_added_who_does_not_exist(api: Api, members: str) -> None:
    """A membership needs a person."""
    assert "user.not_found" == (await api.refused("PUT", f"{members}/nobody", by="ms-rao", json={}))["code"]


async def test_a_direct_room_is_for_its_two(api: Api) -> None:
    """Nobody comes or goes, not even by the office."""
    room = (await api.ok("POST", "/v1/rooms", by="ada", json={"kind": "direct", "user_id": "ben"}))["room"]
    members = f"/v1/rooms/{room['id']}/members"
    assert "room.forbidden" == (await api.refused("PUT", f"{members}/eve", by="ada", json={}))["code"]
    assert "room.forbidden" == (await api.refused("DELETE", f"{members}/ada", by="ada"))["code"]
    assert "room.not_found" == (await api.refused("PUT", f"{members}/eve", by="admin", json={}))["code"]


@pytest.mark.parametrize(
    ("json", "field"),
    [
        ({"role": "king"}, "role"),
        ({"notify": True}, "notify"),
        ({"muted_until": "tomorrow"}, "muted_until"),
        ({"muted_until": "2030-01-01T00:00:00"}, "muted_until"),
        ({"muted_until": 1_900_000_000}, "muted_until"),
    ],
)
async def test_a_bad_membership_names_its_field(api: Api, members: str, json: object, field: str) -> None:
    """Unknown words, and times that nobody could be sure of."""
    problem = await api.refused("PUT", f"{members}/ada", by="ms-rao", json=json)
    assert ("request.invalid", [field]) == (problem["code"], problem["fields"])
