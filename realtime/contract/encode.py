"""Domain values as the JSON objects of `objects.py`: plain dicts, as this runs for every message. A test compares.

Optional fields that are None are left out.
"""

from typing import Any

from auth.types import User
from core.clock import to_wire
from rooms.types import Member, Message, Presence, Receipt, Room, RoomView, Snapshot

Json = dict[str, Any]


def user_json(user: User) -> Json:
    """Return a `User`."""
    out: Json = {"id": user.id, "name": user.name, "role": user.role.value}
    if user.avatar_url is not None:
        out["avatar_url"] = user.avatar_url
    if user.tz is not None:
        out["tz"] = user.tz
    if user.locale is not None:
        out["locale"] = user.locale
    return out


def message_json(message: Message) -> Json:
    """Return a `Message`."""
    out: Json = {
        "id": message.id,
        "room_id": message.room_id,
        "seq": message.seq,
        "rev": message.rev,
        "sender_id": message.sender_id,
        "client_id": message.client_id,
        "kind": message.kind.value,
        "body": message.body,
        "attachments": [],
        "mentions": list(message.mentions),
        "reactions": {emoji: list(users) for emoji, users in message.reactions.items()} if message.reactions else {},
        "created_at": to_wire(message.created_at),
    }
    if message.reply_to is not None:
        out["reply_to"] = message.reply_to
    if message.edited_at is not None:
        out["edited_at"] = to_wire(message.edited_at)
    if message.deleted_at is not None:
        out["deleted_at"] = to_wire(message.deleted_at)
    return out


def room_json(room: Room) -> Json:
    """Return a `Room` without anything that is one person's own."""
    return {
        "id": room.id,
        "kind": room.kind.value,
        "title": room.title,
        "created_by": room.created_by,
        "created_at": to_wire(room.created_at),
        "last_seq": room.last_seq,
        "rev": room.rev,
        "member_count": room.member_count,
        "archived": room.archived,
        "settings": {"open": room.settings.open, "slow_mode_s": room.settings.slow_mode_s},
    }


def me_json(room: Room, member: Member) -> Json:
    """Return the `me` of a room."""
    out: Json = {
        "role": member.role.value,
        "read_seq": member.read_seq,
        "delivered_seq": member.delivered_seq,
        "unread": max(0, room.last_seq - member.read_seq),
        "notify": member.notify.value,
    }
    if member.muted_until is not None:
        out["muted_until"] = to_wire(member.muted_until)
    return out


def view_json(view: RoomView) -> Json:
    """Return a `Room` as one person sees it."""
    out = room_json(view.room)
    if view.me is not None:
        out["me"] = me_json(view.room, view.me)
    if view.peer is not None:
        out["peer"] = user_json(view.peer)
        out["title"] = view.peer.name
    if view.last_message is not None:
        out["last_message"] = message_json(view.last_message)
    return out


def receipt_json(receipt: Receipt) -> Json:
    """Return a `Receipt`."""
    return {
        "room_id": receipt.room_id,
        "user_id": receipt.user_id,
        "read_seq": receipt.read_seq,
        "delivered_seq": receipt.delivered_seq,
    }


def presence_json(presence: Presence) -> Json:
    """Return a `Presence`."""
    out: Json = {"user_id": presence.user_id, "status": presence.status.value}
    if presence.last_seen_at is not None:
        out["last_seen_at"] = to_wire(presence.last_seen_at)
    return out


def snapshot_json(snapshot: Snapshot) -> Json:
    """Return a `SnapshotAck`."""
    return {
        "room": view_json(snapshot.view),
        "messages": [message_json(message) for message in snapshot.messages],
        "receipts": [receipt_json(receipt) for receipt in snapshot.receipts],
        "presence": [presence_json(presence) for presence in snapshot.presence],
        "rev": snapshot.rev,
        "reset": snapshot.reset,
    }
