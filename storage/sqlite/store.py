"""The embedded store, whole."""

from pathlib import Path

from core.clock import Clock, SystemClock
from rooms.access_cache import AccessCache
from storage.sqlite.engine import Database
from storage.sqlite.idempotency import SqliteIdempotencyStore
from storage.sqlite.members import SqliteMemberStore
from storage.sqlite.messages import SqliteMessageStore
from storage.sqlite.refresh import SqliteRefreshStore
from storage.sqlite.rooms import SqliteRoomStore
from storage.sqlite.service_keys import SqliteServiceKeyStore
from storage.sqlite.sync import SqliteSyncStore
from storage.sqlite.users import SqliteLastSeenStore, SqliteUserStore


class SqliteStore:
    """Every port of the domain on one SQLite file."""

    def __init__(self, database: Database, clock: Clock) -> None:
        cache = AccessCache()
        self.database = database
        self.users = SqliteUserStore(database)
        self.refresh = SqliteRefreshStore(database)
        self.service_keys = SqliteServiceKeyStore(database)
        self.rooms = SqliteRoomStore(database, cache)
        self.members = SqliteMemberStore(database, cache)
        self.messages = SqliteMessageStore(database)
        self.sync = SqliteSyncStore(database, cache)
        self.last_seen = SqliteLastSeenStore(database)
        self.idempotency = SqliteIdempotencyStore(database, clock)

    @classmethod
    async def open(cls, path: Path, clock: Clock | None = None) -> "SqliteStore":
        """Open the file, made and migrated as needed. Raises StoreError with one line that says what to mend."""
        return cls(await Database.open(path), clock or SystemClock())

    async def ping(self) -> None:
        """Prove that the writer works and has the write lock. Raises `server.unavailable`."""
        await self.database.write(lambda connection: connection.execute("SELECT 1").fetchone())

    async def close(self) -> None:
        """Finish what waits, then close. Idempotent."""
        await self.database.close()
