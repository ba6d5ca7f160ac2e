"""The peers serve the load contract (loadtest/peers/README.md), each as a real process, to a stock client."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from auth.types import Role
from bench.contestants import CONTESTANTS, Contestant
from bench.process import Served, token_of
from tests.support.person import Json, Person, connected

Join = Callable[[str], Awaitable[Person]]


def _parameter(one: Contestant) -> ParameterSet:
    return pytest.param(one, id=one.key, marks=[pytest.mark.node] if one.key.startswith("node") else [])


@pytest.fixture(params=[_parameter(one) for one in CONTESTANTS])
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """A running server: each peer, and Homeroom itself, which must answer the same."""
    contestant: Contestant = request.param
    if (lacking := contestant.lacking()) is not None:
        pytest.fail(lacking)
    with contestant.serving(tmp_path) as served:
        yield served


@pytest.fixture
async def join(peer: Served) -> AsyncIterator[Join]:
    """Connect people to the peer: teachers, who may open sessions."""
    async with AsyncExitStack() as stack:

        async def connect(user_id: str) -> Person:
            return await stack.enter_async_context(connected(peer.url, user_id, token_of(user_id, Role.TEACHER)))

        yield connect


async def direct(one: Person, other: Person) -> str:
    """Open the direct room of two people; return its id."""
    room_id: str = (await one.ok("room:open", {"kind": "direct", "user_id": other.user_id}))["room"]["id"]
    return room_id


async def session_of(*people: Person) -> str:
    """Have the first open a session room, and all join it; return its id."""
    opened = {"kind": "session", "title": "Algebra", "settings": {"open": True}}
    room_id: str = (await people[0].ok("room:open", opened))["room"]["id"]
    for person in people:
        await person.ok("room:join", {"room_id": room_id})
    return room_id


async def test_a_pair_talks_without_joining(join: Join) -> None:
    """Both sides get one room, both are live in it at once, and the sender hears its own message too."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    assert room_id == await direct(ben, ada)
    message = await ada.send(room_id, "hello", client_id="c1")
    expected = {"room_id": room_id, "seq": 1, "sender_id": "ada", "client_id": "c1", "kind": "text", "body": "hello"}
    assert expected.items() <= message.items()
    for person in (ada, ben):
        assert {"message": message} == await person.wait_for("message:new")


