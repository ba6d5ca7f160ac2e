"""What waits for nothing is done when its packet comes in: the engine then makes no task for it."""

from typing import Any

import pytest

from core.ids import RoomId, UserId
from realtime.app import App
from tests.support.desk import Seat


def at_once(seat: Seat, event: str, payload: object) -> Any:
    """Handle an event outside of any task, without a turn of the loop; return the envelope of its ack."""
    handling = seat.app.edge.received(seat.sid, event, [payload], 1000, 10)
    with pytest.raises(StopIteration):
        handling.send(None)
    return seat.link.acks()[1000]


async def test_typing_in_a_room_that_is_known(app: App) -> None:
    """After the first event of a member in a room the policy decides from memory."""
    ada = await Seat(app, "ada").sit()
    room_id = (await ada.ok("room:open", {"kind": "group", "title": "Algebra"}))["room"]["id"]
    await ada.ok("typing:set", {"room_id": room_id, "on": True})
    assert at_once(ada, "typing:set", {"room_id": room_id, "on": False})["ok"]


async def test_whoever_was_removed_is_refused_by_the_next_event(app: App) -> None:
    """What was remembered of a member ends with the removal, for reading and for writing."""
    rao, ada = await Seat(app, "rao", "teacher").sit(), await Seat(app, "ada").sit()
    opened = await rao.ok("room:open", {"kind": "group", "title": "Algebra", "member_ids": ["ada"]})
    room_id = opened["room"]["id"]
    send = {"room_id": room_id, "body": "Hello"}
    for number in range(2):
        await ada.ok("message:send", {**send, "client_id": str(number)})
    await app.services.members.remove(rao.connection.principal, RoomId(room_id), UserId("ada"))
    for event, payload in (
        ("message:send", {**send, "client_id": "after"}),
        ("typing:set", {"room_id": room_id, "on": True}),
        ("receipt:mark", {"room_id": room_id, "read_seq": 1}),
        ("message:history", {"room_id": room_id}),
    ):
        envelope = await ada.call(event, payload)
        assert "room.not_found" == envelope["error"]["code"]


async def test_refusals_and_goodbyes(app: App) -> None:
    """Wrong payloads, unknown events, presence that is no longer wanted, and leaving a room."""
    ada = await Seat(app, "ada").sit()
    wrong: list[tuple[str, object]] = [("typing:set", {}), ("room:explode", {}), ("room:join", 7)]
    assert [False] * 3 == [at_once(ada, *each)["ok"] for each in wrong]
    assert at_once(ada, "presence:unwatch", {"user_ids": ["ben"]})["ok"]
    assert at_once(ada, "room:leave", {"room_id": "r"})["ok"]


async def test_who_comes_again_is_accepted_at_once(app: App) -> None:
    """A person who is known is let in without a look into the store."""
    await Seat(app, "ada").sit()
    again = Seat(app, "ada").accept()
    with pytest.raises(StopIteration):
        again.send(None)
