"""realtime.dispatch: limit, validate, call, ack; and a bug is nobody's business but ours."""

import logging
import re
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from auth.limits import TokenBucket
from auth.types import Principal, Role
from core.errors import ErrorCode, HomeroomError
from core.ids import ConnectionId, UserId
from realtime.connection import Connection
from realtime.dispatch import Dispatch, Reply
from tests.support.fakes import FakeTime, RecordingLink

FRAME_BYTES = 1000


class Desk:
    """A dispatch with one handler, and one connection that sends to it."""

    def __init__(self, *, namespace: str = "/", burst: float = 100) -> None:
        self.time = FakeTime()
        self.registry = CollectorRegistry()
        self.calls: list[tuple[str, Any]] = []
        self.answer: Reply | Exception = Reply({"fine": True})
        events = ["room:leave", "typing:set", "join-session"]
        handlers = {event: self._handler(event) for event in events}
        self.dispatch = Dispatch(handlers, clock=self.time, registry=self.registry, frame_bytes=FRAME_BYTES)
        self.link = RecordingLink()
        principal = Principal(UserId("ada"), Role.STUDENT, "Ada")
        bucket = TokenBucket(1, burst)
        self.connection = Connection(ConnectionId("c1"), namespace, principal, self.link, bucket)

    def _handler(self, event: str) -> Any:
        async def handle(connection: Connection, payload: Any) -> Reply:
            assert connection is self.connection
            self.calls.append((event, payload))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return handle

    async def send(self, event: object, *args: object, ack_id: int | None = 7, size: int = 10) -> Any:
        """Send an event; return the envelope of its ack, or None if there was none."""
        await self.dispatch.handle(self.connection, event, list(args), ack_id, size)
        return self.link.acks().get(7)

    def counted(self, event: str, code: str) -> float | None:
        """Return how often an event ended with a code."""
        return self.registry.get_sample_value("homeroom_event_seconds_count", {"event": event, "code": code})


def code_of(envelope: Any) -> str:
    """Return the code of a refusal."""
    assert envelope["ok"] is False
    code: str = envelope["error"]["code"]
    return code


async def test_an_event_is_validated_called_and_acked() -> None:
    """The handler gets the connection and the payload as the contract's model; its answer is the data of the ack."""
    desk = Desk()
    assert {"ok": True, "data": {"fine": True}} == await desk.send("room:leave", {"room_id": "r", "newer": 1})
    ((event, payload),) = desk.calls
    assert ("room:leave", "r", 1.0) == (event, payload.room_id, desk.counted("room:leave", "ok"))
    assert ['437[{"ok":true,"data":{"fine":true}}]'] == desk.link.frames


async def test_an_event_without_an_ack_id_is_processed_all_the_same() -> None:
    """Nothing is answered, neither to what is right nor to what is wrong."""
    desk = Desk()
    assert await desk.send("room:leave", {"room_id": "r"}, ack_id=None) is None
    assert await desk.send("room:leave", {}, ack_id=None) is None
    assert (1, []) == (len(desk.calls), desk.link.frames)


async def test_what_is_to_come_after_the_ack_comes_after_the_ack() -> None:
    """`after` runs once the ack is queued, and also if nobody asked for one."""
    desk = Desk()
    order: list[int] = []
    desk.answer = Reply({}, after=lambda: order.append(len(desk.link.frames)))
    await desk.send("room:leave", {"room_id": "r"})
    await desk.send("room:leave", {"room_id": "r"}, ack_id=None)
    assert [1, 1] == order


@pytest.mark.parametrize("event", ["room:explode", "", "ROOM:LEAVE", "ready", "\ud800", 7, None, ["room:leave"], {}])
async def test_there_is_no_such_event(event: object) -> None:
    """Unknown names and names that are no names are `request.unknown_event`, counted under one label."""
    desk = Desk()
    assert "request.unknown_event" == code_of(await desk.send(event, {"room_id": "r"}))
    assert ([], 1.0) == (desk.calls, desk.counted("unknown", "request.unknown_event"))


async def test_other_namespaces_have_no_events() -> None:
    """On `/admin` the events of `/` do not exist; the answer goes back on `/admin`."""
    desk = Desk(namespace="/admin")
    assert "request.unknown_event" == code_of(await desk.send("room:leave", {"room_id": "r"}))
    assert desk.link.frames[0].startswith("43/admin,7[")


async def test_a_wrong_payload_does_not_reach_the_handler() -> None:
    """The refusal names the fields."""
    desk = Desk()
    envelope = await desk.send("typing:set", {"room_id": 1, "on": "yes"})
    assert ("request.invalid", ["room_id", "on"]) == (code_of(envelope), envelope["error"]["fields"])
    assert [] == desk.calls


