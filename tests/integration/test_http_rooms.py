"""Rooms over HTTP."""

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


async def test_a_direct_room_is_one_for_the_pair(api: Api) -> None:
    """Whoever opens it, and however often, it is the same room; each sees the other's name as its title."""
    first = (await api.ok("POST", "/v1/rooms", by="ada", json={"kind": "direct", "user_id": "ben"}))["room"]
    again = (await api.ok("POST", "/v1/rooms", by="ben", json={"kind": "direct", "user_id": "ada"}))["room"]
    assert (first["id"], "Ben", "Ada") == (again["id"], first["title"], again["title"])
    assert {"id": "ben", "name": "Ben", "role": "student"} == first["peer"]


async def test_a_group_belongs_to_who_makes_it(api: Api) -> None:
    """The maker is owner, the others members, and it is on all their lists."""
    asked = {"kind": "group", "title": " Algebra ", "member_ids": ["ben"], "settings": {"slow_mode_s": 5}}
    room = (await api.ok("POST", "/v1/rooms", by="ms-rao", json=asked))["room"]
    assert ("Algebra", "ms-rao", 2, "owner") == (
        room["title"],
        room["created_by"],
        room["member_count"],
        room["me"]["role"],
    )
    assert {"open": False, "slow_mode_s": 5} == room["settings"]
    for by, role in (("ms-rao", "owner"), ("ben", "member")):
        rooms = (await api.ok("GET", "/v1/rooms", by=by))["rooms"]
        assert [(room["id"], role)] == [(one["id"], one["me"]["role"]) for one in rooms]


async def test_a_new_room_reaches_who_is_live(api: Api) -> None:
    """What is made over HTTP is told over the sockets."""
    async with connected(api.server.url, "ben", token(api.server, "ben")) as ben:
        room_id = await api.group("ms-rao", "ben")
        event = await ben.wait_for("room:changed")
    assert room_id == event["room"]["id"]


@pytest.mark.parametrize(
    ("by", "kind", "status"),
    [
        ("ada", "direct", 201),
        ("ivy", "direct", 403),
        (SERVICE, "direct", 403),
        ("ada", "group", 201),
        ("ivy", "group", 403),
        (SERVICE, "group", 201),
        ("ada", "session", 403),
        ("ms-rao", "session", 201),
        ("admin", "session", 201),
        (SERVICE, "session", 201),
        ("ada", "announcement", 403),
        ("ms-rao", "announcement", 201),
    ],
)
async def test_who_may_open_what(api: Api, by: str, kind: str, status: int) -> None:
    """The role in the school decides."""
    asked = {"kind": kind, "user_id": "ben"} if kind == "direct" else {"kind": kind, "title": "T"}
    assert status == (await api.call("POST", "/v1/rooms", by=by, json=asked)).status


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ({}, []),
        ({"kind": "support", "title": "T"}, []),
        ({"kind": "direct"}, ["user_id"]),
        ({"kind": "direct", "user_id": "ada"}, ["user_id"]),
        ({"kind": "group"}, ["title"]),
        ({"kind": "group", "title": "  "}, ["title"]),
        ({"kind": "group", "title": "x" * 201}, ["title"]),
        ({"kind": "group", "title": "a\x07b"}, ["title"]),
        ({"kind": "group", "title": 7}, ["title"]),
        ({"kind": "group", "title": "T", "member_ids": "ben"}, ["member_ids"]),
        ({"kind": "group", "title": "T", "member_ids": ["ben", 3]}, ["member_ids.1"]),
        ({"kind": "group", "title": "T", "settings": {"slow_mode_s": -1}}, ["settings.slow_mode_s"]),
        ({"kind": "group", "title": "T", "settings": {"open": "yes"}}, ["settings.open"]),
    ],
)
async def test_a_bad_room_names_its_fields(api: Api, asked: object, fields: list[str]) -> None:
    """Each mistake is named by its path in the body."""
    problem = await api.refused("POST", "/v1/rooms", by="ada", json=asked)
    assert ("request.invalid", fields) == (problem["code"], problem["fields"])


async def test_a_room_needs_people_who_exist(api: Api) -> None:
    """An unknown member is refused, and no room is left behind."""
    asked = {"kind": "group", "title": "T", "member_ids": ["ben", "nobody"]}
    assert "user.not_found" == (await api.refused("POST", "/v1/rooms", by="ada", json=asked))["code"]
    assert {"rooms": []} == await api.ok("GET", "/v1/rooms", by="ada")


async def test_rooms_come_newest_activity_first_in_pages(api: Api) -> None:
    """A message moves its room to the top; cursors walk through all, and a kind can be asked for."""
    ids = [await api.group("ada", title=f"room {number}") for number in range(3)]
    direct = (await api.ok("POST", "/v1/rooms", by="ada", json={"kind": "direct", "user_id": "ben"}))["room"]["id"]
    await api.send("ada", ids[0], "up")
    first = await api.ok("GET", "/v1/rooms?limit=2", by="ada")
    rest = await api.ok("GET", f"/v1/rooms?limit=2&cursor={first['next_cursor']}", by="ada")
    seen = [room["id"] for page in (first, rest) for room in page["rooms"]]
    assert (sorted([*ids, direct]), ids[0]) == (sorted(seen), seen[0])
    assert "next_cursor" not in rest
    assert [direct] == [room["id"] for room in (await api.ok("GET", "/v1/rooms?kind=direct", by="ada"))["rooms"]]
    assert "up" == first["rooms"][0]["last_message"]["body"]


