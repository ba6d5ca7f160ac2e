"""Watermarks, for all who mark at a moment: two statements, however many there are."""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson

from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId, UserId
from rooms.types import Receipt
from storage.sqlite.statements import statements

SQL: Final = statements("marks")

Place = tuple[RoomId, UserId]


class Mark(NamedTuple):
    """How far a member says to have read and been reached."""

    room_id: RoomId
    user_id: UserId
    read_seq: int
    delivered_seq: int


class Found(NamedTuple):
    """A member's watermarks, and the bound of both."""

    read_seq: int
    delivered_seq: int
    last_seq: int

    def raised(self, mark: Mark) -> "Found":
        """Return these watermarks with `mark` on top of them."""
        read = max(self.read_seq, min(mark.read_seq, self.last_seq))
        delivered = max(self.delivered_seq, min(mark.delivered_seq, self.last_seq), read)
        return Found(read, delivered, self.last_seq)


def mark(connection: sqlite3.Connection, marks: Sequence[Mark]) -> Sequence[tuple[Receipt, bool] | HomeroomError]:
    """Raise watermarks in order; see MemberStore.mark."""
    known = _look_up(connection, {(each.room_id, each.user_id): None for each in marks})
    moved: dict[Place, Found] = {}
    outcomes = [_raise(each, known, moved) for each in marks]
    if moved:
        rows = [(*place, found.read_seq, found.delivered_seq) for place, found in moved.items()]
        connection.execute(*SQL["update"].bind_rows(rows))
    return outcomes


def _look_up(connection: sqlite3.Connection, asked: dict[Place, None]) -> dict[Place, Found]:
    places = list(asked)
    rows = [(number, *place) for number, place in enumerate(places)]
    (known,) = connection.execute(*SQL["lookup"].bind_rows(rows)).fetchone()
    return {places[number]: Found(*rest) for number, *rest in orjson.loads(known)}


def _raise(asked: Mark, known: dict[Place, Found], moved: dict[Place, Found]) -> tuple[Receipt, bool] | HomeroomError:
    place = (asked.room_id, asked.user_id)
    before = known.get(place)
    if before is None:
        return HomeroomError(ErrorCode.ROOM_NOT_FOUND)
    after = before.raised(asked)
    if after != before:
        known[place] = moved[place] = after
    return Receipt(*place, after.read_seq, after.delivered_seq), after != before
