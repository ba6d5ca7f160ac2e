"""What was acknowledged survives the process, however it ends."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

from core.ids import RoomId
from rooms.types import Message
from storage.sqlite.store import SqliteStore
from tests.contract.samples import sent

ROOT = Path(__file__).parents[3]


async def killed_after(path: Path, acks: int) -> dict[str, int]:
    """Kill an appender with SIGKILL once it printed `acks` lines; return every message it acknowledged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.unit.storage.appender", str(path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    lines = [await process.stdout.readline() for _ in range(acks)]
    process.kill()
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    whole = [line.decode().split() for line in lines if line.endswith(b"\n")]
    return {client_id: int(seq) for client_id, seq in whole}


async def everything(store: SqliteStore, room_id: RoomId) -> list[Message]:
    """Return all messages of a room."""
    messages: list[Message] = []
    while page := await store.messages.page(room_id, before_seq=None, after_seq=len(messages), limit=500):
        messages += page
    return messages


async def test_every_acknowledged_message_survives_kill_9(tmp_path: Path) -> None:
    """After SIGKILL in the middle of appends each acked message is there once, under the seq that the ack told."""
    acked = await killed_after(tmp_path / "homeroom.db", 400)
    store = await SqliteStore.open(tmp_path / "homeroom.db")
    messages = await everything(store, RoomId("home"))
    room = await store.rooms.get(RoomId("home"))
    stored = {message.client_id: message.seq for message in messages}
    assert acked == {client_id: stored.get(client_id) for client_id in acked}
    assert {1} == set(Counter(message.client_id for message in messages).values())
    assert list(range(1, len(messages) + 1)) == [message.seq for message in messages]
    assert room
    assert (len(messages), len(messages)) == (room.last_seq, room.rev)
    assert len(messages) + 1 == (await sent(store, RoomId("home"))).seq
    await store.close()
