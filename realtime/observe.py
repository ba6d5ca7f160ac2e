"""Logs and process metrics."""

import logging
import sys
from collections.abc import Callable

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CollectorRegistry, Gauge, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector
from structlog.typing import EventDict, Processor, WrappedLogger

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
    logging.getLogger("aiohttp.server").addFilter(_not_our_traceback)
    for noisy in ("asyncio", "engineio", "socketio", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _not_our_traceback(record: logging.LogRecord) -> bool:
    """Keep aiohttp from logging, with a traceback and the client's bytes, what is no HTTP at all."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _console() -> Processor:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


class _Deliveries(Collector):
    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read

    def collect(self) -> list[CounterMetricFamily]:
        """Read the hub's own count, so that the hot path pays for one addition only."""
        return [CounterMetricFamily("homeroom_deliveries", "Events written to connections.", value=self._read())]


def build_registry(hub: Hub) -> CollectorRegistry:
    """Return the registry of this server, with the process's own figures in it."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    connections = Gauge("homeroom_connections", "Live Socket.IO connections.", registry=registry)
    connections.set_function(lambda: len(hub.connections))
    registry.register(_Deliveries(lambda: hub.deliveries))
    return registry
