"""Refusals over HTTP: RFC 9457 problem details with the codes of `core.errors`."""

import math
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from core.errors import ERRORS, ErrorCode, HomeroomError

MEDIA = "application/problem+json"

_ROUTER_CODES = {
    HTTPStatus.NOT_FOUND: ErrorCode.REQUEST_NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: ErrorCode.REQUEST_METHOD,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ErrorCode.REQUEST_TOO_LARGE,
}


def problem(error: HomeroomError, *, trace_id: str | None = None, **extra: object) -> web.Response:
    """Return the response of a refusal. `extra` members are added to the problem as they are."""
    spec = ERRORS[error.code]
    body: dict[str, Any] = {
        "type": f"/docs#error-{error.code}",
        "title": spec.message,
        "status": spec.status,
        "detail": error.message,
        "code": str(error.code),
        "retryable": spec.retryable,
    }
    known = {"retry_after_ms": error.retry_after_ms, "fields": error.fields, "trace_id": trace_id}
    body |= {name: value for name, value in known.items() if value is not None} | extra
    headers = _headers(error)
    return web.Response(status=spec.status, body=orjson.dumps(body), content_type=MEDIA, headers=headers)


def from_router(exc: web.HTTPException) -> HomeroomError:
    """Return our error for one that aiohttp raised by itself."""
    code = _ROUTER_CODES.get(HTTPStatus(exc.status), ErrorCode.REQUEST_INVALID)
    if code is ErrorCode.REQUEST_INVALID:
        return HomeroomError(code, f"The request is not valid: {exc.reason}.")
    return HomeroomError(code)


def internal(trace_id: str) -> HomeroomError:
    """Return the error of a bug: no detail but the id to find it in the log by."""
    return HomeroomError(ErrorCode.SERVER_INTERNAL, f"Something went wrong on our side (trace_id {trace_id}).")


def _headers(error: HomeroomError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if error.retry_after_ms is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_ms / 1000)))
    if error.status == HTTPStatus.UNAUTHORIZED:
        # RFC 6750 §3: no error code for a request that sent no credentials.
        missing = error.code is ErrorCode.AUTH_MISSING_TOKEN
        headers["WWW-Authenticate"] = "Bearer" if missing else 'Bearer error="invalid_token"'
    return headers
