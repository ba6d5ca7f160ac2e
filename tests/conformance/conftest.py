"""The conformance server, once for each worker and kind of heartbeat."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.echo import ENGINE, SOCKET, Echo, echoing


@pytest.fixture(scope="session")
def beating() -> Iterator[Echo]:
    """The server as the official suites want it: a ping every 300 ms, 200 ms for the answer."""
    with echoing() as echo:
        yield echo


@pytest.fixture(scope="session")
def calm() -> Iterator[Echo]:
    """The same server with pings so rare that no test meets one, however slow the machine."""
    with echoing("--ping-interval-ms", "120000", "--ping-timeout-ms", "60000", "--connect-timeout-ms", "60000") as echo:
        yield echo


@pytest.fixture
async def echo(calm: Echo) -> AsyncIterator[Echo]:
    """The calm server, which still serves others when the test is over."""
    yield calm
    await calm.serves()


@pytest.fixture(params=[ENGINE, SOCKET], ids=["engine", "socket"])
def path(request: pytest.FixtureRequest) -> str:
    """Each of the two paths, where what is asked of Engine.IO holds alike."""
    chosen: str = request.param
    return chosen
