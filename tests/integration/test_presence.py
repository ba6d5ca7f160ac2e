"""Presence over real connections; the grace is 150 ms in these tests."""

from realtime.lifecycle import Server
from tests.integration.conftest import Join
from tests.integration.test_messages import direct
from tests.support.person import Person, connected
from tests.support.server import token


async def status_of(watcher: Person, user_id: str) -> str:
    """Return someone's status as `watcher` sees it."""
    status: str = (await watcher.ok("presence:watch", {"user_ids": [user_id]}))["presence"][0]["status"]
    return status


async def test_room_mates_see_each_other_come_and_go(server: Server, join: Join) -> None:
    """Coming is told at once, going after the grace, with the time they were last seen."""
    ada, ben = await join("ada"), await join("ben")
    await direct(ada, ben)
    await ben.leave()
    gone = await ada.wait_for("presence:changed", lambda data: data["presence"]["status"] == "offline")
    assert "ben" == gone["presence"]["user_id"]
    assert "last_seen_at" in gone["presence"]
    async with connected(server.url, "ben", token(server, "ben")):
        await ada.wait_for("presence:changed", lambda data: data["presence"] == {"user_id": "ben", "status": "online"})


async def test_a_quick_reconnect_shows_nobody_a_flap(server: Server, join: Join) -> None:
    """Someone back within the grace was never away."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    before = len(ada.seen("presence:changed"))
    await ben.leave()
    async with connected(server.url, "ben", token(server, "ben")) as again:
        await again.send(room_id, "back")
        assert "online" == await status_of(ada, "ben")
        assert before == len(ada.seen("presence:changed"))


async def test_the_status_is_of_all_devices(join: Join) -> None:
    """Busy on one device is busy; away only if no device is there; closing one of two changes nothing."""
    rao, phone, laptop = await join("ms-rao", "teacher"), await join("ada"), await join("ada")
    await phone.ok("presence:set", {"status": "away"})
    assert "online" == await status_of(rao, "ada")
    await laptop.ok("presence:set", {"status": "busy"})
    await rao.wait_for("presence:changed", lambda data: data["presence"] == {"user_id": "ada", "status": "busy"})
    answer = await laptop.ok("presence:set", {"status": "away"})
    assert "away" == answer["presence"]["status"]


async def test_strangers_look_offline(join: Join) -> None:
    """Students see staff and room mates; others look offline and are not watched, whether they exist or not."""
    ada, eve, rao = await join("ada"), await join("eve"), await join("ms-rao", "teacher")
    watched = (await ada.ok("presence:watch", {"user_ids": ["eve", "ms-rao", "nobody"]}))["presence"]
    assert [
        {"user_id": "eve", "status": "offline"},
        {"user_id": "ms-rao", "status": "online"},
        {"user_id": "nobody", "status": "offline"},
    ] == watched
    await eve.ok("presence:set", {"status": "busy"})
    await rao.ok("presence:set", {"status": "busy"})
    await ada.wait_for("presence:changed", lambda data: data["presence"]["user_id"] == "ms-rao")
    assert "eve" not in [data["presence"]["user_id"] for data in ada.seen("presence:changed")]


async def test_watching_has_a_limit_and_an_end(join: Join) -> None:
    """More than 200 in one call is invalid; after `unwatch` nothing comes."""
    rao, ada = await join("ms-rao", "teacher"), await join("ada")
    many = [f"user-{number}" for number in range(201)]
    assert ["user_ids"] == (await rao.refused("presence:watch", {"user_ids": many}))["fields"]
    await rao.ok("presence:watch", {"user_ids": ["ada"]})
    await rao.ok("presence:unwatch", {"user_ids": ["ada"]})
    await ada.ok("presence:set", {"status": "busy"})
    await rao.settle()
    assert {"user_id": "ada", "status": "busy"} not in [data["presence"] for data in rao.seen("presence:changed")]
