"""Rooms and messages of the faulty server, kept as the contract says, and the truth about every message."""

import base64
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

Json = dict[str, Any]
NOW = "2026-01-01T00:00:00.000Z"
PAGE = 50


def person_of(token: str) -> Json:
    """Return whom a token is for; nobody checks its signature."""
    part = token.split(".")[1]
    claims = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return {"id": claims["sub"], "name": claims.get("name", claims["sub"]), "role": claims.get("role", "student")}


def token_for(user_id: str, name: str, role: str) -> str:
    """Return a token without a signature."""
    claims = orjson.dumps({"sub": user_id, "name": name, "role": role})
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x"


@dataclass(slots=True)
class Fate:
    """What became of one message that a client sent."""

    client_id: str
    sender_id: str
    owed: frozenset[str]
    """Who else was in the room."""
    acked: bool = False
    refused: bool = False
    seqs: list[int] = field(default_factory=list)
    live: set[str] = field(default_factory=set)
    """Whom it reached as an event."""
    caught_up: set[str] = field(default_factory=set)
    """Whom it reached first by joining again."""
    gone_for: set[str] = field(default_factory=set)
    """Who can never get it."""


@dataclass(slots=True)
class Room:
    """A room with its history, in order."""

    id: str
    kind: str
    title: str
    created_by: str
    members: list[str]
    messages: list[Json] = field(default_factory=list)
    last_seq: int = 0
    rev: int = 1
    sent: dict[tuple[str, str], Json] = field(default_factory=dict)
    hidden: set[tuple[str, int]] = field(default_factory=set)
    """(user, seq) of what someone is never shown."""
    receipts: dict[str, Json] = field(default_factory=dict)

    def number(self, sender_id: str, client_id: str, body: str) -> Json:
        """Return a message with the next `seq`; it is not stored yet."""
        self.last_seq += 1
        self.rev += 1
        return {
            "id": f"{self.id}.{self.last_seq}.{self.rev}",
            "room_id": self.id,
            "seq": self.last_seq,
            "rev": self.rev,
            "sender_id": sender_id,
            "client_id": client_id,
            "kind": "text",
            "body": body,
            "attachments": [],
            "mentions": [],
            "reactions": {},
            "created_at": NOW,
        }

    def keep(self, message: Json) -> None:
        """Store a message."""
        self.messages.append(message)
        self.sent[message["sender_id"], message["client_id"]] = message

    def give_back(self) -> None:
        """Let the next message have the `seq` of the last one."""
        self.last_seq -= 1
        self.rev -= 1

    def shown_to(self, user_id: str) -> list[Json]:
        """Return the history as this person sees it."""
        return [message for message in self.messages if (user_id, message["seq"]) not in self.hidden]

    def view(self, user_id: str) -> Json:
        """Return the room object for one person."""
        mark = self.receipts.get(user_id, {"read_seq": 0, "delivered_seq": 0})
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "created_by": self.created_by,
            "created_at": NOW,
            "last_seq": self.last_seq,
            "rev": self.rev,
            "member_count": len(self.members),
            "archived": False,
            "settings": {"open": True, "slow_mode_s": 0},
            "me": {
                "role": "member",
                "read_seq": mark["read_seq"],
                "delivered_seq": mark["delivered_seq"],
                "unread": self.last_seq - mark["read_seq"],
                "notify": "all",
            },
        }

    def newer(self, user_id: str, since_rev: int) -> list[Json]:
        """Return what this person may know of that changed after `since_rev`."""
        return [message for message in self.shown_to(user_id) if message["rev"] > since_rev]

    def snapshot(self, user_id: str, since_rev: int | None, limit: int) -> Json:
        """Return what `room:join` and `room:sync` answer; beyond `limit` messages only the newest page of that size."""
        shown, newer = self.shown_to(user_id), self.newer(user_id, since_rev or 0)
        reset = since_rev is not None and len(newer) > limit
        return {
            "room": self.view(user_id),
            "messages": shown[-min(PAGE, limit) :] if since_rev is None or reset else newer,
            "receipts": list(self.receipts.values()),
            "presence": [],
            "rev": self.rev,
            "reset": reset,
        }

    def history(self, user_id: str, before: int | None, after: int | None, limit: int) -> Json:
        """Return what `message:history` answers."""
        shown = self.shown_to(user_id)
        if after is not None:
            found = [message for message in shown if message["seq"] > after]
            return {"messages": found[:limit], "has_more": len(found) > limit}
        found = [message for message in shown if before is None or message["seq"] < before]
        return {"messages": found[-limit:], "has_more": len(found) > limit}

    def mark(self, user_id: str, payload: Json) -> Json:
        """Raise someone's watermarks."""
        old = self.receipts.get(user_id, {"read_seq": 0, "delivered_seq": 0})
        marks = {name: max(old[name], payload.get(name) or 0) for name in ("read_seq", "delivered_seq")}
        self.receipts[user_id] = {"room_id": self.id, "user_id": user_id, **marks}
        return self.receipts[user_id]


class School:
    """All rooms, and every message's fate."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.fates: dict[tuple[str, str], Fate] = {}
        self.duplicate = 0
        self.out_of_order = 0
        self.foreign = 0
        self._numbers = itertools.count(1)

    def open(self, user_id: str, payload: Json) -> Room:
        """Return the direct room of two people, or a new room."""
        members = sorted({user_id, payload["user_id"]}) if payload["kind"] == "direct" else [user_id]
        members += payload.get("member_ids", [])
        for room in self.rooms.values():
            if payload["kind"] == room.kind == "direct" and room.members == members:
                return room
        room = Room(f"room-{next(self._numbers)}", payload["kind"], payload.get("title", ""), user_id, members)
        self.rooms[room.id] = room
        return room

    def fate(self, room: Room, sender_id: str, client_id: str) -> tuple[Fate, bool]:
        """Return what is known of a message, and whether it is sent for the first time."""
        known = self.fates.get((room.id, client_id))
        if known is not None:
            return known, False
        fate = Fate(client_id, sender_id, frozenset(room.members) - {sender_id})
        self.fates[room.id, client_id] = fate
        return fate, True

    def shown(self, room: Room, user_id: str, messages: Iterable[Json]) -> None:
        """Note messages that someone gets by joining again."""
        for message in messages:
            fate = self.fates.get((room.id, message["client_id"]))
            if fate is not None and user_id not in fate.live:
                fate.caught_up.add(user_id)

    def truth(self) -> dict[str, int]:
        """Return the numbers that a report must have: the fields of `Truth`."""
        fates = list(self.fates.values())
        acked = [fate for fate in fates if fate.acked]
        owed = [(fate, user_id) for fate in acked for user_id in fate.owed]
        live = sum(user_id in fate.live for fate, user_id in owed)
        caught_up = sum(user_id in fate.caught_up for fate, user_id in owed)
        lost = sum(user_id in fate.gone_for for fate, user_id in owed)
        return {
            "sent": len(fates),
            "acked": len(acked),
            "refused": sum(fate.refused for fate in fates),
            "unknown": sum(not fate.acked and not fate.refused for fate in fates),
            "expected": len(owed),
            "live": live,
            "caught_up": caught_up,
            "missed_live": len(owed) - live - caught_up - lost,
            "lost": lost,
            "duplicate": self.duplicate,
            "out_of_order": self.out_of_order,
            "stored_twice": sum(len(fate.seqs) > 1 for fate in fates),
            "foreign": self.foreign,
        }
