"""The server's HTTP API, over connections that are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from loadtest.client.errors import ApiFailed, code_of
from loadtest.client.target import Target


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered, whatever it was."""

    status: int
    code: str | None
    """None: ok. Else the problem's code, http_<status> without one, or garbage: ok, but neither empty nor JSON."""
    body: Any
    """The JSON, decoded; None if there was none."""
    retry_after_ms: int | None = None


class Api:
    """A client of /v1 with at most `connections` connections; requests beyond wait for one.

    A GET over a kept connection that turns out to have been closed is sent once more, as browsers do.
    """

    def __init__(self, target: Target, connections: int) -> None:
        self._target = target
        self._connections = connections
        self._http: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        path: str,
        token: str | None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the server's answer, read to its end. Raises ApiFailed if there is none."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        body = None
        if json is not None:
            body, sent["Content-Type"] = orjson.dumps(json), "application/json"
        try:
            async with self._session().request(method, self._target.url + path, data=body, headers=sent) as response:
                return _answer(response, await response.read())
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise ApiFailed(code_of(exc), f"{method} {path.partition('?')[0]}: {exc}") from None

    async def close(self) -> None:
        """Close all connections."""
        if self._http is not None:
            await self._http.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                timeout=aiohttp.ClientTimeout(total=self._target.connect_timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._http


def _answer(response: aiohttp.ClientResponse, read: bytes) -> Answer:
    try:
        body = orjson.loads(read) if read else None
    except orjson.JSONDecodeError:
        return Answer(response.status, "garbage" if response.ok else f"http_{response.status}", None, _delay(response))
    code = None if response.ok else f"http_{response.status}"
    if code is not None and isinstance(body, dict) and isinstance(body.get("code"), str):
        code = body["code"]
    return Answer(response.status, code, body, _delay(response))


def _delay(response: aiohttp.ClientResponse) -> int | None:
    wait = response.headers.get("Retry-After", "")
    return int(wait) * 1000 if wait.isdigit() else None
