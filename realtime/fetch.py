"""Fetching JSON from outside, bounded in time and size."""

import aiohttp
import orjson

MAX_BYTES = 262_144
TIMEOUT_S = 5


class JsonFetcher:
    """The `auth.jwks.FetchJson` of the product. Follows no redirect: a key set lives where it is configured."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, url: str) -> object:
        """Return the JSON at `url`. Raises ValueError, OSError or aiohttp.ClientError for anything else."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        async with self._session.get(url, allow_redirects=False) as answer:
            if answer.status != 200:
                raise ValueError(f"status {answer.status}")
            body = await answer.content.read(MAX_BYTES + 1)
            while len(body) <= MAX_BYTES and (more := await answer.content.read(MAX_BYTES + 1)):
                body += more
        if len(body) > MAX_BYTES:
            raise ValueError("too large")
        return orjson.loads(body)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
