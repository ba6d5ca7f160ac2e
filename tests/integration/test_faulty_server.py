"""The faulty server itself, seen by a stock Socket.IO client: right without a plan, and wrong as planned."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from tests.support.faulty import FaultyServer, misbehaving
from tests.support.faulty_plan import Obstacle, Plan, Slip
from tests.support.faulty_school import token_for
from tests.support.person import Person, Refused, connected

Talk = tuple[FaultyServer, str, Person, Person]


@asynccontextmanager
async def talk(plan: Plan, *, transport: str = "websocket") -> AsyncIterator[Talk]:
    """Let ada and ben meet in a direct room."""
    async with misbehaving(plan) as server, AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(
                connected(server.url, name, token_for(name, name, "student"), transports=[transport])
            )
            for name in ("ada", "ben")
        ]
        room = (await people[0].ok("room:open", {"kind": "direct", "user_id": "ben"}))["room"]
        yield server, room["id"], *people


async def say(sender: Person, room_id: str, number: int) -> dict[str, Any]:
    """Send a message that has the form of a load tester's; return the envelope."""
    payload = {"room_id": room_id, "client_id": f"lt.run.1.{number}.0", "body": "x"}
    return await sender.call("message:send", payload)


def heard(person: Person) -> list[int]:
    """Return the `seq` of each message that came to someone, in order."""
    return [payload["message"]["seq"] for payload in person.seen("message:new")]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_without_a_plan_it_keeps_the_contract(transport: str) -> None:
    """Messages get their `seq`, reach both people and the history, and are stored once; the truth says just that."""
    async with talk(Plan(), transport=transport) as (server, room_id, ada, ben):
        assert [1, 2, 3] == [(await say(ada, room_id, number))["data"]["message"]["seq"] for number in (1, 2, 3)]
        assert 2 == (await say(ada, room_id, 2))["data"]["message"]["seq"]
        await ben.settle()
        await ada.settle()
        assert [1, 2, 3] == heard(ben) == heard(ada)
        joined = await ben.ok("room:join", {"room_id": room_id, "since_rev": 2})
        assert ([2, 3], 4) == ([message["seq"] for message in joined["messages"]], joined["rev"])
        page = await ben.ok("message:history", {"room_id": room_id, "after_seq": 1, "limit": 1})
        assert ([2], True) == ([message["seq"] for message in page["messages"]], page["has_more"])
        nothing = dict.fromkeys(server.truth(), 0)
        assert nothing | {"sent": 3, "acked": 3, "expected": 3, "live": 3} == server.truth()


@pytest.mark.parametrize(
    ("slip", "live", "history", "truth"),
    [
        (Slip.MISS, [1, 3], [1, 2, 3], {"missed_live": 1, "live": 2}),
        (Slip.LOSE, [1, 3], [1, 3], {"lost": 1, "live": 2}),
        (Slip.LOSE_AND_REUSE, [1, 2], [1, 2], {"lost": 1, "live": 2}),
        (Slip.HIDE, [1, 3], [1, 3], {"lost": 1, "live": 2}),
        (Slip.REPEAT, [1, 2, 2, 3], [1, 2, 3], {"duplicate": 1, "live": 3}),
        (Slip.SWAP, [1, 3, 2], [1, 2, 3], {"out_of_order": 1, "live": 3}),
        (Slip.REFUSE, [1, 2], [1, 2], {"refused": 1, "acked": 2, "expected": 2, "live": 2}),
        (Slip.GHOST, [1, 2, 3, 4], [1, 2, 3, 4], {"foreign": 2, "live": 3}),
        (Slip.FORGERY, [1, 2, 3, 4], [1, 2, 3, 4], {"foreign": 1, "live": 3}),
        (Slip.SPOILT, [1, 2, 3, 4], [1, 2, 3, 4], {"foreign": 2, "live": 3}),
    ],
)
async def test_a_slip_does_what_it_says(slip: Slip, live: list[int], history: list[int], truth: dict[str, int]) -> None:
    """The second of three messages is what the plan makes of it, on the wire, in the history and in the truth."""
    async with talk(Plan(messages={2: slip})) as (server, room_id, ada, ben):
        for number in (1, 2, 3):
            await say(ada, room_id, number)
        await ben.settle()
        assert live == heard(ben)
        page = await ben.ok("message:history", {"room_id": room_id})
        assert history == [message["seq"] for message in page["messages"]]
        nothing = dict.fromkeys(server.truth(), 0)
        assert nothing | {"sent": 3, "acked": 3, "expected": 3} | truth == server.truth()
        assert [slip] == [one.slip for one in server.committed]


async def test_a_cut_loses_the_ack_and_nothing_else() -> None:
    """The sender's connection ends; the same message sent again gets its first `seq`, or another one if forgotten."""
    for slip, seq in ((Slip.CUT, 1), (Slip.STORE_TWICE, 2)):
        async with talk(Plan(messages={1: slip})) as (server, room_id, ada, ben):
            await ada.emit("message:send", {"room_id": room_id, "client_id": "lt.run.1.1.0", "body": "x"})
            await ada.disconnected.wait()
            async with connected(server.url, "ada", token_for("ada", "Ada", "student")) as again:
                assert seq == (await say(again, room_id, 1))["data"]["message"]["seq"]
            await ben.settle()
            assert list(range(1, seq + 1)) == heard(ben)
            assert (seq - 1, seq - 1) == (server.truth()["stored_twice"], server.truth()["duplicate"])


@pytest.mark.parametrize("slip", [Slip.END, Slip.DISCONNECT, Slip.BAD_UTF8])
async def test_a_wound_ends_one_connection(slip: Slip) -> None:
    """The recipient is cut off before the message, and gets it by joining again."""
    async with talk(Plan(messages={1: slip})) as (server, room_id, ada, ben):
        await say(ada, room_id, 1)
        await ben.disconnected.wait()
        assert [] == heard(ben)
        async with connected(server.url, "ben", token_for("ben", "Ben", "student")) as again:
            await again.ok("room:join", {"room_id": room_id, "since_rev": 0})
        assert (1, 1) == (server.truth()["expected"], server.truth()["caught_up"])


@pytest.mark.parametrize(
    ("obstacle", "said"),
    [
        (Obstacle.BAD_GATEWAY, None),
        (Obstacle.TOO_MANY, None),
        (Obstacle.WRONG_ACCEPT, None),
        (Obstacle.OVERLOADED, {"code": "server.overloaded", "retry_after_ms": 120}),
        (Obstacle.FORBIDDEN, {"code": "auth.forbidden"}),
    ],
)
async def test_an_obstacle_meets_one_attempt(obstacle: Obstacle, said: object) -> None:
    """The first attempt fails as planned, the second gets in."""
    async with misbehaving(Plan(connects={1: obstacle})) as server:
        token = token_for("ada", "Ada", "student")
        refused = Person("ada")
        with pytest.raises(Refused) as refusal:
            await refused.connect(server.url, token)
        if said is not None:
            assert said == refusal.value.data["data"]
        await refused.leave()
        async with connected(server.url, "ada", token) as ada:
            assert 1 == len(ada.seen("ready"))
        assert 2 == server.attempts
