"""The promise of docs/api.md, checked as a whole: whoever follows the rule of `rev` ends up with the truth.

Three people write, edit, delete, react, rename, read, lose events, lose connections, leave and come back, all at once.
Each keeps a copy of the room from acks, events and the answers to `room:join` and `room:sync` alone. In the end every
copy equals what somebody sees who loads the room afresh.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from auth.types import Principal, Role
from core.ids import RoomId, UserId
from realtime.app import App
from rooms.messages import Outgoing
from rooms.ports import SyncRead, SyncStore
from rooms.rooms import RoomPatch
from rooms.types import Access, RoomKind
from tests.support.desk import opened
from tests.support.device import Device, InProcess, OverWebSocket
from tests.support.replica import Replica
from tests.support.server import HOUR, running, user

SYNC_MESSAGES = 3
"""Few, so that resets happen."""

LIMITS = {"sync_messages": SYNC_MESSAGES}
PEOPLE = {"rao": "teacher", "ada": "student", "ben": "student"}
RAO = Principal(UserId("rao"), Role.TEACHER, "Rao")

ACTIONS = {
    "send": 6,
    "edit": 3,
    "delete": 1,
    "react": 3,
    "unreact": 1,
    "rename": 2,
    "mark": 2,
    "miss": 2,
    "cut": 2,
    "connect": 3,
    "sync": 1,
    "leave": 1,
    "join": 2,
    "turn": 4,
    "idle": 2,
}
"""What can happen, and how often of all."""

Step = tuple[int, str, int]
_WEIGHTED = [name for name, weight in ACTIONS.items() for _ in range(weight)]
steps = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(_WEIGHTED), st.integers(0, 70)), min_size=5, max_size=60)
Rename = Callable[[str], Awaitable[None]]


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Receipts with little rest between them, and no line for each of a hundred thousand events."""
    monkeypatch.setattr("rooms.receipts.PAUSE_S", 0.01)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.reset_defaults()


async def furnish(app: App, kind: RoomKind, messages: int) -> RoomId:
    """Make a room of all with so many messages of Rao's; return its id."""
    for user_id, role in PEOPLE.items():
        await app.store.users.put(user(user_id, role))
    others = [UserId("ada"), UserId("ben")]
    view = await app.services.rooms.open_named(RAO, kind, "Algebra", others, RoomPatch())
    first = [Outgoing(view.room.id, f"first-{number}", f"first {number}") for number in range(messages)]
    await asyncio.gather(*(app.services.messages.send(RAO, outgoing) for outgoing in first))
    return view.room.id


def token(app: App, user_id: str) -> str:
    """Return an access token."""
    return app.minter.mint(user(user_id, PEOPLE[user_id]), HOUR)[0]


async def act(device: Device, action: str, number: int, rename: Rename) -> None:
    """Do one thing; only what is about connections, and `idle`, is waited for."""
    if action == "send":
        device.send(f"message {number}")
    elif action == "edit":
        device.change("message:edit", number, body=f"edited {number}")
    elif action == "delete":
        device.change("message:delete", number)
    elif action in {"react", "unreact"}:
        device.change("message:react", number, emoji="xyz"[number % 3], on=action == "react")
    elif action == "rename":
        await rename(f"Title {number}")
    elif action == "mark":
        device.mark(number)
    elif action == "miss":
        device.miss(1 + number % 5)
    elif action == "turn":
        for _ in range(number):
            await asyncio.sleep(0)
    elif action in {"cut", "connect", "idle"}:
        await getattr(device, action)()
    else:
        getattr(device, action)()


async def play(devices: Sequence[Device], script: Sequence[Step], rename: Rename) -> None:
    """Let everything happen, from a moment when all are there, then bring everyone level."""
    for device in devices:
        await device.connect()
    renames: list[asyncio.Future[None]] = []

    async def rename_meanwhile(title: str) -> None:
        renames.append(asyncio.ensure_future(rename(title)))

    for who, action, number in script:
        await act(devices[who], action, number, rename_meanwhile)
    await asyncio.gather(*renames)
    while not all([await device.level() for device in devices]):
        pass


