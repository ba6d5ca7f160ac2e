"""Bad input: a clear error with a stable code, the connection kept where promised, nobody else disturbed."""

from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from realtime.lifecycle import Server
from tests.integration.conftest import Join
from tests.integration.test_messages import direct
from tests.support.person import connected
from tests.support.raw import Raw, raw
from tests.support.server import running, token


async def error_of(client: Raw, arguments: str) -> dict[str, Any]:
    """Send an event as JSON text; return the error of its ack."""
    answer = await client.ack(arguments)
    assert answer is not None, "the server closed"
    assert not answer["ok"], answer
    error: dict[str, Any] = answer["error"]
    return error


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('["no:such_event",{}]', "request.unknown_event"),
        ('["ready",{}]', "request.unknown_event"),
        ("[7,{}]", "request.unknown_event"),
        ("[null]", "request.unknown_event"),
        ('["room:list"]', "request.invalid"),
        ('["room:list",{},{}]', "request.invalid"),
        ('["room:list","text"]', "request.invalid"),
        ('["room:list",null]', "request.invalid"),
        ('["room:list",{"limit":"50"}]', "request.invalid"),
        ('["room:list",{"limit":0}]', "request.invalid"),
        ('["room:list",{"limit":123456789012345678901234567890}]', "request.invalid"),
        ('["room:open",{"kind":"castle"}]', "request.invalid"),
        ('["room:open",{"kind":"direct"}]', "request.invalid"),
        ('["message:send",{"room_id":{"$ne":1},"client_id":"1","body":"x"}]', "request.invalid"),
        ('["message:send",{"room_id":"r","client_id":"","body":"x"}]', "request.invalid"),
        ('["message:send",{"room_id":"r","client_id":"1","body":" \\n\\t "}]', "request.invalid"),
        ('["message:send",{"room_id":"r","client_id":"1","body":"a\\u0000b"}]', "request.invalid"),
        ('["message:send",{"room_id":"r","client_id":"1","body":7}]', "request.invalid"),
        ('["presence:set",{"status":"offline"}]', "request.invalid"),
        ('["join-session",{"id":"x"}]', "request.invalid"),
        ('["join-session",""]', "request.invalid"),
        ('["send-message",{"sessionId":"s"}]', "request.invalid"),
    ],
)
async def test_a_bad_event_is_answered_and_the_connection_stays(server: Server, arguments: str, code: str) -> None:
    """Each gets its stable code, with the fields named; the next event on the same connection works."""
    async with raw(server.url) as client:
        await client.sign_in(token(server, "ada"))
        error = await error_of(client, arguments)
        assert code == error["code"]
        assert ("fields" in error) == (code == "request.invalid")
        assert (await client.ack('["room:list",{}]'))["ok"]


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "4",
        "x",
        "9",
        "42",
        "42{}",
        "42[]",
        "421",
        "42[",
        "47[]",
        "44{}",
        "4/",
        "452-[]",
        b"binary",
        '45999999-["a"]',
        '42["a",1e999]',
        "40",
    ],
)
async def test_a_frame_outside_the_protocol_ends_that_connection_only(server: Server, join: Join, frame: str) -> None:
    """What is not Socket.IO closes the connection that sent it, and nobody else notices."""
    ben = await join("ben")
    async with raw(server.url) as client:
        await client.sign_in(token(server, "ada"))
        await client.send(frame)
        if frame == "452-[]":
            await client.send("4")  # a text frame where a binary attachment is due
        assert await client.closed()
    assert (await ben.call("room:list", {}))["ok"]


async def test_events_before_sign_in_are_not_heard(server: Server) -> None:
    """An event on a connection that has not joined the namespace gets no answer, and does nothing."""
    async with raw(server.url) as client:
        await client.send('421["room:list",{}]')
        await client.sign_in(token(server, "ada"))
        assert (await client.ack('["room:list",{}]'))["ok"]


async def test_a_large_event_is_answered_and_a_huge_one_cut_off(server: Server) -> None:
    """Above 64 KiB an event is `request.too_large`; at four times that the websocket is closed with 1009."""
    async with raw(server.url) as client:
        await client.sign_in(token(server, "ada"))
        large = orjson.dumps(["room:list", {"pad": "x" * 70_000}]).decode()
        assert "request.too_large" == (await error_of(client, large))["code"]
        assert (await client.ack('["room:list",{}]'))["ok"]
        await client.send("42" + "x" * 300_000)
        assert await client.closed()
        assert 1009 == client.close_code


