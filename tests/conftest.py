"""What holds for all tests."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from tests.support.javascript import TRANSPORTS, Driver, driving

# A property says what is true, not how fast: machines are shared, and a pause of theirs is no counterexample.
settings.register_profile("homeroom", deadline=None)
settings.load_profile("homeroom")


@pytest.fixture(params=TRANSPORTS.values(), ids=list(TRANSPORTS))
def transports(request: pytest.FixtureRequest) -> list[str]:
    """The transports that the client may use, in its order of preference."""
    chosen: list[str] = request.param
    return chosen


@pytest.fixture
async def node() -> AsyncIterator[Driver]:
    """A Node process with the official client."""
    async with driving() as driver:
        yield driver
