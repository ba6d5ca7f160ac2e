"""Expecting a refusal by its stable code."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import pytest

from core.errors import ErrorCode, HomeroomError

T = TypeVar("T")


@dataclass(slots=True)
class Refusal:
    """What was refused; there once the block has ended."""

    error: HomeroomError | None = None

    @property
    def retry_after_ms(self) -> int | None:
        """When to try again."""
        return self.error.retry_after_ms if self.error else None

    @property
    def fields(self) -> list[str] | None:
        """Which paths were wrong."""
        return self.error.fields if self.error else None


def outcome(call: Callable[[], T]) -> T | HomeroomError:
    """Return what a call returns, or the HomeroomError that it raises; nothing else may come out of it."""
    try:
        return call()
    except HomeroomError as exc:
        return exc


@contextmanager
def refused(code: ErrorCode | str) -> Iterator[Refusal]:
    """Run a block that must raise a HomeroomError of this code."""
    refusal = Refusal()
    with pytest.raises(HomeroomError) as caught:
        yield refusal
    refusal.error = caught.value
    assert str(code) == str(caught.value.code)
