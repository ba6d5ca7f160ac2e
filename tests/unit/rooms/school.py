"""The chat domain on a real store, with time turned by hand and every event remembered."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from auth.limits import KeyedBuckets
from auth.types import Principal, Role, User
from core.ids import RoomId, UserId, uuid7
from realtime.cluster.local import LocalPresence
from rooms.members import Members
from rooms.messages import Messages, Outgoing
from rooms.presence import PresenceBook
from rooms.receipts import ReceiptFeed, Receipts
from rooms.rooms import RoomPatch, Rooms
from rooms.sync import Sync
from rooms.types import Member, Message, Room, RoomKind, RoomRole, RoomSettings
from rooms.typing import Typing
from storage.sqlite.store import SqliteStore
from tests.support.fakes import FakeTime, PatientBackground, RecordingEvents

BODY_CHARS = 20
BROADCAST_MEMBERS = 3
GRACE_S = 10.0
SYNC_MESSAGES = 5


class School:
    """Everything a domain test talks to."""

    def __init__(self, store: SqliteStore, *, compat_open_sessions: bool = False) -> None:
        self.store = store
        self.time = FakeTime()
        self.events = RecordingEvents()
        self.background = PatientBackground()
        self.online = LocalPresence()
        self.rooms = Rooms(
            store.rooms,
            store.members,
            store.users,
            self.events,
            clock=self.time,
            new_id=uuid7,
            compat_open_sessions=compat_open_sessions,
            broadcast_members=BROADCAST_MEMBERS,
        )
        self.members = Members(store.members, store.rooms, store.users, self.events, clock=self.time)
        self.feed = ReceiptFeed(self.events, timers=self.time, broadcast_members=BROADCAST_MEMBERS)
        self.messages = self.messages_at_pace(1000, 1000)
        self.receipts = Receipts(store.members, store.rooms, self.feed)
        self.typing = Typing(
            store.rooms,
            self.events,
            clock=self.time,
            timers=self.time,
            interval_s=3.0,
            ttl_s=7.0,
            broadcast_members=BROADCAST_MEMBERS,
        )
        self.presence = PresenceBook(
            self.online,
            store.rooms,
            store.members,
            store.users,
            store.last_seen,
            self.events,
            self.background,
            clock=self.time,
            timers=self.time,
            grace_s=GRACE_S,
            broadcast_members=BROADCAST_MEMBERS,
        )
        self.sync = Sync(
            store.sync,
            self.rooms,
            self.presence,
            max_messages=SYNC_MESSAGES,
            max_members=BROADCAST_MEMBERS,
        )

    @classmethod
    async def open(cls, directory: Path, **more: Any) -> "School":
        """Open a school with an empty store."""
        return cls(await SqliteStore.open(directory / "homeroom.db"), **more)

    def messages_at_pace(self, per_s: float, burst: float, rooms: Any = None) -> Messages:
        """Return the messages service with this pace, on other rooms if a test needs them broken."""
        return Messages(
            self.store.messages,
            rooms or self.store.rooms,
            self.store.members,
            self.events,
            self.feed,
            clock=self.time,
            new_id=uuid7,
            body_chars=BODY_CHARS,
            history_page=100,
            pace=KeyedBuckets(per_s, burst),
        )

    async def person(self, user_id: str, role: Role = Role.STUDENT) -> Principal:
        """Return someone of the school, known to the store."""
        user = User(UserId(user_id), user_id.title(), role)
        await self.store.users.put(user)
        return Principal(user.id, user.role, user.name)

    async def people(self, *user_ids: str) -> list[Principal]:
        """Return several students."""
        return [await self.person(user_id) for user_id in user_ids]

    async def room(
        self,
        *members: Principal | tuple[Principal, RoomRole],
        kind: RoomKind = RoomKind.GROUP,
        settings: RoomSettings | None = None,
        archived: bool = False,
    ) -> Room:
        """Store a room of these members (plain ones, unless a role is given), and tell nobody."""
        room = Room(
            RoomId(uuid7()), kind, "Algebra", UserId("founder"), self.time.now(), settings=settings or RoomSettings()
        )
        pairs = [pair if isinstance(pair, tuple) else (pair, RoomRole.MEMBER) for pair in members]
        stored = [Member(room.id, who.user_id, role, self.time.now()) for who, role in pairs]
        made, _ = await self.store.rooms.create(room, stored)
        if archived:
            made, _ = await self.store.rooms.update(made.id, RoomPatch(archived=True).apply)
        return made

    async def mute(self, who: Principal, room: Room, seconds: float) -> None:
        """Mute a member from now on, and tell nobody."""
        member = await self.member(room, who)
        await self.store.members.put(replace(member, muted_until=self.time.now() + timedelta(seconds=seconds)))

    async def member(self, room: Room, who: Principal) -> Member:
        """Return a membership, which must be there."""
        member = await self.store.members.get(room.id, who.user_id)
        assert member is not None
        return member

    async def say(self, who: Principal, room: Room, body: str = "Hello", **more: Any) -> Message:
        """Send a message with a client id of its own."""
        return await self.messages.send(who, Outgoing(room.id, more.pop("client_id", uuid7()), body, **more))

    async def say_many(self, who: Principal, room: Room, count: int) -> list[Message]:
        """Send `count` messages, one after the other."""
        return [await self.say(who, room, f"message {number}") for number in range(1, count + 1)]

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, and what it set off finish."""
        self.time.advance(seconds)
        await self.background.idle()