async def test_a_pair_is_live_again_after_a_reconnect(join: Join) -> None:
    """Who comes back is live in its direct rooms without asking."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    await ben.leave()
    again = await join("ben")
    await again.ok("room:sync", {"room_id": room_id, "since_rev": 0})
    message = await ada.send(room_id, "hello again")
    assert {"message": message} == await again.wait_for("message:new")


async def test_a_session_is_joined(people: list[Person]) -> None:
    """Each session is new; only who joined it hears its messages, in the order of `seq`."""
    ada, ben, chen = people
    room_id = await session_of(ada, ben)
    other_id = await session_of(chen)
    assert room_id != other_id
    sent = [await ada.send(room_id, f"m{number}") for number in range(3)]
    await ben.wait_for("message:new", lambda payload: payload["message"]["seq"] == 3)
    await chen.settle()
    assert [1, 2, 3] == [message["seq"] for message in sent]
    assert [{"message": message} for message in sent] == ben.seen("message:new")
    assert [] == chen.seen("message:new")


async def test_a_snapshot_tells_the_state(people: list[Person]) -> None:
    """`room:join` and `room:sync` answer with the room, what changed since, and the rev to go on from."""
    ada, ben, _ = people
    room_id = await session_of(ada)
    sent = [await ada.send(room_id, f"m{number}") for number in range(3)]
    joined = await ben.ok("room:join", {"room_id": room_id})
    assert {"room", "messages", "receipts", "presence", "rev", "reset"} <= joined.keys()
    assert (room_id, "session", 3) == tuple(joined["room"][name] for name in ("id", "kind", "last_seq"))
    synced = await ben.ok("room:sync", {"room_id": room_id, "since_rev": sent[1]["rev"]})
    assert (sent[2:], sent[2]["rev"], False) == (synced["messages"], synced["rev"], synced["reset"])


async def test_a_sync_from_too_far_behind_resets(join: Join) -> None:
    """More than 500 changes are not sent one by one: the newest page is, and history pages through the rest."""
    ada = await join("ada")
    room_id = await session_of(ada)
    for number in range(501):
        await ada.emit("message:send", {"room_id": room_id, "client_id": f"c{number}", "body": str(number)})
    await ada.wait_for("message:new", lambda payload: payload["message"]["seq"] == 501)
    whole = await ada.ok("room:sync", {"room_id": room_id, "since_rev": 1})
    newest = await ada.ok("room:sync", {"room_id": room_id, "since_rev": 0})
    assert (False, list(range(2, 502))) == (whole["reset"], seqs(whole))
    assert (True, 501) == (newest["reset"], seqs(newest)[-1])


async def test_history_is_paged(join: Join) -> None:
    """Pages ascend by `seq`, forwards and backwards, and say whether there is more."""
    ada = await join("ada")
    room_id = await session_of(ada)
    for number in range(5):
        await ada.send(room_id, f"m{number}")
    pages = [
        await ada.ok("message:history", {"room_id": room_id, "limit": 2, **where})
        for where in ({}, {"after_seq": 0}, {"after_seq": 3}, {"before_seq": 3}, {"before_seq": 4})
    ]
    assert [[4, 5], [1, 2], [4, 5], [1, 2], [2, 3]] == [seqs(page) for page in pages]
    assert [True, True, False, False, True] == [page["has_more"] for page in pages]


async def test_typing_and_receipts_reach_the_other(join: Join) -> None:
    """Typing is heard by the others, not by oneself; a receipt is acknowledged and heard."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    await ben.ok("typing:set", {"room_id": room_id, "on": True})
    assert {"room_id": room_id, "user_id": "ben", "on": True} == await ada.wait_for("typing:changed")
    await ada.send(room_id, "hello")
    marked = await ben.ok("receipt:mark", {"room_id": room_id, "read_seq": 1, "delivered_seq": 1})
    assert {"room_id": room_id, "user_id": "ben", "read_seq": 1, "delivered_seq": 1} == marked["receipt"]
    assert marked == await ada.wait_for("receipt:changed")
    assert [] == ben.seen("typing:changed")


async def test_presence_is_answered(join: Join) -> None:
    """Clients set and watch presence; the peers only answer."""
    ada = await join("ada")
    assert "busy" == (await ada.ok("presence:set", {"status": "busy"}))["presence"]["status"]
    assert "presence" in await ada.ok("presence:watch", {"user_ids": ["ben"]})


async def test_left_rooms_are_silent(people: list[Person]) -> None:
    """`room:leave` ends live delivery."""
    ada, ben, _ = people
    room_id = await session_of(ada, ben)
    await ben.ok("room:leave", {"room_id": room_id})
    await ada.send(room_id, "hello")
    await ben.settle()
    assert [] == ben.seen("message:new")


async def test_an_unknown_room_is_refused(join: Join) -> None:
    """The envelope says so, and the connection stays."""
    ada = await join("ada")
    assert "room.not_found" == (await ada.refused("room:join", {"room_id": "nowhere"}))["code"]
    assert "room.not_found" == (await ada.refused("room:sync", {"room_id": "nowhere", "since_rev": 0}))["code"]


@pytest.fixture
async def people(join: Join) -> list[Person]:
    """Three people."""
    return [await join(user_id) for user_id in ("ada", "ben", "chen")]


def seqs(page: Json) -> list[int]:
    """Return the seqs of a page's messages."""
    return [message["seq"] for message in page["messages"]]
