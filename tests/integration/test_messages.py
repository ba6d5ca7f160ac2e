"""Messages over a real connection: WIRE.md §1 as clients live it."""

import asyncio

from realtime.lifecycle import Server
from tests.integration.conftest import Join
from tests.support.person import Person, connected
from tests.support.server import token


async def direct(one: Person, other: Person) -> str:
    """Open the direct room of two people; return its id."""
    room_id: str = (await one.ok("room:open", {"kind": "direct", "user_id": other.user_id}))["room"]["id"]
    return room_id


async def test_a_message_reaches_both_sides(join: Join) -> None:
    """The sender gets the ack and the event, the other side gets the event, and all three are the same message."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    sent = await ada.send(room_id, "hello")
    assert {"message": sent} == await ben.wait_for("message:new")
    assert {"message": sent} == await ada.wait_for("message:new")
    assert (1, 1, "ada", "hello") == (sent["seq"], sent["rev"], sent["sender_id"], sent["body"])


async def test_opening_a_pair_twice_returns_one_room(join: Join) -> None:
    """Both sides opening the pair at once still share one room, titled with the other's name."""
    ada, ben = await join("ada"), await join("ben")
    rooms = await asyncio.gather(*(direct(*pair) for pair in [(ada, ben), (ben, ada)] * 4))
    assert 1 == len(set(rooms))
    listed = (await ada.ok("room:list", {}))["rooms"]
    assert [("direct", "Ben", "ben")] == [(room["kind"], room["title"], room["peer"]["id"]) for room in listed]


async def test_a_retry_returns_the_first_message(join: Join) -> None:
    """The same client id, sent often and at once, is one message with one seq and one event."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    payload = {"room_id": room_id, "client_id": "same", "body": "once"}
    answers = await asyncio.gather(*(ada.ok("message:send", payload) for _ in range(10)))
    assert 1 == len({answer["message"]["id"] for answer in answers})
    await ben.settle()
    assert 1 == len(ben.seen("message:new"))


async def test_two_devices_retry_the_same_send(join: Join) -> None:
    """Two connections of one user racing with one client id make one message."""
    phone, laptop, ben = await join("ada"), await join("ada"), await join("ben")
    room_id = await direct(phone, ben)
    payload = {"room_id": room_id, "client_id": "same", "body": "once"}
    answers = await asyncio.gather(*(one.ok("message:send", payload) for one in [phone, laptop] * 5))
    assert 1 == len({answer["message"]["id"] for answer in answers})


async def test_an_event_without_ack_id_is_processed(join: Join) -> None:
    """A send that asks for no ack is stored and delivered all the same."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    await ada.emit("message:send", {"room_id": room_id, "client_id": "1", "body": "quiet"})
    assert "quiet" == (await ben.wait_for("message:new"))["message"]["body"]


async def test_edit_delete_and_react_use_one_rev_each(join: Join) -> None:
    """Each change reaches the other side as `message:updated` under the next rev; the seq stays."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    message_id = (await ada.send(room_id, "helo"))["id"]
    await ada.ok("message:edit", {"message_id": message_id, "body": "hello"})
    await ben.ok("message:react", {"message_id": message_id, "emoji": "👍", "on": True})
    await ada.ok("message:delete", {"message_id": message_id})
    await ben.settle()
    updates = [payload["message"] for payload in ben.seen("message:updated")]
    assert [2, 3, 4] == [message["rev"] for message in updates]
    assert [1, 1, 1] == [message["seq"] for message in updates]
    assert ["hello", "hello", ""] == [message["body"] for message in updates]
    assert {"👍": ["ben"]} == updates[1]["reactions"]
    assert {} == updates[2]["reactions"]


async def test_only_the_author_may_edit(join: Join) -> None:
    """Someone else's message is `message.forbidden` to a room mate, and does not exist for an outsider."""
    ada, ben, eve = await join("ada"), await join("ben"), await join("eve")
    room_id = await direct(ada, ben)
    message_id = (await ada.send(room_id, "mine"))["id"]
    payload = {"message_id": message_id, "body": "yours"}
    assert "message.forbidden" == (await ben.refused("message:edit", payload))["code"]
    assert "message.not_found" == (await eve.refused("message:edit", payload))["code"]
    assert "message.not_found" == (await eve.refused("message:delete", {"message_id": message_id}))["code"]


async def test_a_reply_must_point_into_the_room(join: Join) -> None:
    """A reply to a message of another room would tell that it exists: it does not."""
    ada, ben, chen = await join("ada"), await join("ben"), await join("chen")
    here, there = await direct(ada, ben), await direct(ben, chen)
    foreign = (await ben.send(there, "secret"))["id"]
    payload = {"room_id": here, "client_id": "r", "body": "re", "reply_to": foreign}
    assert "message.not_found" == (await ada.refused("message:send", payload))["code"]


async def test_mentions_keep_only_members(join: Join) -> None:
    """Mentioning outsiders is dropped, so that nobody is rung for a room that they cannot read."""
    ada, ben, _ = await join("ada"), await join("ben"), await join("eve")
    room_id = await direct(ada, ben)
    assert ["ben"] == (await ada.send(room_id, "hi", mentions=["eve", "ben", "ben", "nobody"]))["mentions"]


async def test_history_pages_in_both_directions(join: Join) -> None:
    """Pages ascend by seq, and `has_more` tells the truth at every edge."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    for number in range(1, 8):
        await ada.send(room_id, str(number))

    async def page(**where: int) -> tuple[list[int], bool]:
        data = await ben.ok("message:history", {"room_id": room_id, **where})
        return [message["seq"] for message in data["messages"]], data["has_more"]

    assert ([5, 6, 7], True) == await page(limit=3)
    assert ([1, 2, 3, 4], False) == await page(before_seq=5, limit=4)
    assert ([3, 4], True) == await page(before_seq=5, limit=2)
    assert ([5, 6], True) == await page(after_seq=4, limit=2)
    assert ([6, 7], False) == await page(after_seq=5, limit=2)
    assert ([], False) == await page(after_seq=7)


async def test_concurrent_senders_give_one_order(join: Join) -> None:
    """Many senders at once: seqs have no gap, and everyone sees every rev in the same increasing order."""
    people = [await join(name) for name in ("ada", "ben", "chen", "dia")]
    opened = await people[0].ok("room:open", {"kind": "group", "title": "All", "member_ids": ["ben", "chen", "dia"]})
    room_id = opened["room"]["id"]
    await asyncio.gather(*(one.send(room_id, f"{number}") for one in people for number in range(25)))
    for person in people:
        await person.settle()
        arrived = [payload["message"] for payload in person.seen("message:new")]
        assert list(range(1, 101)) == [message["rev"] for message in arrived]
        assert list(range(1, 101)) == [message["seq"] for message in arrived]


async def test_offline_messages_wait(server: Server, join: Join) -> None:
    """What was sent while someone was away is there, unread, when they come."""
    ada, gone = await join("ada"), await join("ben")
    await gone.leave()
    room_id = (await ada.ok("room:open", {"kind": "direct", "user_id": "ben"}))["room"]["id"]
    for body in ("one", "two"):
        await ada.send(room_id, body)
    async with connected(server.url, "ben", token(server, "ben")) as ben:
        room = (await ben.ok("room:list", {}))["rooms"][0]
        assert (2, "two") == (room["me"]["unread"], room["last_message"]["body"])
        joined = await ben.ok("room:join", {"room_id": room_id})
        assert ["one", "two"] == [message["body"] for message in joined["messages"]]
        assert (2, False) == (joined["rev"], joined["reset"])
