"""Rooms, joining, syncing, receipts, typing: over real connections."""

from contextlib import AsyncExitStack
from pathlib import Path

from tests.integration.conftest import Join
from tests.integration.test_messages import direct
from tests.support.person import Person, connected
from tests.support.server import running, token

EVENTS_OF_A_ROOM: dict[str, dict[str, object]] = {
    "room:join": {},
    "room:sync": {"since_rev": 0},
    "message:send": {"client_id": "1", "body": "let me in"},
    "message:history": {},
    "receipt:mark": {"read_seq": 1},
    "typing:set": {"on": True},
}


async def group(owner: Person, *others: Person, kind: str = "group") -> str:
    """Make a room; return its id."""
    payload = {"kind": kind, "title": "Room", "member_ids": [one.user_id for one in others]}
    room_id: str = (await owner.ok("room:open", payload))["room"]["id"]
    return room_id


async def test_a_new_group_is_live_for_its_members_at_once(join: Join) -> None:
    """Members hear of the room and get its messages without joining it."""
    rao, ada = await join("ms-rao", "teacher"), await join("ada")
    room_id = await group(rao, ada)
    assert room_id == (await ada.wait_for("room:changed"))["room"]["id"]
    await rao.send(room_id, "welcome")
    assert "welcome" == (await ada.wait_for("message:new"))["message"]["body"]


async def test_an_outsider_is_told_that_there_is_no_room(join: Join) -> None:
    """Every room event of somebody who is no member answers `room.not_found`, as for a room that does not exist."""
    ada, ben, eve = await join("ada"), await join("ben"), await join("eve")
    room_id = await direct(ada, ben)
    await ada.send(room_id, "secret")
    for wanted in (room_id, "no-such-room"):
        for event, more in EVENTS_OF_A_ROOM.items():
            assert "room.not_found" == (await eve.refused(event, {"room_id": wanted, **more}))["code"], event
    await ada.send(room_id, "still secret")
    await ben.wait_for("message:new", lambda data: data["message"]["body"] == "still secret")
    await eve.settle()
    assert [] == eve.seen("message:new")


async def test_a_session_is_live_only_after_joining(join: Join) -> None:
    """Session rooms are joined explicitly; join and leave are told to those inside."""
    rao, ada = await join("ms-rao", "teacher"), await join("ada")
    room_id = await group(rao, ada, kind="session")
    await rao.ok("room:join", {"room_id": room_id})
    await rao.send(room_id, "before")
    await ada.settle()
    assert [] == ada.seen("message:new")
    joined = await ada.ok("room:join", {"room_id": room_id})
    assert ["before"] == [message["body"] for message in joined["messages"]]
    await rao.send(room_id, "after")
    await ada.wait_for("message:new", lambda data: data["message"]["body"] == "after")
    await ada.ok("room:leave", {"room_id": room_id})
    changes = [(data["user_id"], data["change"]) for data in rao.seen("room:member_changed")]
    await rao.wait_for("room:member_changed", lambda data: data["change"] == "left")
    assert ("ada", "joined") in changes
    await rao.send(room_id, "gone")
    await ada.settle()
    assert "gone" not in [data["message"]["body"] for data in ada.seen("message:new")]


async def test_a_crowd_comes_and_goes_quietly(tmp_path: Path) -> None:
    """In a session above the limit for broadcasts nobody is told who comes; who was announced leaves aloud."""
    async with running(tmp_path, {"broadcast_members": 2}) as server, AsyncExitStack() as stack:
        rao, ada, ben, chen = [
            await stack.enter_async_context(connected(server.url, user_id, token(server, user_id, role)))
            for user_id, role in [("rao", "teacher"), ("ada", "student"), ("ben", "student"), ("chen", "student")]
        ]
        opened = await rao.ok("room:open", {"kind": "session", "title": "Hall", "settings": {"open": True}})
        room_id = opened["room"]["id"]
        for person in (rao, ada, ben, chen):
            await person.ok("room:join", {"room_id": room_id})
        for person in (chen, ben, ada):
            await person.ok("room:leave", {"room_id": room_id})
        await rao.wait_for("room:member_changed", lambda data: data["change"] == "left")
        told = [(data["user_id"], data["change"]) for data in rao.seen("room:member_changed")]
        assert [("rao", "joined"), ("ada", "added"), ("ada", "joined"), ("ada", "left")] == told


