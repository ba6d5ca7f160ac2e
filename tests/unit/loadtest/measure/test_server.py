"""What a server uses: of real processes, and of real pages of metrics."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from loadtest.client.target import Target
from loadtest.measure.server import ServerProbe, find_server_pid
from tests.support.process import free_port

PROGRAM = """
import os, socket, sys, time
listening = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    hoard = bytearray(b"x" * 60_000_000)
    begun = time.process_time()
    while time.process_time() - begun < 0.2:
        pass
    print(listening.getsockname()[1], flush=True)
sys.stdin.read()
"""
"""Listens in two processes; the child uses 0.2 s and 60 MB, then says where it listens."""

WORKERS = """
import os, socket, sys
port = 0
for worker in range(2):
    listening = socket.create_server(("127.0.0.1", port), reuse_port=True)
    port = listening.getsockname()[1]
    if os.fork() == 0:
        sys.stdin.read()
        sys.exit()
    listening.close()
print(port, flush=True)
sys.stdin.read()
"""
"""Two processes listen at one port, each with a socket of its own; who started them does not."""


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[str], Target]]:
    """Run a server with a child that shares its socket."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, Target(f"http://127.0.0.1:{int(process.stdout.readline())}")
        process.kill()


async def test_the_parent_is_found_and_its_children_count(server: tuple[subprocess.Popen[str], Target]) -> None:
    """Of processes that share a port the eldest is the server; what its children use, it uses."""
    process, target = server
    probe = ServerProbe(target)
    assert ("pid", process.pid) == (probe.source, probe.pid)
    reading = await probe.read()
    assert reading is not None
    assert reading.cpu_s >= 0.2
    assert 60_000_000 < reading.rss_bytes < 600_000_000


async def test_a_server_that_dies_has_no_reading(server: tuple[subprocess.Popen[str], Target]) -> None:
    """Neither after it was read once, nor if it had never been."""
    process, target = server
    probe, unread = ServerProbe(target), ServerProbe(target)
    assert await probe.read() is not None
    process.kill()
    process.wait()
    assert [None, None] == [await probe.read(), await unread.read()]


async def test_a_process_may_be_named() -> None:
    """The one that the user means is read, whoever listens."""
    probe = ServerProbe(Target("http://192.0.2.1:80"), os.getpid())
    reading = await probe.read()
    assert ("pid", os.getpid()) == (probe.source, probe.pid)
    assert reading is not None
    assert reading.cpu_s > 0


def test_of_processes_with_sockets_of_their_own_the_one_that_started_them_is_found() -> None:
    """Workers may share a port without sharing a socket: the server is who looks after them."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert process.pid == find_server_pid(Target(f"http://127.0.0.1:{port}"))
        process.kill()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.9", "[::1]"])
def test_who_listens_everywhere_is_found_by_any_name_of_this_machine(host: str) -> None:
    """A server on all addresses is this machine's, by whatever address it is called."""
    family, address = (socket.AF_INET6, "::") if ":" in host else (socket.AF_INET, "0.0.0.0")
    with socket.create_server((address, 0), family=family) as listening:
        port = listening.getsockname()[1]
        assert os.getpid() == find_server_pid(Target(f"http://{host}:{port}"))


def test_a_server_elsewhere_is_not_found() -> None:
    """A port of this machine says nothing of another machine's; nor does a name that nobody knows."""
    with socket.create_server(("0.0.0.0", 0)) as listening:
        port = listening.getsockname()[1]
        assert [None, None] == [
            find_server_pid(Target(f"http://{host}:{port}")) for host in ("192.0.2.1", "nowhere.invalid")
        ]


@pytest.fixture
async def page() -> AsyncIterator[tuple[Target, list[web.Response]]]:
    """Serve, at /metrics, the responses that a test puts into the list."""
    responses: list[web.Response] = []
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return responses.pop(0)

    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield Target(f"http://127.0.0.1:{runner.addresses[0][1]}"), responses
    await runner.cleanup()


def by_metrics(target: Target) -> ServerProbe:
    """Return a probe that cannot see the server's process."""
    probe = ServerProbe(target)
    probe.pid, probe.source = None, "metrics"
    return probe


async def test_metrics_tell_what_no_process_does(page: tuple[Target, list[web.Response]]) -> None:
    """The sum of all processes that the page tells of."""
    target, responses = page
    text = "\n".join(
        [
            "# TYPE process_cpu_seconds_total counter",
            'process_cpu_seconds_total{worker="0"} 1.5',
            'process_cpu_seconds_total{worker="1"} 2.5',
            "# TYPE process_resident_memory_bytes gauge",
            "process_resident_memory_bytes 5e+07",
            "",
        ]
    )
    responses.append(web.Response(text=text))
    reading = await by_metrics(target).read()
    assert reading is not None
    assert (4.0, 50_000_000) == (reading.cpu_s, reading.rss_bytes)


async def test_pages_that_tell_nothing_are_no_reading(page: tuple[Target, list[web.Response]]) -> None:
    """Refused, of other things, not of this format, not text: never an exception."""
    target, responses = page
    responses += [
        web.Response(status=404, text="process_cpu_seconds_total 1\nprocess_resident_memory_bytes 2\n"),
        web.Response(text="other_total 1\n"),
        web.Response(text="<html>Bad { gateway</html>"),
        web.Response(text="process_cpu_seconds_total NaN\nprocess_resident_memory_bytes NaN\n"),
        web.Response(body=b"\xff\xfe\x00process", content_type="text/plain", charset="utf-8"),
    ]
    probe = by_metrics(target)
    assert [None] * 5 == [await probe.read() for _ in range(5)]


async def test_nobody_listening_is_no_reading() -> None:
    """A server that is not there, or no longer."""
    async with asyncio.timeout(10):
        assert await ServerProbe(Target(f"http://127.0.0.1:{free_port()}")).read() is None