async def test_a_long_body_is_too_long(join: Join) -> None:
    """8,000 characters pass, of any alphabet; one more is `message.too_long` and not stored."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    payload = {"room_id": room_id, "client_id": "1", "body": "x" * 10_001}
    assert "message.too_long" == (await ada.refused("message:send", payload))["code"]
    sent = await ada.send(room_id, "🎓" * 8000)
    assert (1, 8000) == (sent["seq"], len(sent["body"]))


async def test_html_is_kept_as_text(join: Join) -> None:
    """A body is stored and delivered letter for letter: escaping is the business of whoever shows it."""
    ada, ben = await join("ada"), await join("ben")
    body = "<img src=x onerror=alert(1)> & \u202e \u0f0b \r\n\t\"'"
    await ada.send(await direct(ada, ben), body)
    assert body == (await ben.wait_for("message:new"))["message"]["body"]


async def test_half_an_emoji_becomes_a_replacement_character(join: Join, server: Server) -> None:
    """JavaScript can send a lone surrogate: the message arrives with U+FFFD there, whole pairs stay whole."""
    ada, ben = await join("ada"), await join("ben")
    room_id = await direct(ada, ben)
    async with raw(server.url) as client:
        await client.sign_in(token(server, "ada"))
        body = r"a\ud83db \uD83D\uDE00 \\ud83d \udc00"
        answer = await client.ack(f'["message:send",{{"room_id":"{room_id}","client_id":"1","body":"{body}"}}]')
        assert "a\ufffdb 😀 \\ud83d \ufffd" == answer["data"]["message"]["body"]


async def test_deep_json_is_no_way_in(server: Server) -> None:
    """JSON nested beyond reason ends the connection without an exception getting out."""
    async with raw(server.url) as client:
        await client.sign_in(token(server, "ada"))
        await client.send('42["room:list",' + "[" * 30_000 + "]" * 30_000 + "]")
        assert await client.closed()


async def test_invalid_utf8_ends_the_connection(server: Server, join: Join) -> None:
    """A text frame that is not UTF-8 is closed with 1007 (RFC 6455 §8.1)."""
    ben = await join("ben")
    async with raw(server.url) as client:
        await client.sign_in(token(server, "ada"))
        writer = client.websocket._writer
        await writer.send_frame(b'42["room:list",{"x":"\xff\xfe"}]', aiohttp.WSMsgType.TEXT)
        assert await client.closed()
        assert 1007 == client.close_code
    assert (await ben.call("room:list", {}))["ok"]


async def test_binary_where_text_belongs_is_invalid(server: Server) -> None:
    """A binary attachment in a text field is `request.invalid`; the connection stays."""
    async with raw(server.url) as client:
        await client.sign_in(token(server, "ada"))
        await client.send('451-9["message:send",{"room_id":"r","client_id":"1","body":{"_placeholder":true,"num":0}}]')
        await client.send(b"bytes")
        assert "request.invalid" == (await client.answer(9))["error"]["code"]


async def test_a_flood_of_events_is_limited(tmp_path: Path) -> None:
    """Beyond the burst each event is `rate.limited` with the time to wait, and the connection stays."""
    async with (
        running(tmp_path, {"events_per_s": 20, "events_burst": 40}) as server,
        connected(server.url, "ada", token(server, "ada")) as ada,
    ):
        answers = [await ada.call("room:list", {}) for _ in range(60)]
        limited = [answer["error"] for answer in answers if not answer["ok"]]
        assert [True] * 40 == [answer["ok"] for answer in answers[:40]]
        assert limited
        assert {("rate.limited", True)} == {(error["code"], error["retryable"]) for error in limited}
        assert all(0 < error["retry_after_ms"] <= 1000 for error in limited)


async def test_a_flood_of_messages_is_limited_per_room(tmp_path: Path) -> None:
    """Messages beyond the burst are refused and not stored; another room is not affected."""
    limits = {"messages_per_s": 5, "messages_burst": 5}
    async with (
        running(tmp_path, limits) as server,
        connected(server.url, "ada", token(server, "ada")) as ada,
        connected(server.url, "ben", token(server, "ben")) as ben,
    ):
        room_id = await direct(ada, ben)
        payloads = [{"room_id": room_id, "client_id": str(n), "body": "x"} for n in range(20)]
        answers = [await ada.call("message:send", payload) for payload in payloads]
        stored = sum(answer["ok"] for answer in answers)
        assert {"rate.limited"} == {answer["error"]["code"] for answer in answers if not answer["ok"]}
        history = await ben.ok("message:history", {"room_id": room_id, "limit": 100})
        assert stored == len(history["messages"]) < 20
        other = (await ada.ok("room:open", {"kind": "group", "title": "Quiet", "member_ids": []}))["room"]["id"]
        assert 1 == (await ada.send(other, "fine"))["seq"]


async def test_garbage_over_polling_is_refused(server: Server) -> None:
    """Unknown sessions, wrong versions, wrong transports and bad payloads are answered 400; no session survives one."""
    async with aiohttp.ClientSession() as session:
        base = f"{server.url}/socket.io/"
        for query in ("EIO=3&transport=polling", "EIO=4&transport=smoke", "EIO=4&transport=polling&sid=nobody"):
            async with session.get(f"{base}?{query}") as answer:
                assert 400 == answer.status
        async with session.get(f"{base}?EIO=4&transport=polling") as answer:
            sid = orjson.loads((await answer.text())[1:])["sid"]
        address = f"{base}?EIO=4&transport=polling&sid={sid}"
        async with session.post(address, data=b"4\xff\xfe") as answer:
            assert 400 == answer.status
        async with session.get(address) as answer:
            assert 400 == answer.status
