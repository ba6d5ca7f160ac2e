"""The vocabulary of the contract: strict models and the few constrained scalars they share."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter


class Payload(BaseModel):
    """Something a client sends. Types are strict; unknown fields are ignored so that newer clients still work."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Wire(BaseModel):
    """Something the server sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _encodable(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("text must be valid Unicode") from None
    return value


def _line(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("control characters are not allowed")
    return _encodable(value)


def union_tags(adapter: TypeAdapter[Any]) -> frozenset[str]:
    """Return what tells the members of a union apart; empty for anything else."""
    return frozenset(adapter.json_schema().get("discriminator", {}).get("mapping", ()))


def _text(value: str) -> str:
    if _CONTROL_IN_TEXT.search(value):
        raise ValueError("control characters other than line breaks and tabs are not allowed")
    if not value.strip():
        raise ValueError("must not be empty")
    return _encodable(value)


Id = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=128), AfterValidator(_line)]
"""An opaque id, at most 128 characters."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_line)]
"""One line of text: a title, a name."""

Body = Annotated[str, AfterValidator(_text)]
"""The text of a message. Its greatest length is a setting, checked by the domain (`message.too_long`)."""

Emoji = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[^\s<>&\x00-\x1f]+$")]
"""A reaction: an emoji, or a short name such as `thumbs_up`."""

Cursor = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Seq = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""A seq or rev; fits a JavaScript number."""

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-21T09:30:00.000Z"])]
"""RFC 3339 in UTC with milliseconds and `Z`."""
