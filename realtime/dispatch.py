"""The one way in for events: limit → validate → call → ack. One log line and one measurement per event."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Histogram
from pydantic import ValidationError

from auth.limits import rate_limited
from core.clock import Clock
from core.errors import ErrorCode, HomeroomError
from core.ids import uuid7
from realtime.connection import Connection
from realtime.contract.registry import CLIENT_EVENTS, ClientEvent
from realtime.engine.frames import ack_frame

_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_ON_ANY_NAMESPACE: Final = frozenset({"auth:refresh"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers. `after` runs when the ack has been queued."""

    data: dict[str, Any]
    after: Callable[[], None] | None = None


Handler = Callable[[Connection, Any], Awaitable[Reply]]


class Dispatch:
    """Takes events of `/`. Never raises: every failure becomes an error envelope with a stable code."""

    def __init__(
        self, handlers: Mapping[str, Handler], *, clock: Clock, registry: CollectorRegistry, frame_bytes: int
    ) -> None:
        self._handlers = handlers
        self._clock = clock
        self._frame_bytes = frame_bytes
        self._observe: dict[tuple[str, str], Callable[[float], None]] = {}
        self._log = structlog.get_logger("realtime.dispatch")
        self._seconds = Histogram(
            "homeroom_event_seconds",
            "Time to handle a client event.",
            ["event", "code"],
            registry=registry,
            buckets=_BUCKETS,
        )

    async def handle(
        self, connection: Connection, event: object, args: list[object], ack_id: int | None, size: int
    ) -> None:
        """Handle one event and acknowledge it, if the client asked for that."""
        started = time.perf_counter()
        name = event if isinstance(event, str) and event in CLIENT_EVENTS else "unknown"
        after: Callable[[], None] | None = None
        encode = partial(ack_frame, ack_id or 0, namespace=connection.namespace)
        try:
            reply = await self._call(connection, event, args, size)
            answer, code, after = encode({"ok": True, "data": reply.data}), "ok", reply.after
        except HomeroomError as exc:
            answer, code = encode({"ok": False, "error": exc.to_wire()}), str(exc.code)
        except Exception as exc:  # a bug: the client gets a trace id, the log the rest
            error = self._internal(exc, name, connection)
            answer, code = encode({"ok": False, "error": error.to_wire()}), str(error.code)
        if ack_id is not None:
            connection.link.push(answer)
        if after is not None:
            after()
        self._record(connection, name, code, time.perf_counter() - started)

    async def _call(self, connection: Connection, event: object, args: list[object], size: int) -> Reply:
        wait_s = connection.bucket.take(self._clock.monotonic())
        if wait_s > 0:
            raise rate_limited(wait_s)
        if size > self._frame_bytes:
            raise HomeroomError(ErrorCode.REQUEST_TOO_LARGE, f"An event may have {self._frame_bytes} bytes at most.")
        spec = CLIENT_EVENTS.get(event) if isinstance(event, str) else None
        if spec is None or (connection.namespace != "/" and spec.name not in _ON_ANY_NAMESPACE):
            raise HomeroomError(ErrorCode.REQUEST_UNKNOWN_EVENT)
        return await self._handlers[spec.name](connection, parse(spec, args))

    def _internal(self, exc: Exception, event: str, connection: Connection) -> HomeroomError:
        trace_id = uuid7()
        self._log.error("event failed", event_name=event, user=connection.user_id, trace_id=trace_id, exc_info=exc)
        return HomeroomError(ErrorCode.SERVER_INTERNAL, f"Something went wrong on our side (trace_id {trace_id}).")

    def _record(self, connection: Connection, event: str, code: str, seconds: float) -> None:
        outcome = (event, code)
        if outcome not in self._observe:
            self._observe[outcome] = self._seconds.labels(event, code).observe
        self._observe[outcome](seconds)
        self._log.debug(
            "event",
            event_name=event,
            code=code,
            ms=round(seconds * 1000, 2),
            user=connection.user_id,
            connection=connection.id,
        )


def parse(spec: ClientEvent, args: list[object]) -> Any:
    """Return the validated payload of an event. Raises `request.invalid` with the offending paths."""
    if len(args) != 1:
        raise HomeroomError(ErrorCode.REQUEST_INVALID, "The event takes exactly one object.", fields=[])
    return validated(spec.adapter.validate_python, args[0], lambda: spec.tags)


def validated(
    validate: Callable[[Any], Any], value: object, tags: Callable[[], frozenset[str]] = frozenset[str]
) -> Any:
    """Return `validate(value)`; what pydantic refuses becomes a `request.invalid` that names the fields.

    `tags` tell the members of a union apart. They are asked for on refusal only: they come from its schema.
    """
    try:
        return validate(value)
    except ValidationError as exc:
        problems = exc.errors(include_url=False, include_context=False, include_input=False)
    known = tags()
    paths = [_path(problem["loc"], known) for problem in problems]
    fields = list(dict.fromkeys(path for path in paths if path))
    where = f"{fields[0]}: " if fields else ""
    message = f"{where}{problems[0]['msg']}".encode(errors="replace").decode()  # it may quote what cannot be sent
    raise HomeroomError(ErrorCode.REQUEST_INVALID, message, fields=fields)


def _path(location: tuple[int | str, ...], tags: frozenset[str]) -> str:
    """Return where in the payload a problem is. Of a union, pydantic puts the member's tag before the path."""
    tagged = len(location) > 1 and location[0] in tags
    return ".".join(map(str, location[1:] if tagged else location))
