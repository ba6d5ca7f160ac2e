"""Opaque cursors: a list position that clients carry but do not read."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from core.errors import HomeroomError, invalid

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list and, where more follows, the cursor to it."""

    items: Sequence[T]
    next_cursor: str | None


def encode_cursor(*position: str | int) -> str:
    """Return an opaque, URL-safe cursor for `position`."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_cursor(cursor: str, *shape: type) -> list[str | int]:
    """Return the position inside `cursor`, whose values have the types of `shape`.

    Raises `request.invalid` for anything that `encode_cursor` did not make.
    """
    refusal: HomeroomError = invalid("The cursor is not valid.", "cursor")
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = orjson.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, binascii.Error) as exc:
        raise refusal from exc
    if not isinstance(position, list) or [type(value) for value in position] != list(shape):
        raise refusal
    if any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in position):
        raise refusal  # no store has such a position
    return position
