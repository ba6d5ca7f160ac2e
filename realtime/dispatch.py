"""The one way in for events: limit → validate → call → ack. One log line and one measurement per event."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
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
from realtime.engine.frames import Frame, ack_frame

_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_LOGGER: Final = "realtime.dispatch"
_OK: Final = "ok"
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
        self._log = structlog.get_logger(_LOGGER)
        self._level = logging.getLogger(_LOGGER)
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
        spec = CLIENT_EVENTS.get(event) if isinstance(event, str) else None
        answer: Frame | None = None
        after: Callable[[], None] | None = None
        try:
            known = self._admit(connection, spec, size)
            reply = await self._handlers[known.name](connection, parse(known, args))
            if ack_id is not None:
                answer = ack_frame(ack_id, {"ok": True, "data": reply.data}, namespace=connection.namespace)
            code, after = _OK, reply.after
        except Exception as exc:
            code, told = self._refusal(exc, spec, connection)
            if ack_id is not None:
                answer = ack_frame(ack_id, {"ok": False, "error": told}, namespace=connection.namespace)
        if answer is not None:
            connection.link.push(answer)
        if after is not None:
            after()
        self._record(connection, spec, code, time.perf_counter() - started)

    def _admit(self, connection: Connection, spec: ClientEvent | None, size: int) -> ClientEvent:
        wait_s = connection.bucket.take(self._clock.monotonic())
        if wait_s > 0:
            raise rate_limited(wait_s)
        if size > self._frame_bytes:
            raise HomeroomError(ErrorCode.REQUEST_TOO_LARGE, f"An event may have {self._frame_bytes} bytes at most.")
        if spec is None or (connection.namespace != "/" and spec.name not in _ON_ANY_NAMESPACE):
            raise HomeroomError(ErrorCode.REQUEST_UNKNOWN_EVENT)
        return spec

    def _refusal(self, exc: Exception, spec: ClientEvent | None, connection: Connection) -> tuple[str, dict[str, Any]]:
        """Return the code and the words of a failure.

        Not the error itself: its traceback knows the frame that would then know it, and nothing would free the two.
        """
        error = exc if isinstance(exc, HomeroomError) else self._internal(exc, spec, connection)
        return error.code.value, error.to_wire()

    def _internal(self, exc: Exception, spec: ClientEvent | None, connection: Connection) -> HomeroomError:
        """Return what the client is told of a bug: a trace id, under which the log has the rest."""
        trace_id = uuid7()
        self._log.error(
            "event failed", event_name=_name(spec), user=connection.user_id, trace_id=trace_id, exc_info=exc
        )
        return HomeroomError(ErrorCode.SERVER_INTERNAL, f"Something went wrong on our side (trace_id {trace_id}).")

    def _record(self, connection: Connection, spec: ClientEvent | None, code: str, seconds: float) -> None:
        outcome = (_name(spec), code)
        observe = self._observe.get(outcome)
        if observe is None:
            observe = self._observe[outcome] = self._seconds.labels(*outcome).observe
        observe(seconds)
        if not self._level.isEnabledFor(logging.DEBUG):  # or a line would be built for every event, and thrown away
            return
        self._log.debug(
            "event",
            event_name=outcome[0],
            code=code,
            ms=round(seconds * 1000, 2),
            user=connection.user_id,
            connection=connection.id,
        )


def _name(spec: ClientEvent | None) -> str:
    """Return the label of an event; what clients make up has one for all."""
    return "unknown" if spec is None else spec.name


def parse(spec: ClientEvent, args: list[object]) -> Any:
    """Return the validated payload of an event. Raises `request.invalid` with the offending paths."""
    if len(args) != 1:
        raise HomeroomError(ErrorCode.REQUEST_INVALID, "The event takes exactly one object.", fields=[])
    return validated(spec.adapter.validator.validate_python, args[0], lambda: spec.tags)


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
