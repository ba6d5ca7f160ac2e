"""core.errors: one table, complete, with sentences for people."""

import re

import pytest

from core.errors import ERRORS, ErrorCode, HomeroomError, invalid

FAMILIES = {"auth", "request", "rate", "user", "room", "message", "file", "server"}


def test_every_code_is_explained() -> None:
    """The table has each code once, and nothing else."""
    assert list(ErrorCode) == list(ERRORS)


@pytest.mark.parametrize("code", ErrorCode)
def test_codes_look_alike(code: ErrorCode) -> None:
    """A code is `family.what_happened`, named after itself."""
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", code)
    family, _, what = code.partition(".")
    assert family in FAMILIES
    assert code.name.startswith(family.upper())
    assert what.upper().startswith(code.name.removeprefix(f"{family.upper()}_"))


@pytest.mark.parametrize("code", ErrorCode)
def test_messages_are_sentences(code: ErrorCode) -> None:
    """A person reads them: a capital, a full stop, no code, no placeholder."""
    message = ERRORS[code].message
    assert re.fullmatch(r"[A-Z][^{}%_]*\.", message)
    assert code not in message


@pytest.mark.parametrize("code", ErrorCode)
def test_the_status_says_whose_fault_it_is(code: ErrorCode) -> None:
    """`server.*` are the 5xx and can be retried; of the others only those that time alone can mend."""
    spec = ERRORS[code]
    assert (code.startswith("server.")) == (500 <= spec.status < 600)
    waits = code in {ErrorCode.RATE_LIMITED, ErrorCode.ROOM_SLOW_MODE, ErrorCode.ROOM_MUTED}
    assert (waits or code.startswith("server.")) == spec.retryable
    assert 400 <= spec.status < 600


def test_what_is_missing_and_what_is_hidden_look_the_same() -> None:
    """All `not_found` are 404, all `forbidden` 403, all `auth` about tokens 401."""
    by_end = {"not_found": 404, "forbidden": 403, "token": 401}
    for code in ErrorCode:
        for end, status in by_end.items():
            if code.endswith(end):
                assert status == ERRORS[code].status, code


@pytest.mark.parametrize("code", ErrorCode)
def test_an_error_on_the_wire(code: ErrorCode) -> None:
    """Code, message and retryable are always there; the rest only if it is known, also if it is 0 or empty."""
    spec = ERRORS[code]
    plain = {"code": code.value, "message": spec.message, "retryable": spec.retryable}
    assert plain == HomeroomError(code).to_wire()
    told = HomeroomError(code, "Other words.", retry_after_ms=0, fields=[])
    assert {**plain, "message": "Other words.", "retry_after_ms": 0, "fields": []} == told.to_wire()
    assert (spec.status, spec.retryable) == (told.status, told.retryable)
    assert f"{code}: Other words." == str(told)
    assert str is type(HomeroomError(code).to_wire()["code"])


def test_invalid_names_the_fields() -> None:
    """The shorthand is `request.invalid` with the paths in order."""
    error = invalid("No.", "a", "b.0")
    assert (ErrorCode.REQUEST_INVALID, "No.", ["a", "b.0"]) == (error.code, error.message, error.fields)
