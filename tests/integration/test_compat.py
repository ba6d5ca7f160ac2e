"""The minimal classroom socket contract (WIRE.md §3), beside clients of the full one."""

from functools import partial
from pathlib import Path
from typing import Any

from tests.integration.conftest import Join
from tests.support.person import connected
from tests.support.server import running, token


def _carries(name: str, data: dict[str, Any]) -> bool:
    return name in data


async def test_a_classroom_front_end_works_as_it_stands(join: Join) -> None:
    """Staff open the session by joining, students follow, and the payload comes back with what the contract adds."""
    rao, ada = await join("ms-rao", "teacher"), await join("ada")
    assert {} == await rao.ok("join-session", "class-42")
    assert {} == await ada.ok("join-session", "class-42")
    await ada.emit("send-message", {"sessionId": "class-42", "message": "hi", "user": "Ada", "colour": "teal", "id": 7})
    heard = await rao.wait_for("new-message")
    assert heard == await ada.wait_for("new-message")
    stored = (await rao.ok("message:history", {"room_id": "class-42"}))["messages"][0]
    assert {
        "sessionId": "class-42",
        "message": "hi",
        "user": "Ada",
        "colour": "teal",
        "id": stored["id"],
        "seq": 1,
        "senderId": "ada",
        "timestamp": stored["created_at"],
    } == heard
    assert "hi" == stored["body"]


async def test_text_and_body_are_the_message_too(join: Join) -> None:
    """Front ends name the text `message`, `text` or `body`; what they sent comes back under the same name."""
    rao = await join("ms-rao", "teacher")
    await rao.ok("join-session", "s")
    for name in ("text", "body"):
        await rao.ok("send-message", {"sessionId": "s", name: f"by {name}"})
        heard = await rao.wait_for("new-message", partial(_carries, name))
        assert f"by {name}" == heard[name]


async def test_both_contracts_share_the_room(join: Join) -> None:
    """A message sent either way reaches clients of both: one path, not two."""
    rao, ada = await join("ms-rao", "teacher"), await join("ada")
    await rao.ok("join-session", "s")
    await ada.ok("room:join", {"room_id": "s"})
    await ada.send("s", "from the full contract")
    await rao.wait_for("new-message", lambda data: data["message"] == "from the full contract")
    await rao.ok("send-message", {"sessionId": "s", "message": "from the minimal one"})
    await ada.wait_for("message:new", lambda data: data["message"]["body"] == "from the minimal one")
    assert [] == ada.seen("new-message")


async def test_students_cannot_invent_sessions(join: Join) -> None:
    """An unknown id is no room when a student comes first, and a private room's id never is one."""
    ada, rao, eve = await join("ada"), await join("ms-rao", "teacher"), await join("eve")
    assert "room.not_found" == (await ada.refused("join-session", "made-up"))["code"]
    refused = await ada.refused("send-message", {"sessionId": "made-up", "message": "anyone?"})
    assert "room.not_found" == refused["code"]
    private = (await rao.ok("room:open", {"kind": "session", "title": "Ours", "member_ids": ["ada"]}))["room"]["id"]
    assert {} == await ada.ok("join-session", private)
    assert "room.not_found" == (await eve.refused("join-session", private))["code"]
    direct = (await rao.ok("room:open", {"kind": "direct", "user_id": "ada"}))["room"]["id"]
    assert "room.not_found" == (await ada.refused("join-session", direct))["code"]


async def test_a_school_may_let_anyone_open_sessions(tmp_path: Path) -> None:
    """Under HOMEROOM_COMPAT_OPEN_SESSIONS=1 the first to come makes the room, whoever they are."""
    async with (
        running(tmp_path, compat_open_sessions=True) as server,
        connected(server.url, "ada", token(server, "ada")) as ada,
        connected(server.url, "ben", token(server, "ben")) as ben,
    ):
        await ada.ok("join-session", "study")
        await ben.ok("join-session", "study")
        await ada.ok("send-message", {"sessionId": "study", "message": "hi"})
        assert "ada" == (await ben.wait_for("new-message"))["senderId"]


async def test_a_retry_with_a_client_id_is_one_message(join: Join) -> None:
    """A front end that sends its own `clientId` may retry without doubling."""
    rao = await join("ms-rao", "teacher")
    await rao.ok("join-session", "s")
    payload = {"sessionId": "s", "message": "once", "clientId": "c1"}
    ids = {(await rao.ok("send-message", payload))["message"]["id"] for _ in range(3)}
    assert 1 == len(ids)
    await rao.settle()
    assert 1 == len(rao.seen("new-message"))
