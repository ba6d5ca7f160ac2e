"""`python -m realtime.engine.conformance`: the echo server as a program."""

import signal
import subprocess

import pytest

from tests.support.echo import COMMAND, ROOT, Echo, echoing
from tests.support.rawsocket import PATIENCE_S


def started(*options: str) -> "subprocess.Popen[str]":
    """Start the command."""
    command = [*COMMAND, *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(number: signal.Signals) -> None:
    """Exit status 0, and not a word on standard error."""
    with started("--port", "0") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://localhost:")
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert (0, "") == (process.returncode, errors)


async def test_it_ends_though_somebody_is_connected() -> None:
    """Websockets, sessions and connections that say nothing do not keep it."""
    with echoing() as echo:
        await echo.polling()
        async with echo.websocket(), echo.joined(), echo.wire():
            echo.terminate()


def test_a_taken_port_is_one_readable_line(calm: Echo) -> None:
    """Exit status 1, the port's number, no traceback."""
    with started("--port", str(calm.port)) as process:
        out, errors = process.communicate(timeout=PATIENCE_S)
        assert (1, "", f"Port {calm.port} is taken.\n") == (process.returncode, out, errors)


async def test_the_times_can_be_changed() -> None:
    """What the options say is what clients are told."""
    with echoing("--ping-interval-ms", "1234", "--ping-timeout-ms", "567") as echo:
        opened = (await echo.polling()).opened
        assert (1234, 567) == (opened["pingInterval"], opened["pingTimeout"])
