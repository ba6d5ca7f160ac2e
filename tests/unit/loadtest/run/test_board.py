"""The board on which workers tell each other what they made."""

import asyncio

from loadtest.run.board import PipeBoard


async def test_a_value_is_had_by_those_who_asked_before_and_after() -> None:
    """Publishing tells the coordinator; what comes back reaches everyone who asks."""
    told: list[tuple[str, str]] = []
    board = PipeBoard(lambda key, value: told.append((key, value)))
    early = asyncio.create_task(board.shared("room"))
    await board.publish("room", "r1")
    assert [("room", "r1")] == told
    assert not early.done()
    board.put("room", "r1")
    assert ["r1", "r1"] == [await early, await board.shared("room")]


async def test_the_first_value_stays_and_one_who_gives_up_disturbs_nobody() -> None:
    """A cancelled wait leaves the value to the others; a second value is not taken."""
    board = PipeBoard(lambda key, value: None)
    one, other = asyncio.create_task(board.shared("room")), asyncio.create_task(board.shared("room"))
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    board.put("room", "r1")
    board.put("room", "r2")
    assert (True, "r1") == (one.cancelled(), await other)