async def afresh(device: Device) -> Replica:
    """Load the whole room, page by page."""
    await device.connect()
    await device.idle()
    replica = device.replica
    while replica.floor > 1:
        asked = {"room_id": device.room_id, "before_seq": replica.floor, "limit": 20}
        page = (await device.ask("message:history", asked))["messages"]
        replica.floor = page[0]["seq"]
        replica.messages.update({message["id"]: message for message in page})
    return replica


async def compare(devices: Sequence[Device], truth: Replica) -> None:
    """Every copy is the truth, as far back as it goes."""
    assert list(range(1, truth.room["last_seq"] + 1)) == sorted(one["seq"] for one in truth.messages.values())
    for device in devices:
        assert [] == device.failures
        copy = device.replica
        expected = {key: message for key, message in truth.messages.items() if message["seq"] >= copy.floor}
        assert (truth.rev, truth.room, expected) == (copy.rev, copy.room, copy.messages)
        # receipts carry no rev and may still be on their way
        await device.until(lambda copy=copy: copy.read == truth.read)  # type: ignore[misc]


async def converge(devices: Sequence[Device], fresh: Device, script: Sequence[Step], rename: Rename) -> None:
    """Play a script, compare, and leave nothing connected."""
    try:
        await play(devices, script, rename)
        await compare(devices, await afresh(fresh))
    finally:
        for one in (*devices, fresh):
            await one.cut()


class Dawdling:
    """A sync store whose answers take their time on the way back, so that the room goes on meanwhile."""

    def __init__(self, store: SyncStore) -> None:
        self._store = store

    async def read(self, *args: Any, **more: Any) -> SyncRead | Access | None:
        """Read, and come back late."""
        found = await self._store.read(*args, **more)
        for _ in range(25):
            await asyncio.sleep(0)
        return found


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    """A built server without a network, one for all examples."""
    async with opened(tmp_path, LIMITS) as app:
        monkeypatch.setattr(app.services.sync, "_store", Dawdling(app.store.sync))
        yield app


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    script=steps,
    kind=st.sampled_from([RoomKind.GROUP, RoomKind.SESSION]),
    messages=st.sampled_from([0, 0, 4, 57]),
)
async def test_every_copy_becomes_the_truth(app: App, script: list[Step], kind: RoomKind, messages: int) -> None:
    """Any interleaving, with events lost and connections cut at any point, in small rooms and in ones with a past."""
    room_id = await furnish(app, kind, messages)

    async def rename(title: str) -> None:
        await app.services.rooms.update(RAO, room_id, RoomPatch(title=title))

    def device(user_id: str) -> Device:
        return Device(user_id, room_id, token(app, user_id), lambda: InProcess(app))

    devices = [device(user_id) for user_id in PEOPLE]
    await converge(devices, device("rao"), script, rename)
    event(f"resets: {sum(one.resets for one in devices) > messages // 57 * 3}")


@pytest.mark.parametrize("seed", range(4))
async def test_the_same_over_real_connections(tmp_path: Path, seed: int) -> None:
    """A few long scripts through sockets, with connections that are dropped without a word."""
    dice = random.Random(seed)
    names, weights = list(ACTIONS), list(ACTIONS.values())
    script: list[Step] = [(dice.randrange(3), dice.choices(names, weights)[0], dice.randrange(70)) for _ in range(150)]
    async with running(tmp_path, LIMITS) as server:
        room_id = await furnish(server.app, RoomKind.SESSION if seed % 2 else RoomKind.GROUP, 57 if seed > 1 else 0)

        def device(user_id: str) -> Device:
            return Device(user_id, room_id, token(server.app, user_id), lambda: OverWebSocket(server.url))

        async with aiohttp.ClientSession(
            server.url, headers={"Authorization": f"Bearer {token(server.app, 'rao')}"}, raise_for_status=True
        ) as http:

            async def rename(title: str) -> None:
                async with http.patch(f"/v1/rooms/{room_id}", json={"title": title}) as response:
                    await response.read()

            await converge([device(user_id) for user_id in PEOPLE], device("rao"), script, rename)