@pytest.mark.parametrize("query", ["kind=castle", "limit=0", "limit=201", "cursor=W10", "cursor=%FF"])
async def test_a_bad_list_is_refused(api: Api, query: str) -> None:
    """Unknown kinds, silly limits and made-up cursors."""
    assert "request.invalid" == (await api.refused("GET", f"/v1/rooms?{query}", by="ada"))["code"]


async def test_one_room_as_its_member_sees_it(api: Api) -> None:
    """Unread counts are the reader's own."""
    room_id = await api.group("ada", "ben")
    await api.send("ada", room_id, "one")
    unread = {by: (await api.ok("GET", f"/v1/rooms/{room_id}", by=by))["room"]["me"]["unread"] for by in ("ada", "ben")}
    assert {"ada": 0, "ben": 1} == unread


async def test_a_service_reads_any_room(api: Api) -> None:
    """The school's backend sees a room without being in it."""
    room_id = await api.group("ada", "ben")
    assert "me" not in (await api.ok("GET", f"/v1/rooms/{room_id}", by=SERVICE))["room"]


async def test_a_room_is_changed_by_who_keeps_it(api: Api) -> None:
    """What is left out stays; an empty change changes nothing."""
    room_id = await api.group("ms-rao", "ada")
    path = f"/v1/rooms/{room_id}"
    changed = await api.ok("PATCH", path, by="ms-rao", json={"title": "Geometry", "settings": {"slow_mode_s": 3}})
    assert ("Geometry", 3, False) == (
        changed["room"]["title"],
        changed["room"]["settings"]["slow_mode_s"],
        changed["room"]["archived"],
    )
    same = await api.ok("PATCH", path, by="ms-rao", json={})
    assert (changed["room"]["rev"], "Geometry") == (same["room"]["rev"], same["room"]["title"])


async def test_the_office_may_change_any_room(api: Api) -> None:
    """An admin and a service manage rooms that they are not in."""
    path = f"/v1/rooms/{await api.group('ada')}"
    for by in ("admin", SERVICE):
        assert by == (await api.ok("PATCH", path, by=by, json={"title": by}))["room"]["title"]


async def test_a_member_may_not_change_a_room(api: Api) -> None:
    """Those who may read it are told so."""
    path = f"/v1/rooms/{await api.group('ms-rao', 'ada')}"
    assert "room.forbidden" == (await api.refused("PATCH", path, by="ada", json={"title": "X"}))["code"]


async def test_an_archived_room_takes_no_messages(api: Api) -> None:
    """409, until it is opened again."""
    room_id = await api.group("ms-rao")
    await api.ok("PATCH", f"/v1/rooms/{room_id}", by="ms-rao", json={"archived": True})
    refused = await api.refused("POST", f"/v1/rooms/{room_id}/messages", by="ms-rao", json={"body": "x"})
    assert ("room.locked", 409) == (refused["code"], refused["status"])
    await api.ok("PATCH", f"/v1/rooms/{room_id}", by="ms-rao", json={"archived": False})
    await api.send("ms-rao", room_id, "x")


OUTSIDE = [
    ("GET", "", None),
    ("PATCH", "", {"title": "X"}),
    ("GET", "/messages", None),
    ("POST", "/messages", {"body": "x"}),
    ("GET", "/members", None),
    ("GET", "/members/ada", None),
    ("GET", "/members/eve", None),
    ("PUT", "/members/eve", {}),
    ("PUT", "/members/eve", {"notify": "none"}),
    ("PUT", "/members/ada", {"role": "observer"}),
    ("DELETE", "/members/ada", None),
    ("DELETE", "/members/eve", None),
]


@pytest.mark.parametrize(("method", "rest", "json"), OUTSIDE)
@pytest.mark.parametrize("by", ["eve", "ivy", "ms-rao"])
async def test_an_outsider_cannot_tell_a_room_from_none(
    api: Api, by: str, method: str, rest: str, json: object
) -> None:
    """Everything that is done to a foreign room answers exactly as if there were no such room."""
    room_id = await api.group("ada", "ben")
    foreign = await api.call(method, f"/v1/rooms/{room_id}{rest}", by=by, json=json)
    nowhere = await api.call(method, f"/v1/rooms/nowhere{rest}", by=by, json=json)
    assert ("room.not_found", nowhere.body) == (foreign.code, foreign.body)


@pytest.mark.parametrize(("method", "rest", "json"), OUTSIDE)
async def test_nothing_of_a_room_without_signing_in(api: Api, method: str, rest: str, json: object) -> None:
    """Each of them needs a token."""
    problem = await api.refused(method, f"/v1/rooms/nowhere{rest}", json=json)
    assert "auth.missing_token" == problem["code"]
