"""Where a worker reads what any of the workers made, such as the id of a room."""

import asyncio
from collections import defaultdict
from collections.abc import Callable


class PipeBoard:
    """One worker's side: `tell` carries a pair to the coordinator, which brings it to every worker's `put`."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._values: defaultdict[str, asyncio.Future[str]] = defaultdict(
            asyncio.get_running_loop().create_future  # the first who asks or tells makes it
        )

    async def publish(self, key: str, value: str) -> None:
        """Tell every worker, this one among them."""
        self._tell(key, value)

    async def shared(self, key: str) -> str:
        """Return what was published under `key`; waits until it is."""
        return await asyncio.shield(self._values[key])

    def put(self, key: str, value: str) -> None:
        """Take a pair from the coordinator. The first value of a key stays."""
        if not self._values[key].done():
            self._values[key].set_result(value)
