"""People who talk HTTP to a real server, and who check each answer against the table of routes."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
from pydantic import BaseModel
from yarl import URL

from core.errors import ERRORS, ErrorCode
from realtime.http.models import Problem
from realtime.http.routes import ROUTES
from realtime.lifecycle import Server
from tests.support.server import running, token, user

Json = dict[str, Any]

SERVICE_KEY: Final = "hrk_only-for-tests-0123456789"
SERVICE: Final = "service"
ROLES: Final = {
    "ada": "student",
    "ben": "student",
    "eve": "student",
    "ms-rao": "teacher",
    "admin": "admin",
    "ivy": "viewer",
}
"""The cast: user ids and their roles. Eve is in no room unless a test puts her there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body as JSON."""
        value: Json = orjson.loads(self.body)
        return value

    @property
    def code(self) -> str | None:
        """The code of a refusal, None of a success."""
        return None if self.status < 400 else self.json["code"]


class Api:
    """A client of one server. `by` is someone of the cast, SERVICE, or None for nobody."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.url = f"http://127.0.0.1:{server.port}"  # whatever the public one is

    async def call(
        self,
        method: str,
        path: str,
        *,
        by: str | None = None,
        json: Any = None,
        data: bytes | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; return its answer, which is checked first. `path` is sent as it is."""
        sent = dict(headers or {})
        if by is not None:
            sent["Authorization"] = f"Bearer {self.token(by)}"
        if key is not None:
            sent["Idempotency-Key"] = key
        url = URL(self.url + path, encoded=True)
        async with self.session.request(
            method, url, json=json, data=data, headers=sent, allow_redirects=False
        ) as response:
            answer = Answer(response.status, response.headers, await response.read())
        check(method, path, answer)
        return answer

    async def ok(self, method: str, path: str, **more: Any) -> Json:
        """Send a request that must succeed; return its JSON."""
        answer = await self.call(method, path, **more)
        assert answer.status < 300, answer
        return answer.json if answer.body else {}

    async def refused(self, method: str, path: str, **more: Any) -> Json:
        """Send a request that must be refused; return the problem."""
        answer = await self.call(method, path, **more)
        assert answer.status >= 400, answer
        return answer.json

    def token(self, by: str) -> str:
        """Return the credential of someone of the cast."""
        return SERVICE_KEY if by == SERVICE else token(self.server, by, ROLES[by])

    async def group(self, owner: str, *members: str, **more: Any) -> str:
        """Make a group; return its id."""
        asked = {"kind": "group", "title": "Algebra", "member_ids": list(members), **more}
        return str((await self.ok("POST", "/v1/rooms", by=owner, json=asked))["room"]["id"])

    async def send(self, by: str, room_id: str, body: str, **more: Any) -> Json:
        """Send a message; return it as stored."""
        asked = {"body": body, **more}
        message: Json = (await self.ok("POST", f"/v1/rooms/{room_id}/messages", by=by, json=asked))["message"]
        return message


@asynccontextmanager
async def school(data_dir: Path, limits: Json | None = None, **values: Any) -> AsyncIterator[Api]:
    """Run a server with the whole cast on its roll, for the length of a block."""
    async with (
        running(data_dir, limits, service_key=SERVICE_KEY, **values) as server,
        aiohttp.ClientSession() as session,
    ):
        for user_id, role in ROLES.items():
            await server.app.store.users.put(user(user_id, role))
        yield Api(server, session)


def check(method: str, path: str, answer: Answer) -> None:
    """Check what holds for every answer: the common headers, the problem of a refusal, the model of a success."""
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert "no-referrer" == answer.headers["Referrer-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Request-Id"]
    if answer.status >= 400:
        check_problem(method, answer)
    elif answer.body and (model := _response_model(method, path)):
        assert path.startswith("/.well-known/") or "no-store" == answer.headers["Cache-Control"]
        model.model_validate_json(answer.body)


def check_problem(method: str, answer: Answer) -> None:
    """Check that a refusal is an RFC 9457 problem that says what the error table says."""
    assert "application/problem+json" == answer.headers["Content-Type"]
    if method == "HEAD":
        return
    problem = Problem.model_validate_json(answer.body)
    spec = ERRORS[ErrorCode(problem.code)]
    assert (spec.status, spec.retryable, spec.message) == (answer.status, problem.retryable, problem.title)
    assert answer.status == problem.status
    assert f"/docs#error-{problem.code}" == problem.type
    assert (problem.retry_after_ms is not None) == ("Retry-After" in answer.headers)
    assert (answer.status == 401) == ("WWW-Authenticate" in answer.headers)
    assert not any(value is None for value in answer.json.values())


def _response_model(method: str, path: str) -> type[BaseModel] | None:
    plain = path.partition("?")[0]
    for route in ROUTES:
        pattern = re.sub(r"\{\w+\}", "[^/]+", route.path)
        if route.method == method and re.fullmatch(pattern, plain):
            return route.response
    return None
