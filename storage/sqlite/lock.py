"""One process to a database file: two would each hand out a room's next seq from their own cache of the truth."""

import fcntl
import os
from pathlib import Path

from storage.errors import StoreError


class FileLock:
    """An advisory lock on a file beside the database. The kernel drops it when the process ends, however it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path) -> "FileLock":
        """Take the lock without waiting. Raises StoreError if another process has it, OSError if it cannot be made."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            raise StoreError(f"The database is in use by another process (pid {holder or 'unknown'}): {path}") from exc
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return cls(descriptor)

    def release(self) -> None:
        """Give the lock up. The file stays: removing it would let two processes lock two different files."""
        os.close(self._descriptor)
