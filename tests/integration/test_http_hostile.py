"""What no honest client sends. Each gets a proper refusal, and the server serves on."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from realtime.http import endpoint
from tests.support.api import Api, school

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A school, which still answers at the end of each test."""
    async with school(tmp_path) as api:
        yield api
        await api.ok("GET", "/v1/me", by="ada")


@pytest.fixture
async def path(api: Api) -> str:
    """Where Ada may post messages."""
    return f"/v1/rooms/{await api.group('ada')}/messages"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"1e999",
        b"{'body': 'x'}",
        b'{"body": "\xff\xfe"}',
        b'{"body": "\xed\xa0\x80"}',
        b'{"body": "\\ud800"}',
        b'{"body": "x"} trailing',
        b'{"body": NaN}',
        b"\xef\xbb\xbf" + b'{"body": "x"}',
        b'{"body":' * 20_000,
        b"[" * 100_000,
        b"body=x",
    ],
    ids=lambda data: repr(data[:20]),
)
async def test_what_is_no_json_object_is_refused(api: Api, path: str, data: bytes) -> None:
    """Broken, deep, wrongly encoded, lone surrogates, other types: 400, with the problem's shape."""
    assert "request.invalid" == (await api.refused("POST", path, by="ada", data=data, headers=JSON))["code"]


async def test_unknown_fields_are_ignored(api: Api, path: str) -> None:
    """A newer client still works, and cannot set what is not its to set."""
    asked = {"body": "x", "sender_id": "admin", "seq": 99, "future": {"deep": [1]}}
    message = (await api.ok("POST", path, by="ada", json=asked))["message"]
    assert ("ada", 1) == (message["sender_id"], message["seq"])


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", ""]
)
async def test_another_content_type_is_refused(api: Api, path: str, kind: str) -> None:
    """The answer names the header, so that a forgotten curl option is found at once."""
    headers = {"Content-Type": kind}
    problem = await api.refused("POST", path, by="ada", data=b'{"body": "x"}', headers=headers)
    assert ("request.invalid", ["Content-Type"]) == (problem["code"], problem["fields"])


async def test_without_a_content_type_it_is_json(api: Api, path: str) -> None:
    """There is nothing else that it could be."""
    skip = {"Content-Type"}
    headers = {"Authorization": f"Bearer {api.token('ada')}"}
    async with api.session.post(
        api.url + path, data=b'{"body": "x"}', headers=headers, skip_auto_headers=skip
    ) as response:
        assert 201 == response.status


async def test_a_charset_is_no_other_content_type(api: Api, path: str) -> None:
    """Parameters do not matter: JSON is UTF-8."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    await api.ok("POST", path, by="ada", data=b'{"body": "x"}', headers=headers)


async def test_a_body_beyond_the_limit_is_refused(api: Api, path: str) -> None:
    """Four frames are read, and not one byte more is kept."""
    data = b'{"body": "' + b"x" * 262_144 + b'"}'
    answer = await api.call("POST", path, by="ada", data=data, headers=JSON)
    assert (413, "request.too_large") == (answer.status, answer.code)


async def test_a_body_that_unpacks_to_more_is_refused(api: Api, path: str) -> None:
    """A small gzip of many zeros does not fill the memory."""
    data = gzip.compress(b" " * 50_000_000)
    headers = {**JSON, "Content-Encoding": "gzip"}
    answer = await api.call("POST", path, by="ada", data=data, headers=headers)
    assert answer.status in (400, 413)


async def test_a_body_that_does_not_unpack_is_refused(api: Api, path: str) -> None:
    """What says gzip and is not."""
    headers = {**JSON, "Content-Encoding": "gzip"}
    problem = await api.refused("POST", path, by="ada", data=b"no gzip at all", headers=headers)
    assert "request.invalid" == problem["code"]


async def test_a_body_is_not_read_from_strangers(api: Api) -> None:
    """Whoever is not let in is refused before the body is looked at."""
    assert "auth.missing_token" == (await api.refused("POST", "/v1/rooms", data=b"x" * 300_000, headers=JSON))["code"]


@pytest.mark.parametrize(
    "room_id",
    ["x" * 129, "a%00b", "a%0Ab", "%7F", "..%2F..%2Fetc%2Fpasswd", "%FF%FE", "' OR 1=1 --", "%25", "{room_id}"],
)
async def test_an_id_that_cannot_be_is_refused_or_not_found(api: Api, room_id: str) -> None:
    """Whatever stands where an id should, it is an id or nothing."""
    target = f"/v1/rooms/{room_id.replace(' ', '%20')}"
    assert (await api.refused("GET", target, by="ada"))["code"] in ("request.invalid", "room.not_found")


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "häh", "a b"])
async def test_an_idempotency_key_must_be_one(api: Api, path: str, key: str) -> None:
    """Empty, long, or not visible ASCII."""
    headers = {"Idempotency-Key": key}
    problem = await api.refused("POST", path, by="ada", json={"body": "x"}, headers=headers)
    assert ("request.invalid", ["Idempotency-Key"]) == (problem["code"], problem["fields"])


async def exchange(api: Api, request: bytes) -> bytes:
    """Send raw bytes; return all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.server.port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"x" * 100_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET /v1/me HTTP/9.9\r\n\r\n", 400),
        (b"POST /v1/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (
            b"POST /v1/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
    ],
    ids=["huge header", "huge path", "nonsense", "version", "negative length", "smuggling"],
)
async def test_what_is_no_http_ends_the_connection(api: Api, request_: bytes, status: int) -> None:
    """One answer and the end, before any route of ours; nothing of the request is repeated at length."""
    answer = await exchange(api, request_)
    assert answer.startswith((b"HTTP/1.0 %d" % status, b"HTTP/1.1 %d" % status))
    assert len(answer) < 1000


async def test_a_client_that_leaves_midway_leaves_nothing(
    api: Api, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a request is no message, and no fault of ours that the log would cry about."""
    _, writer = await asyncio.open_connection("127.0.0.1", api.server.port)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token('ada')}\r\n"
    writer.write(head.encode() + b'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"body": "half')
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert [] == (await api.ok("GET", path, by="ada"))["messages"]
    log = ""
    while not (lines := [line for line in log.splitlines() if "method=POST" in line and "/messages" in line]):
        await api.ok("GET", "/healthz")
        log += capsys.readouterr().out
    assert (1, True) == (len(lines), "status=400" in lines[0])


async def test_a_body_that_does_not_come_is_not_waited_for(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that sends a byte now and then does not hold a place for ever."""
    monkeypatch.setattr(endpoint, "BODY_TIMEOUT_S", 0.05)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {api.token('ada')}\r\n"
    answer = await exchange(api, head.encode() + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"request.invalid" in answer
