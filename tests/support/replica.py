"""A client's copy of one room, kept by the rule of docs/api.md and nothing else. Pure."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

PERSONAL = {"me", "peer", "last_message", "member_count"}
"""Fields of a room that are one person's own, or that no change with a `rev` carries."""


@dataclass(slots=True)
class Replica:
    """Messages from `floor` on, the room and who has read how far, as of `rev`; `rev` is None before the first join."""

    rev: int | None = None
    floor: int = 1
    room: Json = field(default_factory=dict)
    messages: dict[str, Json] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    behind: bool = False
    """A change was missed: the rev jumped, so the room has to be synced."""

    def load(self, snapshot: Json) -> None:
        """Take the answer to `room:join` or `room:sync` since our own rev."""
        if self.rev is None or snapshot["reset"]:
            self.messages.clear()
            seqs = [message["seq"] for message in snapshot["messages"]]
            self.floor = min(seqs, default=snapshot["room"]["last_seq"] + 1)
        for message in snapshot["messages"]:
            self._keep(message)
        self.room = {name: value for name, value in snapshot["room"].items() if name not in PERSONAL}
        self.read = {receipt["user_id"]: receipt["read_seq"] for receipt in snapshot["receipts"]}
        self.rev, self.behind = snapshot["rev"], False

    def event(self, name: str, payload: Json) -> None:
        """Take a live event."""
        if name in {"message:new", "message:updated"}:
            self.message(payload["message"])
        elif name == "room:changed":
            if self._is_next(payload["room"]["rev"]):
                self.room = {name: value for name, value in payload["room"].items() if name not in PERSONAL}
        elif name == "receipt:changed":
            receipt = payload["receipt"]
            self._has_read(receipt["user_id"], receipt["read_seq"])

    def message(self, message: Json) -> None:
        """Take a message as an event or an ack told it."""
        if self._is_next(message["rev"]):
            self._keep(message)
            self.room["rev"] = message["rev"]
            if message["seq"] > self.room["last_seq"]:
                self.room["last_seq"] = message["seq"]
                self._has_read(message["sender_id"], message["seq"])  # sending marks one's own message read

    def _is_next(self, rev: int) -> bool:
        if self.rev is None or rev <= self.rev:
            return False
        if rev > self.rev + 1:
            self.behind = True
            return False
        self.rev = rev
        return True

    def _keep(self, message: Json) -> None:
        if message["seq"] >= self.floor:
            self.messages[message["id"]] = message

    def _has_read(self, user_id: str, seq: int) -> None:
        self.read[user_id] = max(seq, self.read.get(user_id, 0))
