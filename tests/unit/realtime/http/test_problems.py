"""Problem details: RFC 9457, with our codes."""

import json
from typing import Any

import pytest
from aiohttp import web

from core.errors import ERRORS, ErrorCode, HomeroomError, invalid
from realtime.http.problems import from_router, problem


def body_of(response: web.Response) -> Any:
    """Return the problem in a response."""
    assert isinstance(response.body, bytes)
    return json.loads(response.body)


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_has_its_problem(code: ErrorCode) -> None:
    """Status, title and retryability are those of the error table."""
    response = problem(HomeroomError(code, "Just now."))
    spec = ERRORS[code]
    expected = {
        "type": f"/docs#error-{code}",
        "title": spec.message,
        "status": spec.status,
        "detail": "Just now.",
        "code": str(code),
        "retryable": spec.retryable,
    }
    assert (spec.status, expected) == (response.status, body_of(response))
    assert "application/problem+json" == response.content_type


@pytest.mark.parametrize(("ms", "seconds"), [(1, "1"), (1000, "1"), (1001, "2"), (59_999, "60")])
def test_the_wait_is_rounded_up(ms: int, seconds: str) -> None:
    """Whoever waits the whole seconds of Retry-After has waited long enough."""
    response = problem(HomeroomError(ErrorCode.RATE_LIMITED, retry_after_ms=ms))
    assert (seconds, ms) == (response.headers["Retry-After"], body_of(response)["retry_after_ms"])


def test_fields_and_more_are_carried() -> None:
    """Offending paths, the trace id, and members of one kind of problem."""
    response = problem(invalid("No.", "a.b", "c"), trace_id="t", reasons=["store"])
    body = body_of(response)
    assert (["a.b", "c"], "t", ["store"]) == (body["fields"], body["trace_id"], body["reasons"])


@pytest.mark.parametrize(
    ("exc", "code"),
    [
        (web.HTTPNotFound(), ErrorCode.REQUEST_NOT_FOUND),
        (web.HTTPMethodNotAllowed("POST", ["GET"]), ErrorCode.REQUEST_METHOD),
        (web.HTTPRequestEntityTooLarge(1, 2), ErrorCode.REQUEST_TOO_LARGE),
        (web.HTTPBadRequest(), ErrorCode.REQUEST_INVALID),
        (web.HTTPExpectationFailed(), ErrorCode.REQUEST_INVALID),
    ],
    ids=str,
)
def test_aiohttps_own_refusals_have_codes(exc: web.HTTPException, code: ErrorCode) -> None:
    """What the router or the body reader raises is a problem like all others."""
    assert code is from_router(exc).code
