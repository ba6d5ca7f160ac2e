"""How many connections there are, in all and from each network client."""

from typing import Final

from realtime.engine.proxies import client_key

_NOBODY: Final = ""

OTHER_FILES: Final = 256
"""Open files that are no connections: the database, logs, listeners, calls to other servers."""


def most_connections(setting: int, open_files: int | None) -> int:
    """Return how many connections may be open: `setting` if not 0, and no more than open files allow. 0 is no limit."""
    if open_files is None:
        return setting
    room = max(1, open_files - OTHER_FILES)
    return min(setting, room) if setting else room


class Places:
    """Connections that may be open at once; 0 is no limit."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._taken = 0
        self._by_client: dict[str, int] = {}

    def __len__(self) -> int:
        return self._taken

    @property
    def counts_addresses(self) -> bool:
        """Whether it matters where a connection comes from."""
        return self._most_per_address > 0

    def enter(self) -> "Place | None":
        """Give a place to a connection from who knows where; None if all are taken."""
        if 0 < self._most <= self._taken:
            return None
        self._taken += 1
        return Place(self)

    def move(self, old: str, address: str) -> str | None:
        """Count a connection for `address` and no more for `old`; None, and nothing changes, if it has too many."""
        key = client_key(address) if self.counts_addresses else _NOBODY
        if key == old:
            return key
        if key:
            taken = self._by_client.get(key, 0)
            if taken >= self._most_per_address:
                return None
            self._by_client[key] = taken + 1
        self._forget(old)
        return key

    def leave(self, key: str) -> None:
        """Free a place."""
        self._taken -= 1
        self._forget(key)

    def _forget(self, key: str) -> None:
        if not key:
            return
        self._by_client[key] -= 1
        if not self._by_client[key]:
            del self._by_client[key]


class Place:
    """The place of one connection. It knows nothing of the connection, so that a websocket can hold it for hours."""

    __slots__ = ("_key", "_places")

    def __init__(self, places: Places) -> None:
        self._places: Places | None = places
        self._key = _NOBODY

    def count_for(self, address: str) -> bool:
        """Count for this client from now on, "" for none; False, and nothing changes, if it has too many."""
        if self._places is None:
            return True
        key = self._places.move(self._key, address)
        if key is None:
            return False
        self._key = key
        return True

    def leave(self) -> None:
        """Free the place. Idempotent."""
        if self._places is not None:
            self._places.leave(self._key)
            self._places = None
