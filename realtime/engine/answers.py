"""What the door answers by itself: a small problem document (RFC 9457), and the connection ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

import orjson

from core.errors import ERRORS, ErrorCode
from realtime.engine.head import HeadRefused

_RETRY_AFTER_S: Final = 5


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer to a request that is not served, after which the connection ends."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the response."""
        headers = {
            "Date": formatdate(usegmt=True),
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Connection": "close",
            **self.headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n{lines}\r\n".encode("latin-1") + self.body


def invalid(detail: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Refusal:
    """Return the `request.invalid` of what is no request, or came too late."""
    return _problem(ErrorCode.REQUEST_INVALID, status, detail)


def overloaded(detail: str) -> Refusal:
    """Return the `server.overloaded` of a limit that is reached."""
    return _problem(
        ErrorCode.SERVER_OVERLOADED,
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail,
        {"Retry-After": str(_RETRY_AFTER_S)},
        retry_after_ms=_RETRY_AFTER_S * 1000,
    )


def head_refusal(exc: HeadRefused) -> Refusal:
    """Return the answer to a head that is not taken."""
    too_large = exc.status is HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    headers = {"Sec-WebSocket-Version": "13"} if exc.status is HTTPStatus.UPGRADE_REQUIRED else {}
    code = ErrorCode.REQUEST_TOO_LARGE if too_large else ErrorCode.REQUEST_INVALID
    return _problem(code, exc.status, str(exc), headers)


def _problem(
    code: ErrorCode, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **extra: object
) -> Refusal:
    """Return the refusal with this code of core.errors; `status` may be finer than the code's own."""
    spec = ERRORS[code]
    body = {
        "type": f"/docs#error-{code}",
        "title": spec.message,
        "status": status,
        "detail": detail,
        "code": code,
        "retryable": spec.retryable,
        **extra,
    }
    return Refusal(status, orjson.dumps(body), "application/problem+json", headers or {})
