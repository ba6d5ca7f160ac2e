"""What a message of a run carries in its `client_id`: whose it is, its number, and when it was due."""

from dataclasses import dataclass
from functools import lru_cache

REMEMBERED = 1024
"""Stamps that are read only once, however many people of this process they reach."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PARTS = 5


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who sent which of their messages in a room, and when it was due (monotonic; whole µs)."""

    sender: int
    number: int
    due_ns: int


def write_stamp(run: str, sender: int, number: int, due_ns: int) -> str:
    """Return the `client_id`, at most 64 characters for a run of at most 20. `run` has no dot in it."""
    return f"lt.{run}.{_base36(sender)}.{_base36(number)}.{_base36(due_ns // 1000)}"


@lru_cache(maxsize=REMEMBERED)
def read_stamp(run: str, client_id: str) -> Stamp | None:
    """Return the stamp; None if it is of another run, or none at all."""
    parts = client_id.split(".")
    if len(parts) != _PARTS or parts[1] != run or parts[0] != "lt":
        return None
    try:
        sender, number, due_us = int(parts[2], 36), int(parts[3], 36), int(parts[4], 36)
    except ValueError:
        return None
    if sender < 0 or number < 1 or due_us < 0:
        return None
    return Stamp(sender, number, due_us * 1000)


def _base36(number: int) -> str:
    text = ""
    while number >= 36:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return _DIGITS[number] + text
