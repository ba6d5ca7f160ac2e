"""The one table of errors. A code is a promise to clients: it is never renamed.

    HomeroomError   every refusal a client can see; carries one ErrorCode

Anything else that escapes a handler is a bug and reaches clients as `server.internal`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ErrorCode(StrEnum):
    """Stable codes, as clients match them."""

    AUTH_MISSING_TOKEN = "auth.missing_token"
    AUTH_INVALID_TOKEN = "auth.invalid_token"
    AUTH_EXPIRED_TOKEN = "auth.expired_token"
    AUTH_REUSED_TOKEN = "auth.reused_token"
    AUTH_FORBIDDEN = "auth.forbidden"
    REQUEST_INVALID = "request.invalid"
    REQUEST_UNKNOWN_EVENT = "request.unknown_event"
    REQUEST_TOO_LARGE = "request.too_large"
    REQUEST_NOT_FOUND = "request.not_found"
    REQUEST_METHOD = "request.method_not_allowed"
    REQUEST_CONFLICT = "request.conflict"
    RATE_LIMITED = "rate.limited"
    USER_NOT_FOUND = "user.not_found"
    ROOM_NOT_FOUND = "room.not_found"
    ROOM_FORBIDDEN = "room.forbidden"
    ROOM_LOCKED = "room.locked"
    ROOM_SLOW_MODE = "room.slow_mode"
    ROOM_MUTED = "room.muted"
    MESSAGE_NOT_FOUND = "message.not_found"
    MESSAGE_FORBIDDEN = "message.forbidden"
    MESSAGE_TOO_LONG = "message.too_long"
    FILE_NOT_FOUND = "file.not_found"
    SERVER_DRAINING = "server.draining"
    SERVER_OVERLOADED = "server.overloaded"
    SERVER_UNAVAILABLE = "server.unavailable"
    SERVER_INTERNAL = "server.internal"


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """What a code means: a sentence for people, whether trying again can help, and its HTTP status."""

    message: str
    retryable: bool
    status: int


ERRORS: Final[dict[ErrorCode, ErrorSpec]] = {
    ErrorCode.AUTH_MISSING_TOKEN: ErrorSpec("Sign in first: no access token was sent.", False, 401),
    ErrorCode.AUTH_INVALID_TOKEN: ErrorSpec("The access token is not valid.", False, 401),
    ErrorCode.AUTH_EXPIRED_TOKEN: ErrorSpec("The token has expired. Get a new one.", False, 401),
    ErrorCode.AUTH_REUSED_TOKEN: ErrorSpec(
        "This refresh token was used before, so the sign-in it belongs to was ended. Sign in again.", False, 401
    ),
    ErrorCode.AUTH_FORBIDDEN: ErrorSpec("You may not do this.", False, 403),
    ErrorCode.REQUEST_INVALID: ErrorSpec("The request is not valid.", False, 400),
    ErrorCode.REQUEST_UNKNOWN_EVENT: ErrorSpec("There is no such event.", False, 400),
    ErrorCode.REQUEST_TOO_LARGE: ErrorSpec("The request is too large.", False, 413),
    ErrorCode.REQUEST_NOT_FOUND: ErrorSpec("There is nothing at this address.", False, 404),
    ErrorCode.REQUEST_METHOD: ErrorSpec("This address does not take that method.", False, 405),
    ErrorCode.REQUEST_CONFLICT: ErrorSpec("This key was used before with a different request.", False, 409),
    ErrorCode.RATE_LIMITED: ErrorSpec("Too fast. Wait a moment and try again.", True, 429),
    ErrorCode.USER_NOT_FOUND: ErrorSpec("There is no such user.", False, 404),
    ErrorCode.ROOM_NOT_FOUND: ErrorSpec("There is no such room.", False, 404),
    ErrorCode.ROOM_FORBIDDEN: ErrorSpec("You may not do this in this room.", False, 403),
    ErrorCode.ROOM_LOCKED: ErrorSpec("This room is archived and takes no changes.", False, 409),
    ErrorCode.ROOM_SLOW_MODE: ErrorSpec("Slow mode is on. Wait before the next message.", True, 429),
    ErrorCode.ROOM_MUTED: ErrorSpec("You are muted in this room.", True, 403),
    ErrorCode.MESSAGE_NOT_FOUND: ErrorSpec("There is no such message.", False, 404),
    ErrorCode.MESSAGE_FORBIDDEN: ErrorSpec("You may not change this message.", False, 403),
    ErrorCode.MESSAGE_TOO_LONG: ErrorSpec("The message is too long.", False, 400),
    ErrorCode.FILE_NOT_FOUND: ErrorSpec("There is no such file.", False, 404),
    ErrorCode.SERVER_DRAINING: ErrorSpec("This server is restarting. Connect again.", True, 503),
    ErrorCode.SERVER_OVERLOADED: ErrorSpec("Too many connections. Try again shortly.", True, 503),
    ErrorCode.SERVER_UNAVAILABLE: ErrorSpec("The server cannot do this right now. Try again.", True, 503),
    ErrorCode.SERVER_INTERNAL: ErrorSpec("Something went wrong on our side.", True, 500),
}


class HomeroomError(Exception):
    """A refusal that a client may see.

    `retry_after_ms` says when trying again can help; `fields` lists the offending paths of an invalid request.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        *,
        retry_after_ms: int | None = None,
        fields: list[str] | None = None,
    ) -> None:
        self.code = code
        self.message = message or ERRORS[code].message
        self.retry_after_ms = retry_after_ms
        self.fields = fields
        super().__init__(f"{code}: {self.message}")

    @property
    def retryable(self) -> bool:
        """Whether the same request can succeed later."""
        return ERRORS[self.code].retryable

    @property
    def status(self) -> int:
        """The HTTP status of this refusal."""
        return ERRORS[self.code].status

    def to_wire(self) -> dict[str, object]:
        """Return the `error` object of an ack envelope."""
        out: dict[str, object] = {"code": str(self.code), "message": self.message, "retryable": self.retryable}
        if self.retry_after_ms is not None:
            out["retry_after_ms"] = self.retry_after_ms
        if self.fields is not None:
            out["fields"] = self.fields
        return out


def invalid(message: str, *fields: str) -> HomeroomError:
    """Return a `request.invalid` that names the offending `fields`."""
    return HomeroomError(ErrorCode.REQUEST_INVALID, message, fields=list(fields))
