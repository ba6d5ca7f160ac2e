"""The HTTP application, put together."""

import re
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from realtime.config import Settings
from realtime.http.docs import documents
from realtime.http.endpoint import endpoint
from realtime.http.gate import Gate
from realtime.http.headers import Cors, app_policy, secured
from realtime.http.idempotency import IdempotencyStore, Replays
from realtime.http.pipeline import TRACE_HEADER, TRACE_ID, Pipeline
from realtime.http.route import DisconnectUser, Edge, Readiness
from realtime.http.routes import ROUTES
from realtime.http.web import WebApp
from realtime.services import Services

EDGE: Final = web.AppKey("edge", Edge)
"""What the routes were given, for whoever adds to the application."""

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
"""A parameter's name; aiohttp by itself takes no braces in its value, and ids may have any."""

WEB_DIR: Final = Path(__file__).parents[2] / "web" / "dist"


def build_http(
    services: Services,
    *,
    settings: Settings,
    registry: CollectorRegistry,
    idempotency: IdempotencyStore,
    disconnect_user: DisconnectUser,
    readiness: Readiness,
    jwks: Mapping[str, object],
    version: str,
) -> web.Application:
    """Return the application of all routes, to which the Socket.IO engine may be attached.

    Run it without aiohttp's access log: each request is logged here. `jwks` is the public document of the signing key.
    """
    reference = cache(partial(documents, ROUTES, settings.limits, version))  # made when somebody first reads it
    edge = Edge(services, jwks, disconnect_user, readiness, registry, reference)
    gate = Gate(services, settings.limits)
    replays = Replays(idempotency, services.clock)
    cors = Cors(settings.cors_origins)
    site = WebApp(settings.web_dir or WEB_DIR, app_policy(settings.public_url))
    pipeline = Pipeline(registry, cors, site.respond, services.new_id)
    app = web.Application(middlewares=[pipeline.around], client_max_size=settings.limits.frame_bytes * 4)
    app[EDGE] = edge
    for route in ROUTES:
        handler = endpoint(route, edge, gate, replays)
        path = _PARAMETER.sub(r"{\1:[^/]+}", route.path)
        if route.method == "GET":
            app.router.add_get(path, handler)  # with HEAD
        else:
            app.router.add_route(route.method, path, handler)
    prepare = secured(
        cors, public_url=settings.public_url, trace_header=TRACE_HEADER, trace_of=lambda request: request.get(TRACE_ID)
    )
    app.on_response_prepare.append(prepare)
    return app