async def test_the_limit_comes_first() -> None:
    """Beyond the burst every event is `rate.limited`, valid or not, and says when to come back."""
    desk = Desk(burst=2)
    await desk.send("room:leave", {"room_id": "r"})
    await desk.send("room:explode", {})
    for event in ("room:leave", "room:explode", None):
        envelope = await desk.send(event, {}, size=FRAME_BYTES + 1)
        assert ("rate.limited", 1000) == (code_of(envelope), envelope["error"]["retry_after_ms"])
    desk.time.advance(1)
    assert (await desk.send("room:leave", {"room_id": "r"}))["ok"]


async def test_an_event_has_a_greatest_size() -> None:
    """Exactly the limit passes; above it the event is answered, not parsed."""
    desk = Desk()
    assert (await desk.send("room:leave", {"room_id": "r"}, size=FRAME_BYTES))["ok"]
    envelope = await desk.send("room:leave", {"room_id": "r"}, size=FRAME_BYTES + 1)
    assert "request.too_large" == code_of(envelope)
    assert str(FRAME_BYTES) in envelope["error"]["message"]


async def test_a_refusal_of_the_domain_is_passed_on() -> None:
    """Code, message, when to come back; and nothing is logged as an error."""
    desk = Desk()
    desk.answer = HomeroomError(ErrorCode.ROOM_MUTED, retry_after_ms=5)
    with capture_logs() as logs:
        envelope = await desk.send("room:leave", {"room_id": "r"})
    assert {"ok": False, "error": desk.answer.to_wire()} == envelope
    assert [] == [line for line in logs if line["log_level"] == "error"]
    assert 1.0 == desk.counted("room:leave", "room.muted")


@pytest.mark.parametrize("bug", [ValueError("the secret of Ada"), KeyError("x"), RecursionError(), AssertionError()])
async def test_a_bug_is_hidden_behind_a_trace_id(bug: Exception) -> None:
    """The client gets `server.internal` and an id, and no detail; the log has the same id and the rest."""
    desk = Desk()
    desk.answer = bug
    with capture_logs() as logs:
        envelope = await desk.send("room:leave", {"room_id": "r"})
    message = envelope["error"]["message"]
    found = re.search(r"trace_id ([0-9a-f-]{36})", message)
    assert found is not None
    assert ("server.internal", True) == (code_of(envelope), envelope["error"]["retryable"])
    assert "secret" not in str(envelope)
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert (found[1], bug, "ada", "room:leave") == (
        line["trace_id"],
        line["exc_info"],
        line["user"],
        line["event_name"],
    )
    desk.answer = Reply({})
    assert (await desk.send("room:leave", {"room_id": "r"}))["ok"]


async def test_an_answer_that_is_no_json_is_a_bug_too() -> None:
    """What a handler returns by mistake ends in `server.internal`, never in an exception that cuts the connection."""
    desk = Desk()
    desk.answer = Reply({"body": "\ud800"})
    with capture_logs():
        assert "server.internal" == code_of(await desk.send("room:leave", {"room_id": "r"}))


async def test_logs_carry_no_payload(caplog: pytest.LogCaptureFixture) -> None:
    """One line per event says who, what and how long, and not what was said."""
    desk = Desk()
    caplog.set_level(logging.DEBUG, "realtime.dispatch")
    with capture_logs() as logs:
        await desk.send("join-session", "a-private-session-name")
    (line,) = logs
    assert ("join-session", "ok", "ada", "c1") == (line["event_name"], line["code"], line["user"], line["connection"])
    assert "private" not in str(logs)


async def test_lines_that_nobody_reads_are_not_made(caplog: pytest.LogCaptureFixture) -> None:
    """Above the level of debugging an event that goes well, or is refused, leaves no line at all."""
    desk = Desk()
    caplog.set_level(logging.INFO, "realtime.dispatch")
    with capture_logs() as logs:
        await desk.send("join-session", "algebra")
        await desk.send("join-session", {})
    assert ([], 1.0) == (logs, desk.counted("join-session", "ok"))


async def test_what_waits_for_nothing_is_done_in_one_step() -> None:
    """Events and refusals are answered in the first step of the coroutine, without a task, a timer or a turn."""
    desk = Desk()
    for payload in ({"room_id": "r"}, {}):
        handling = desk.dispatch.handle(desk.connection, "room:leave", [payload], 7, 10)
        with pytest.raises(StopIteration):
            handling.send(None)
    assert 2 == len(desk.link.frames)


async def test_an_answer_that_nobody_asked_for_is_not_encoded() -> None:
    """So what could not be encoded harms nobody: the event counts as handled."""
    desk = Desk()
    desk.answer = Reply({"body": object()})
    assert await desk.send("room:leave", {"room_id": "r"}, ack_id=None) is None
    assert 1.0 == desk.counted("room:leave", "ok")
