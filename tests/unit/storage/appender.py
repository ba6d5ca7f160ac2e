"""Appends to one room from 16 tasks until it is killed, and prints each message once it is acknowledged.

python -m tests.unit.storage.appender <database>
"""

import asyncio
import sys
from itertools import count
from pathlib import Path

from core.ids import RoomId, UserId
from storage.sqlite.store import SqliteStore
from tests.contract.samples import draft, stored_room


async def append(store: SqliteStore, room_id: RoomId, sender: str) -> None:
    """Send without end."""
    for number in count():
        new = draft(room_id, UserId(sender), client_id=f"{sender}:{number}")
        message = (await store.messages.append(new)).message
        print(message.client_id, message.seq, flush=True)  # noqa: T201


async def main() -> None:
    """Make the room `home` and fill it."""
    store = await SqliteStore.open(Path(sys.argv[1]))
    home = await stored_room(store, id=RoomId("home"))
    await asyncio.gather(*(append(store, home.id, f"sender-{number}") for number in range(16)))


if __name__ == "__main__":
    asyncio.run(main())
