"""A server to measure, in a process of its own, and what the kernel says that it used."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from auth.keys import secret_key
from auth.tokens import TokenMinter
from auth.types import Role, User
from core.clock import SystemClock
from core.ids import UserId

SECRET: Final = "only for measurements on this machine"  # noqa: S105 - signs tokens of a server that lives for a minute
START_S: Final = 20.0
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")

_LIFTED: Final = {
    "EVENTS_PER_S": 1_000_000,
    "EVENTS_BURST": 1_000_000,
    "MESSAGES_PER_S": 1_000_000,
    "MESSAGES_BURST": 1_000_000,
}


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    url: str
    pid: int
    broker_pid: int | None = None
    """The Redis beside it."""

    def cpu_s(self) -> float:
        """Return the processor time of all its threads so far, in seconds."""
        return cpu_s(self.pid)

    def rss_bytes(self) -> int:
        """Return its resident memory."""
        (line,) = [row for row in Path(f"/proc/{self.pid}/status").read_text().splitlines() if row.startswith("VmRSS")]
        return int(line.split()[1]) * 1024


def cpu_s(pid: int) -> float:
    """Return the processor time of all threads of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


@contextmanager
def serving(directory: Path) -> Iterator[Served]:
    """Run `homeroom serve` on a free port of 127.0.0.1, without rate limits, for the length of a block."""
    environment = {
        "HOMEROOM_DATA_DIR": str(directory),
        "HOMEROOM_JWT_SECRET": SECRET,
        "HOMEROOM_LOG_LEVEL": "warning",
        "HOMEROOM_PRESENCE_GRACE_MS": "500",  # the people of one run are gone before the next begins
        **{f"HOMEROOM_LIMITS_{name}": str(value) for name, value in _LIFTED.items()},
    }
    command = [sys.executable, "-m", "realtime.cli", "serve", "--host", "127.0.0.1", "--port", "0"]
    log = directory / "server.log"
    with running(command, log, environment=environment) as process:
        yield Served(address(process, log), process.pid)


@contextmanager
def running(
    command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a program for the length of a block; what it prints goes to `log`."""
    with log.open("w") as out:
        process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, cwd=cwd, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def profiled(served: Served, path: Path) -> Iterator[None]:
    """Have py-spy record the server's stacks for the length of a block, as text: one stack and its count to a line.

    Only of threads that hold the interpreter lock: those that wait would drown the others.
    """
    command = [str(Path(sys.executable).with_name("py-spy")), "record", "--pid", str(served.pid), "--output", str(path)]
    process = subprocess.Popen([*command, "--gil", "--format", "raw", "--rate", "200", "--duration", "3600"])
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Return the address that a server prints when it listens."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        for word in log.read_text().split():
            if word.startswith("http://127.0.0.1:"):
                return word
        time.sleep(0.05)
    raise SystemExit(f"The server did not start:\n{log.read_text()}")


def token_of(user_id: str, role: Role = Role.STUDENT, *, name: str | None = None, ttl_s: float = 3600) -> str:
    """Return an access token that the server accepts."""
    user = User(UserId(user_id), name or user_id, role)
    return TokenMinter(secret_key(SECRET), SystemClock()).mint(user, timedelta(seconds=ttl_s))[0]
