"""What is compared: Homeroom doing its real work, its bare engine, and the peers of loadtest/peers/."""

import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.process import START_S, Served, address, running, serving

ROOT: Final = Path(__file__).resolve().parent.parent
NODE: Final = ROOT / "loadtest/peers/node"
NO_NODE: Final = "needs Node 20 or newer (Debian: apt install nodejs npm)"
NOT_INSTALLED: Final = "needs its packages: run `npm ci` in loadtest/peers/node"
NO_REDIS: Final = "needs redis-server (Debian: apt install redis-server)"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server to measure. `serving` runs it for the length of a block, and may write to the directory."""

    key: str
    label: str
    about: str
    serving: Callable[[Path], AbstractContextManager[Served]]
    lacking: Callable[[], str | None] = lambda: None
    """Say what it needs that this machine has not."""
    share: float = 1.0
    """How much of each load it is offered. Below 1 it could not hold the whole, and is measured once, for no goal."""
    floods: bool = False
    """Whether `bench.stall` floods it."""
    is_python: bool = False
    """Whether py-spy can look into it."""


@contextmanager
def _python(module: str, directory: Path) -> Iterator[Served]:
    log = directory / "server.log"
    with running([sys.executable, "-m", module], log, cwd=ROOT) as process:
        yield Served(address(process, log), process.pid)


@contextmanager
def _node(directory: Path, *arguments: str, broker_pid: int | None = None) -> Iterator[Served]:
    log = directory / "server.log"
    with running(["node", "server.mjs", *arguments], log, cwd=NODE, environment={"NODE_ENV": "production"}) as process:
        yield Served(address(process, log), process.pid, broker_pid)


@contextmanager
def _node_and_redis(directory: Path) -> Iterator[Served]:
    port = _free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(directory)]
    with running(command, directory / "redis.log") as redis:
        _wait_for(port)
        with _node(directory, "--redis", f"redis://127.0.0.1:{port}", broker_pid=redis.pid) as served:
            yield served


def _wait_for(port: int) -> None:
    """Wait until somebody listens. Raises ConnectionRefusedError when nobody does in time."""
    until = time.monotonic() + START_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _lacks_node() -> str | None:
    if shutil.which("node") is None:
        return NO_NODE
    return None if (NODE / "node_modules/socket.io").is_dir() else NOT_INSTALLED


def _lacks_redis() -> str | None:
    return _lacks_node() or (NO_REDIS if shutil.which("redis-server") is None else None)


REFERENCE: Final = "node"
"""Whose figures the ratios are of."""
FULL: Final = "homeroom"
ENGINE: Final = "engine"

CONTESTANTS: Final = (
    Contestant(
        "homeroom", "Homeroom", "full: tokens verified, policy, SQLite, receipts, presence", serving, is_python=True
    ),
    Contestant(
        "engine",
        "Homeroom's engine",
        "ephemeral: bench/bare.py, nothing verified or stored",
        partial(_python, "bench.bare"),
        floods=True,
        is_python=True,
    ),
    Contestant(
        "node", "Socket.IO 4.8 on Node", "ephemeral: nothing verified or stored", _node, _lacks_node, floods=True
    ),
    Contestant(
        "node-redis",
        "… with Redis adapter",
        "ephemeral: as above, and Redis",
        _node_and_redis,
        _lacks_redis,
        share=0.5,
    ),
    Contestant(
        "python",
        "python-socketio",
        "ephemeral: stock, on aiohttp and uvloop",
        partial(_python, "loadtest.peers.python_socketio"),
        share=0.125,
        is_python=True,
    ),
)
