"""How a peer written in Python is started: `--port`, uvloop, and its address on standard output."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop
from aiohttp import web

BACKLOG = 4096


async def listen(app: web.Application, port: int) -> None:
    """Listen on 127.0.0.1 and print the address."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=BACKLOG).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)  # noqa: T201 - whoever started it reads this


def run(serve: Callable[[int], Coroutine[Any, Any, None]], about: str | None) -> None:
    """Read the command line, and `serve` at its port until ended."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options.port))
