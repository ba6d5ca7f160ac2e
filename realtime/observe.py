"""Logs and process metrics."""

import logging
import sys
from collections.abc import Iterator

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from structlog.typing import EventDict, Processor, WrappedLogger

from realtime.engine.door import Door
from realtime.engine.ports import Tally
from realtime.hub import Hub

_SECRETS = frozenset({"token", "access_token", "refresh_token", "authorization", "body", "secret", "password"})


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Blank what must never be in a log, should a line ever carry it."""
    for key in _SECRETS.intersection(event):
        event[key] = "…"
    return event


def configure_logs(level: str, log_format: str) -> None:
    """Send structlog and the standard library's loggers to standard error, in one format."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    json_lines = log_format == "json"
    if json_lines:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Processor = structlog.processors.JSONRenderer() if json_lines else _console()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("aiohttp.server").addFilter(not_our_traceback)
    for noisy in ("asyncio", "engineio", "socketio", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def not_our_traceback(record: logging.LogRecord) -> bool:
    """Keep aiohttp from logging, with a traceback and the client's bytes, what is no HTTP at all."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _console() -> Processor:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


def build_registry() -> CollectorRegistry:
    """Return a registry with the process's own figures in it."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class Figures(Collector):
    """What the parts of a server count for themselves: read when asked for, so that hot paths only add."""

    def __init__(self, hub: Hub, tally: Tally, door: Door) -> None:
        self._hub = hub
        self._tally = tally
        self._door = door

    def collect(self) -> Iterator[Metric]:
        """Return all of them as they are now."""
        yield _gauge("homeroom_connections", "Live Socket.IO connections.", len(self._hub.connections))
        yield _count("homeroom_deliveries", "Events written to connections.", self._hub.deliveries)
        yield from self._sessions()
        yield from self._traffic()
        yield from self._visits()

    def _visits(self) -> Iterator[Metric]:
        door = self._door
        yield _gauge("homeroom_tcp_connections", "Open TCP connections, of any kind.", door.visits)
        yield _count("homeroom_tcp_connections_accepted", "TCP connections that were let in.", door.accepted)
        refused = CounterMetricFamily(
            "homeroom_tcp_connections_refused", "TCP connections sent away.", labels=["reason"]
        )
        for reason, count in door.refused.items():
            refused.add_metric([reason], count)
        yield refused

    def _sessions(self) -> Iterator[Metric]:
        sessions = GaugeMetricFamily("homeroom_sessions", "Live Engine.IO sessions.", labels=["transport"])
        sessions.add_metric(["websocket"], self._tally.websockets)
        sessions.add_metric(["polling"], self._tally.pollers)
        yield sessions
        yield _gauge("homeroom_sessions_paused", "Sessions of clients that read too slowly.", self._tally.paused)

    def _traffic(self) -> Iterator[Metric]:
        tally = self._tally
        yield _count("homeroom_frames_received", "Engine.IO packets from clients.", tally.frames_in)
        yield _count("homeroom_frames_sent", "Engine.IO packets to clients.", tally.frames_out)
        yield _count("homeroom_frame_bytes_received", "Bytes of Engine.IO packets from clients.", tally.bytes_in)
        yield _count("homeroom_frame_bytes_sent", "Bytes of Engine.IO packets to clients.", tally.bytes_out)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _count(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(name, about, value=value)
