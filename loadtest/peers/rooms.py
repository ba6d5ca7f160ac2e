"""Rooms in memory, for peers in Python. `rev` is always `seq`: nothing is ever edited here."""

import base64
import time
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import orjson

from core.ids import uuid7

Json = dict[str, Any]

BROADCAST_MEMBERS: Final = 100
"""Beyond, typing and receipts stay with the sender, as on Homeroom."""

_KEPT: Final = 1000
_PAGE: Final = 50
_SYNCED: Final = 500


def claims_of(auth: object) -> Json | None:
    """Return the claims of the handshake's token; None if there is none.

    The signature is not looked at: a comparison of transports, not of cryptography.
    """
    try:
        payload = auth["token"].split(".")[1]  # type: ignore[index]  # what it may raise is caught
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (TypeError, KeyError, AttributeError, IndexError, ValueError):
        return None
    return claims if isinstance(claims, dict) and "sub" in claims else None


def user_of(claims: Json) -> Json:
    """Return the User of a token."""
    return {"id": claims["sub"], "name": claims.get("name", claims["sub"]), "role": claims.get("role", "student")}


def instant() -> str:
    """Return the time as the contract writes it."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ready_for(user: Json, connection_id: str) -> Json:
    """Return the first event of a connection."""
    return {"user": user, "connection_id": connection_id, "server_time": instant(), "limits": {}}


def receipt_of(user_id: str, payload: Json) -> Json:
    """Return the Receipt of a `receipt:mark`; nobody remembers it."""
    marks = {name: payload.get(name, 0) for name in ("read_seq", "delivered_seq")}
    return {"room_id": payload["room_id"], "user_id": user_id, **marks}


def typing_of(user_id: str, payload: Json) -> Json:
    """Return what the others hear of a `typing:set`."""
    return {"room_id": payload["room_id"], "user_id": user_id, "on": payload["on"]}


def presence_of(user_id: str, payload: Json) -> Json:
    """Return the Presence of a `presence:set`; nobody else hears of it."""
    return {"user_id": user_id, "status": payload["status"]}


class NoRoom(Exception):
    """There is no room of this id."""

    error: Final = {"code": "room.not_found", "message": "There is no such room.", "retryable": False}


class Room:
    """One room and its last messages."""

    def __init__(self, room_id: str, kind: str, title: str, members: Iterable[str]) -> None:
        self.id = room_id
        self.kind = kind
        self.members = dict.fromkeys(members)
        self.last_seq = 0
        self._title = title
        self._created_at = instant()
        self._messages: deque[Json] = deque(maxlen=_KEPT)

    @property
    def live_at_once(self) -> bool:
        """Whether members are live without joining."""
        return self.kind in {"direct", "group"}

    def state(self) -> Json:
        """Return the Room."""
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self._title,
            "created_by": next(iter(self.members)),
            "created_at": self._created_at,
            "last_seq": self.last_seq,
            "rev": self.last_seq,
            "member_count": len(self.members),
            "archived": False,
            "settings": {},
        }

    def store(self, sender_id: str, payload: Json) -> Json:
        """Keep a message; return it."""
        self.last_seq += 1
        message = {
            "id": uuid7(),
            "room_id": self.id,
            "seq": self.last_seq,
            "rev": self.last_seq,
            "sender_id": sender_id,
            "client_id": payload["client_id"],
            "kind": "text",
            "body": payload["body"],
            "attachments": [],
            "mentions": [],
            "reactions": {},
            "created_at": instant(),
        }
        self._messages.append(message)
        return message

    def snapshot(self, since_rev: int | None) -> Json:
        """Return what changed since; without a rev, or too far behind, the newest page."""
        missed = self.last_seq - since_rev if since_rev is not None else 0
        reset = missed > min(_SYNCED, len(self._messages))
        messages = self._newest(_PAGE if reset or since_rev is None else missed)
        return {
            "room": self.state(),
            "messages": messages,
            "receipts": [],
            "presence": [],
            "rev": self.last_seq,
            "reset": reset,
        }

    def history(self, payload: Json) -> Json:
        """Return a page, ascending."""
        limit: int = payload.get("limit", _PAGE)
        if (after := payload.get("after_seq")) is not None:
            found = self._newest(self.last_seq - after)
            return {"messages": found[:limit], "has_more": len(found) > limit}
        before = payload.get("before_seq", self.last_seq + 1)
        found = [message for message in self._messages if message["seq"] < before]
        return {"messages": found[-limit:], "has_more": len(found) > limit}

    def _newest(self, count: int) -> list[Json]:
        return list(islice(self._messages, max(0, len(self._messages) - max(0, count)), None))


class Rooms:
    """All rooms of a server."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self._live: dict[str, list[str]] = {}

    def get(self, room_id: str) -> Room:
        """Return a room. Raises NoRoom."""
        try:
            return self._rooms[room_id]
        except KeyError:
            raise NoRoom from None

    def live_at_once(self, user_id: str) -> list[str]:
        """Return the ids of the rooms in which a user is live without joining."""
        return self._live.get(user_id, [])

    def open(self, user_id: str, payload: Json) -> Room:
        """Return the one direct room of a pair, or a new room of any other kind."""
        if payload["kind"] != "direct":
            return self._add(
                Room(uuid7(), payload["kind"], payload.get("title", ""), [user_id, *payload.get("member_ids", [])])
            )
        room_id = "direct:" + ":".join(sorted([user_id, payload["user_id"]]))
        known = self._rooms.get(room_id)
        return known or self._add(Room(room_id, "direct", "", [user_id, payload["user_id"]]))

    def _add(self, room: Room) -> Room:
        self._rooms[room.id] = room
        if room.live_at_once:
            for user_id in room.members:
                self._live.setdefault(user_id, []).append(room.id)
        return room