async def test_students_may_not_open_sessions_nor_announce(join: Join) -> None:
    """What only staff may start is `auth.forbidden`; an announcement's members may only read."""
    admin, ada = await join("admin", "admin"), await join("ada")
    for kind in ("session", "announcement"):
        refusal = await ada.refused("room:open", {"kind": kind, "title": "Mine", "member_ids": []})
        assert "auth.forbidden" == refusal["code"]
    room_id = await group(admin, ada, kind="announcement")
    payload = {"room_id": room_id, "client_id": "1", "body": "me too"}
    assert "room.forbidden" == (await ada.refused("message:send", payload))["code"]
    await admin.send(room_id, "news")
    assert 1 == len((await ada.ok("room:join", {"room_id": room_id}))["messages"])


async def test_sync_returns_what_changed_in_rev_order(join: Join) -> None:
    """After a gap a client gets each changed message once, under its latest rev, and nothing it had."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    first = await ada.send(room_id, "first")
    second = await ada.send(room_id, "second")
    await ada.ok("message:edit", {"message_id": first["id"], "body": "first, edited"})
    synced = await ben.ok("room:sync", {"room_id": room_id, "since_rev": 1})
    assert [second["id"], first["id"]] == [message["id"] for message in synced["messages"]]
    assert ([2, 3], 3, False) == ([m["rev"] for m in synced["messages"]], synced["rev"], synced["reset"])
    again = await ben.ok("room:sync", {"room_id": room_id, "since_rev": 3})
    assert ([], 3, False) == (again["messages"], again["rev"], again["reset"])


async def test_a_rev_from_the_future_resets(join: Join) -> None:
    """A client ahead of the server (a store restored from a backup) is told to start over."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    await ada.send(room_id, "only")
    synced = await ben.ok("room:sync", {"room_id": room_id, "since_rev": 99})
    assert (True, 1, ["only"]) == (synced["reset"], synced["rev"], [m["body"] for m in synced["messages"]])


async def test_receipts_move_forward_only(join: Join) -> None:
    """Marks are clamped to the room, imply delivery, never go back, and reach the other side."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    for body in ("one", "two", "three"):
        await ada.send(room_id, body)
    marked = await ben.ok("receipt:mark", {"room_id": room_id, "read_seq": 2})
    assert (2, 2) == (marked["receipt"]["read_seq"], marked["receipt"]["delivered_seq"])
    assert marked["receipt"] == (await ada.wait_for("receipt:changed"))["receipt"]
    back = await ben.ok("receipt:mark", {"room_id": room_id, "read_seq": 1})
    assert 2 == back["receipt"]["read_seq"]
    beyond = await ben.ok("receipt:mark", {"room_id": room_id, "read_seq": 1000})
    assert 3 == beyond["receipt"]["read_seq"]
    assert 3 == (await ada.wait_for("receipt:changed", lambda d: d["receipt"]["read_seq"] == 3))["receipt"]["read_seq"]


async def test_unread_counts_what_others_wrote_since(join: Join) -> None:
    """Unread rises with messages of others, falls with marks, and writing an answer is having read."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    for body in ("one", "two", "three"):
        await ada.send(room_id, body)

    async def unread(person: Person) -> int:
        count: int = (await person.ok("room:list", {}))["rooms"][0]["me"]["unread"]
        return count

    assert (0, 3) == (await unread(ada), await unread(ben))
    await ben.ok("receipt:mark", {"room_id": room_id, "read_seq": 2})
    assert 1 == await unread(ben)
    await ben.send(room_id, "answer")
    assert (1, 0) == (await unread(ada), await unread(ben))
    caught_up = await ada.wait_for("receipt:changed", lambda data: data["receipt"]["read_seq"] == 4)
    assert "ben" == caught_up["receipt"]["user_id"]


async def test_typing_reaches_the_others_only(join: Join) -> None:
    """The other side sees typing start and stop; the one who types does not."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    await ada.ok("typing:set", {"room_id": room_id, "on": True})
    assert {"room_id": room_id, "user_id": "ada", "on": True} == await ben.wait_for("typing:changed")
    await ada.ok("typing:set", {"room_id": room_id, "on": False})
    await ben.wait_for("typing:changed", lambda data: not data["on"])
    await ada.ok("typing:set", {"room_id": room_id, "on": True})
    assert [] == ada.seen("typing:changed")


async def test_rooms_page_by_cursor(join: Join) -> None:
    """Listing pages newest first without a repeat, and a made-up cursor is `request.invalid`."""
    ada = await join("ada")
    made = [(await ada.ok("room:open", {"kind": "group", "title": f"{n}", "member_ids": []}))["room"] for n in range(5)]
    first = await ada.ok("room:list", {"limit": 3})
    second = await ada.ok("room:list", {"limit": 3, "cursor": first["next_cursor"]})
    listed = [room["id"] for room in first["rooms"] + second["rooms"]]
    assert {room["id"] for room in made} == set(listed)
    assert 5 == len(listed)
    assert "next_cursor" not in second
    assert ["cursor"] == (await ada.refused("room:list", {"cursor": "bogus"}))["fields"]
