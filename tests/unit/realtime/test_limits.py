"""Limits that the edge holds clients to, set tighter than they are by default."""

from pathlib import Path

from tests.support.desk import Seat, opened


async def test_a_page_of_history_is_no_larger_than_the_setting(tmp_path: Path) -> None:
    """A client that asks for more, or does not say, gets the newest messages up to the limit, and hears of the rest."""
    async with opened(tmp_path, {"history_page": 2}) as app:
        ada = await Seat(app, "ada").sit()
        room_id = (await ada.ok("room:open", {"kind": "group", "title": "Algebra"}))["room"]["id"]
        for number in range(4):
            await ada.ok("message:send", {"room_id": room_id, "client_id": f"c{number}", "body": "Hello"})
        for asked in ({}, {"limit": 100}):
            page = await ada.ok("message:history", {"room_id": room_id, **asked})
            assert ([3, 4], True) == ([message["seq"] for message in page["messages"]], page["has_more"])


async def test_a_connection_watches_only_so_many(tmp_path: Path) -> None:
    """Asked for in one event or in several, the same person counts once."""
    async with opened(tmp_path, {"watched_users": 2}) as app:
        rao = await Seat(app, "rao", "teacher").sit()
        for name in ("ada", "ben", "chen"):
            await Seat(app, name).sit()
        for _ in range(2):
            await rao.ok("presence:watch", {"user_ids": ["ada", "ada"]})
        await rao.ok("presence:watch", {"user_ids": ["ben"]})
        refusal = await rao.call("presence:watch", {"user_ids": ["chen"]})
        assert ("request.invalid", ["user_ids"]) == (refusal["error"]["code"], refusal["error"]["fields"])
        await rao.ok("presence:unwatch", {"user_ids": ["ada"]})
        await rao.ok("presence:watch", {"user_ids": ["chen"]})
