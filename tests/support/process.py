"""A real `homeroom` process, on a port of its own, which may be killed."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp

from auth.keys import load_signing_key
from auth.tokens import TokenMinter
from core.clock import SystemClock
from tests.support.server import HOUR, LIFTED, user

HOMEROOM = Path(sys.executable).with_name("homeroom")
PATIENCE_S = 20.0
LIFTED_LIMITS = {f"HOMEROOM_LIMITS_{name.upper()}": str(value) for name, value in LIFTED.items()}


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with no settings of Homeroom but the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOMEROOM_")}
    return {**kept, **settings}


def run_homeroom(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a `homeroom` command that ends by itself."""
    environment = clean_environment(**settings)
    command = [str(HOMEROOM), *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=30, check=False)


def assert_refused(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check that a command ended with one readable line on standard error that has `words`, and nothing else."""
    assert ended.returncode in {1, 2}, ended
    assert "" == ended.stdout
    assert 1 == len(ended.stderr.splitlines()), ended.stderr
    assert "Traceback" not in ended.stderr
    assert [] == [word for word in words if word not in ended.stderr], ended.stderr


def free_port() -> int:
    """Return a port that nobody listens on, below the range from which the system takes those of outgoing connections.

    So it is still free when a server comes back on it.
    """
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Homeroom:
    """A server in a process of its own. `start`, `kill` and `stop` may follow each other; port and data stay."""

    def __init__(self, data_dir: Path, *, command: str = "serve", **settings: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = command
        self._settings = LIFTED_LIMITS | settings
        self._process: subprocess.Popen[bytes] | None = None
        self._out = data_dir.with_name(f"{data_dir.name}.out")
        self._err = data_dir.with_name(f"{data_dir.name}.err")

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def printed(self) -> str:
        """What the process wrote to standard output since it was started."""
        return self._out.read_text()

    @property
    def logged(self) -> str:
        """What the process wrote to standard error since it was started."""
        return self._err.read_text()

    async def start(self) -> None:
        """Start, and wait until traffic is welcome."""
        self._process = self._spawn()
        deadline = time.monotonic() + PATIENCE_S
        while await self.readiness() != 200:
            assert self._process.poll() is None, f"the server ended: {self.logged}"
            assert time.monotonic() < deadline, f"the server did not get ready: {self.logged}"
            await asyncio.sleep(0.02)

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [str(HOMEROOM), self._command, "--port", str(self.port), "--data-dir", str(self.data_dir)]
        environment = clean_environment(**self._settings)
        with self._out.open("wb") as out, self._err.open("wb") as err:
            return subprocess.Popen(command, cwd=self.data_dir.parent, env=environment, stdout=out, stderr=err)

    async def says(self, text: str) -> None:
        """Wait until the process has written `text` to standard output."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.printed:
            assert time.monotonic() < deadline, f"the server did not say {text!r}: {self.printed}"
            await asyncio.sleep(0.02)

    async def readiness(self) -> int | None:
        """Return the status of `/readyz`; None if nobody answers."""
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{self.url}/readyz") as response:
                return response.status
        except aiohttp.ClientError:
            return None

    async def metric(self, sample: str) -> float:
        """Return the value of a sample of `/metrics`, such as `name_total{reason="x"}`; 0 if it is not there."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/metrics") as response:
            lines = (await response.text()).splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == sample), 0.0)

    def token(
        self, user_id: str, role: str = "student", *, ttl: timedelta = HOUR, age: timedelta = timedelta(0)
    ) -> str:
        """Return an access token of this server, made `age` ago."""
        clock = SystemClock()
        minter = TokenMinter(load_signing_key(self.data_dir / "keys"), clock)
        return minter.mint(user(user_id, role), ttl, now=clock.now() - age)[0]

    def anonymous_kib(self) -> int:
        """Return the memory that the process has of its own: no code, no mapped files."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:"))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    async def ended(self) -> int:
        """Wait for the process's end; return its exit status."""
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE_S
        while (status := self._process.poll()) is None:
            assert time.monotonic() < deadline, f"the server did not end: {self.logged}"
            await asyncio.sleep(0.02)
        return status

    async def kill(self) -> None:
        """End the process without a word, as a power cut would."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> None:
        """Ask the process to go, if it has not gone; make it, if it will not."""
        if self._process is None or self._process.poll() is not None:
            return
        self.signal(signal.SIGTERM)
        try:
            await self.ended()
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()


@asynccontextmanager
async def serving(data_dir: Path, *, command: str = "serve", **settings: str) -> AsyncIterator[Homeroom]:
    """Run a server process for the length of a block."""
    homeroom = Homeroom(data_dir, command=command, **settings)
    try:
        await homeroom.start()
        yield homeroom
    finally:
        await homeroom.stop()
