"""Users, rooms and drafts for the contract suite, with only what a test cares about spelt out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from auth.ports import RefreshStore, RefreshToken, ServiceKeyStore, UserStore
from auth.types import Role, User
from core.ids import MessageId, RoomId, UserId, uuid7
from rooms.ports import LastSeenStore, MemberStore, MessageStore, RoomStore, SyncStore
from rooms.types import Draft, Member, Message, MessageKind, Room, RoomKind, RoomRole

NOW = datetime(2026, 3, 2, 9, 30, 0, 123_000, tzinfo=UTC)

ADA, BEN, CHEN = UserId("ada"), UserId("ben"), UserId("chen")


class IdempotencyStore(Protocol):
    """Answers already given."""

    async def get(self, scope: str, key: str) -> tuple[bytes, bytes] | None: ...

    async def put(self, scope: str, key: str, request_hash: bytes, response: bytes, expires_at: datetime) -> bool: ...


class Store(Protocol):
    """What every adapter offers, by the names that the composition root uses."""

    @property
    def users(self) -> UserStore: ...
    @property
    def refresh(self) -> RefreshStore: ...
    @property
    def service_keys(self) -> ServiceKeyStore: ...
    @property
    def rooms(self) -> RoomStore: ...
    @property
    def members(self) -> MemberStore: ...
    @property
    def messages(self) -> MessageStore: ...
    @property
    def last_seen(self) -> LastSeenStore: ...
    @property
    def idempotency(self) -> IdempotencyStore: ...

    @property
    def sync(self) -> SyncStore: ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


class FixedClock:
    """A clock that a test sets."""

    def __init__(self, now: datetime = NOW) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()


def later(seconds: float) -> datetime:
    """Return an instant after NOW."""
    return NOW + timedelta(seconds=seconds)


def user(user_id: str, name: str | None = None, **fields: Any) -> User:
    """Return a student whose name is the id, unless told otherwise."""
    return User(UserId(user_id), user_id.title() if name is None else name, **{"role": Role.STUDENT, **fields})


def room(**fields: Any) -> Room:
    """Return a group of Ada's that is not stored yet."""
    defaults = {"id": uuid7(), "kind": RoomKind.GROUP, "title": "Algebra", "created_by": ADA, "created_at": NOW}
    return Room(**{**defaults, **fields})


def member(room_id: RoomId, user_id: UserId = ADA, **fields: Any) -> Member:
    """Return a plain member."""
    return Member(**{"room_id": room_id, "user_id": user_id, "role": RoomRole.MEMBER, "joined_at": NOW, **fields})


def draft(room_id: RoomId, sender_id: UserId = ADA, **fields: Any) -> Draft:
    """Return a text of Ada's with a client id of its own."""
    defaults = {"id": uuid7(), "client_id": uuid7(), "kind": MessageKind.TEXT, "body": "Hello", "created_at": NOW}
    return Draft(**{**defaults, "room_id": room_id, "sender_id": sender_id, **fields})


async def stored_room(store: Store, *user_ids: UserId, unique_key: str | None = None, **fields: Any) -> Room:
    """Store a room of these people (Ada, if none are named) and return it."""
    new = room(**fields)
    members = [member(new.id, user_id) for user_id in user_ids or (ADA,)]
    stored, _ = await store.rooms.create(new, members, unique_key=unique_key)
    return stored


async def sent(store: Store, room_id: RoomId, sender_id: UserId = ADA, **fields: Any) -> Message:
    """Append a message and return it."""
    return (await store.messages.append(draft(room_id, sender_id, **fields))).message


async def sent_many(store: Store, room_id: RoomId, count: int, sender_id: UserId = ADA) -> list[Message]:
    """Append `count` messages, one after the other."""
    return [await sent(store, room_id, sender_id, body=f"message {number}") for number in range(1, count + 1)]


def ids(messages: Sequence[Message]) -> list[MessageId]:
    """Return the ids of messages, in order."""
    return [message.id for message in messages]


def token(number: int, family_id: str = "family", user_id: UserId = ADA, **fields: Any) -> RefreshToken:
    """Return a refresh token whose hash is made of `number`, good for an hour."""
    defaults = {"token_hash": number.to_bytes(32, "big"), "created_at": NOW, "expires_at": later(3600)}
    return RefreshToken(**{**defaults, "family_id": family_id, "user_id": user_id, **fields})
