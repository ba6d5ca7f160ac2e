"""Messages over HTTP."""

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
async def room_id(api: Api) -> str:
    """A group of Ms Rao and Ada."""
    return await api.group("ms-rao", "ada")


async def test_a_message_is_stored_and_told(api: Api, room_id: str) -> None:
    """What HTTP answers, the sockets carry and the history holds is one and the same."""
    async with connected(api.server.url, "ada", token(api.server, "ada")) as ada:
        sent = await api.send("ms-rao", room_id, "Good morning, class!", mentions=["ada", "nobody"])
        heard = (await ada.wait_for("message:new"))["message"]
    history = await api.ok("GET", f"/v1/rooms/{room_id}/messages", by="ada")
    assert (sent, {"messages": [sent], "has_more": False}) == (heard, history)
    assert ("ms-rao", 1, ["ada"]) == (sent["sender_id"], sent["seq"], sent["mentions"])


async def test_a_client_id_makes_a_retry_safe(api: Api, room_id: str) -> None:
    """The same client id gives the first message again, whatever the body says."""
    first = await api.send("ada", room_id, "one", client_id="c1")
    assert first == await api.send("ada", room_id, "two", client_id="c1")
    assert first["id"] != (await api.send("ms-rao", room_id, "one", client_id="c1"))["id"]


async def test_without_a_client_id_each_post_is_a_message(api: Api, room_id: str) -> None:
    """The server makes one."""
    first, second = await api.send("ada", room_id, "one"), await api.send("ada", room_id, "one")
    assert (1, 2) == (first["seq"], second["seq"])
    assert first["client_id"] != second["client_id"]


async def test_the_idempotency_key_is_the_client_id(api: Api, room_id: str) -> None:
    """So that a retry is safe even if the first answer was never kept."""
    answer = await api.call("POST", f"/v1/rooms/{room_id}/messages", by="ada", json={"body": "one"}, key="k-1")
    assert "k-1" == answer.json["message"]["client_id"]


async def test_a_service_writes_into_any_room(api: Api, room_id: str) -> None:
    """The backend posts as itself."""
    assert "service" == (await api.send(SERVICE, room_id, "Homework is due."))["sender_id"]


async def test_history_goes_both_ways(api: Api, room_id: str) -> None:
    """Pages are ascending; `has_more` looks in the direction that was asked."""
    for number in range(1, 8):
        await api.send("ada", room_id, f"m{number}")
    path = f"/v1/rooms/{room_id}/messages"
    pages = {
        "limit=3": ([5, 6, 7], True),
        "before_seq=5&limit=3": ([2, 3, 4], True),
        "before_seq=2": ([1], False),
        "after_seq=2&limit=3": ([3, 4, 5], True),
        "after_seq=6": ([7], False),
        "after_seq=7": ([], False),
        "before_seq=0": ([], False),
    }
    for query, expected in pages.items():
        page = await api.ok("GET", f"{path}?{query}", by="ada")
        assert expected == ([message["seq"] for message in page["messages"]], page["has_more"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=101", "limit"),
        ("before_seq=-1", "before_seq"),
        ("after_seq=9007199254740992", "after_seq"),
        ("after_seq=x", "after_seq"),
    ],
)
async def test_a_bad_page_names_its_field(api: Api, room_id: str, query: str, field: str) -> None:
    """Numbers that no seq can be."""
    problem = await api.refused("GET", f"/v1/rooms/{room_id}/messages?{query}", by="ada")
    assert ("request.invalid", [field]) == (problem["code"], problem["fields"])


async def test_who_may_write_where(api: Api) -> None:
    """In an announcement its keepers write; an observer reads; a viewer never writes."""
    asked = {"kind": "announcement", "title": "News", "member_ids": ["ada", "ivy"]}
    room_id = (await api.ok("POST", "/v1/rooms", by="ms-rao", json=asked))["room"]["id"]
    path = f"/v1/rooms/{room_id}/messages"
    await api.ok("POST", path, by="ms-rao", json={"body": "x"})
    for by in ("ada", "ivy"):
        await api.ok("GET", path, by=by)
        assert "room.forbidden" == (await api.refused("POST", path, by=by, json={"body": "x"}))["code"]


async def test_slow_mode_says_how_long(api: Api) -> None:
    """The second message of a member is refused with the time to wait, in both units."""
    room_id = await api.group("ms-rao", "ada", settings={"slow_mode_s": 60})
    await api.send("ada", room_id, "one")
    answer = await api.call("POST", f"/v1/rooms/{room_id}/messages", by="ada", json={"body": "two"})
    assert (429, "room.slow_mode") == (answer.status, answer.code)
    assert 0 < answer.json["retry_after_ms"] <= 60_000
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    await api.send("ms-rao", room_id, "one")
    await api.send("ms-rao", room_id, "two")


async def test_a_body_at_the_limit_is_taken(api: Api, room_id: str) -> None:
    """8,000 characters, of four bytes each, arrive unharmed."""
    assert "😀" * 8000 == (await api.send("ada", room_id, "😀" * 8000))["body"]


@pytest.mark.parametrize(
    ("json", "code"),
    [
        ({"body": "x" * 10_001}, "message.too_long"),
        ({"body": "x" * 8001}, "message.too_long"),
        ({"body": ""}, "request.invalid"),
        ({"body": " \n\t "}, "request.invalid"),
        ({"body": "a\u0000b"}, "request.invalid"),
        ({"body": "a\u001b[31mb"}, "request.invalid"),
        ({"body": 7}, "request.invalid"),
        ({"body": None}, "request.invalid"),
        ({"body": ["x"]}, "request.invalid"),
        ({"body": "x", "client_id": ""}, "request.invalid"),
        ({"body": "x", "client_id": "x" * 129}, "request.invalid"),
        ({"body": "x", "kind": "system"}, "request.invalid"),
        ({"body": "x", "mentions": ["u"] * 51}, "request.invalid"),
        ({"body": "x", "reply_to": "nothing"}, "message.not_found"),
        ({"body": "x", "attachments": ["f"]}, "file.not_found"),
    ],
)
async def test_a_bad_message_is_refused(api: Api, room_id: str, json: object, code: str) -> None:
    """Too long, empty, control characters, wrong types, what only the server may say, what is not there."""
    path = f"/v1/rooms/{room_id}/messages"
    assert code == (await api.refused("POST", path, by="ada", json=json))["code"]
    assert [] == (await api.ok("GET", path, by="ada"))["messages"]


async def test_a_reply_stays_in_its_room(api: Api, room_id: str) -> None:
    """A message of another room, even a readable one, cannot be answered here."""
    elsewhere = await api.send("ada", await api.group("ada"), "x")
    here = await api.send("ada", room_id, "x")
    path = f"/v1/rooms/{room_id}/messages"
    refused = await api.refused("POST", path, by="ada", json={"body": "y", "reply_to": elsewhere["id"]})
    assert "message.not_found" == refused["code"]
    assert here["id"] == (await api.send("ada", room_id, "y", reply_to=here["id"]))["reply_to"]
