"""Messages: send, edit, delete, react, read back."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from auth.limits import KeyedBuckets, rate_limited
from auth.policy import Action
from auth.types import Principal
from core.clock import Clock
from core.errors import ErrorCode, HomeroomError, invalid
from core.ids import IdSource, MessageId, RoomId, UserId
from rooms.access import check_open_for_writing, permits, permitted, readable
from rooms.ports import Events, MemberStore, MessageStore, RoomStore
from rooms.receipts import ReceiptFeed
from rooms.slow_mode import SlowMode
from rooms.types import Access, Draft, Message, MessageKind

MAX_REACTIONS = 32
"""Different emoji on one message."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a caller asks to send. `extra` is not stored; it reaches clients of the minimal contract (WIRE.md §3)."""

    room_id: RoomId
    client_id: str
    body: str
    kind: MessageKind = MessageKind.TEXT
    reply_to: MessageId | None = None
    attachments: Sequence[str] = ()
    mentions: Sequence[UserId] = ()
    extra: bytes | None = None


Mutation = Callable[[Message], Message]


def with_reaction(message: Message, user_id: UserId, emoji: str, *, on: bool) -> Message:
    """Return `message` with or without the user's reaction; an equal message if there is nothing to do.

    Raises `request.invalid` when it would carry more than MAX_REACTIONS different ones.
    """
    users = message.reactions.get(emoji, ())
    if (user_id in users) == on:
        return message
    reactions = {key: list(value) for key, value in message.reactions.items() if key != emoji}
    remaining = [*users, user_id] if on else [other for other in users if other != user_id]
    if remaining:
        reactions[emoji] = remaining
    if len(reactions) > MAX_REACTIONS:
        raise invalid(f"A message carries at most {MAX_REACTIONS} different reactions.", "emoji")
    return replace(message, reactions=reactions)


def _check_alive(message: Message) -> None:
    if message.deleted_at:
        raise HomeroomError(ErrorCode.MESSAGE_NOT_FOUND, "The message was deleted.")


class Messages:
    """The messages of all rooms. Every method decides first, then commits, then tells."""

    def __init__(
        self,
        store: MessageStore,
        rooms: RoomStore,
        members: MemberStore,
        events: Events,
        receipts: ReceiptFeed,
        *,
        clock: Clock,
        new_id: IdSource,
        body_chars: int,
        history_page: int,
        pace: KeyedBuckets,
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._members = members
        self._events = events
        self._receipts = receipts
        self._clock = clock
        self._new_id = new_id
        self._body_chars = body_chars
        self._history_page = history_page
        self._pace = pace
        self._slow_mode = SlowMode()

    async def send(self, principal: Principal, outgoing: Outgoing) -> Message:
        """Store a message and tell the room; the same client id again returns the first one.

        Raises `room.not_found`, `room.forbidden`, `room.locked`, `room.muted`, `room.slow_mode`, `rate.limited`,
        `message.too_long`, `message.not_found` (an unknown `reply_to`), `file.not_found`.
        """
        self._check_body(outgoing.body)
        access = await permitted(self._rooms, principal, Action.SEND, outgoing.room_id)
        check_open_for_writing(access, self._clock.now())
        self._check_pace(principal, access)
        if outgoing.attachments:
            raise HomeroomError(ErrorCode.FILE_NOT_FOUND)
        await self._check_reply(outgoing)
        draft = await self._draft(principal, outgoing)
        with self._slowed(principal, access, outgoing.client_id):
            appended = await self._store.append(draft)
        if appended.created:
            self._events.message_new(appended.message, extra=outgoing.extra)
        if appended.caught_up:
            self._receipts.tell(appended.caught_up, access.room)
        return appended.message

    async def edit(self, principal: Principal, message_id: MessageId, body: str) -> Message:
        """Replace the body of one's own message. Raises `message.forbidden` for those of others."""
        self._check_body(body)
        message, access = await self._find(principal, message_id)
        check_open_for_writing(access, self._clock.now())
        if message.sender_id != principal.user_id or not permits(principal, Action.SEND, access):
            raise HomeroomError(ErrorCode.MESSAGE_FORBIDDEN)
        now = self._clock.now()

        def edited(current: Message) -> Message:
            _check_alive(current)
            return current if current.body == body else replace(current, body=body, edited_at=now)

        return await self._change(message_id, edited)

    async def delete(self, principal: Principal, message_id: MessageId) -> Message:
        """Empty a message: one's own, or anybody's for those who keep the room. Deleting twice is deleting once."""
        message, access = await self._find(principal, message_id)
        if access.room.archived:
            raise HomeroomError(ErrorCode.ROOM_LOCKED)
        own = message.sender_id == principal.user_id and permits(principal, Action.REACT, access)
        if not own and not permits(principal, Action.DELETE_ANY, access):
            raise HomeroomError(ErrorCode.MESSAGE_FORBIDDEN)
        now = self._clock.now()

        def deleted(current: Message) -> Message:
            if current.deleted_at:
                return current
            return replace(current, body="", mentions=(), reactions={}, deleted_at=now)

        return await self._change(message_id, deleted)

    async def react(self, principal: Principal, message_id: MessageId, emoji: str, *, on: bool) -> Message:
        """Give a reaction or take it back; giving it twice is giving it once."""
        _, access = await self._find(principal, message_id)
        check_open_for_writing(access, self._clock.now())
        if not permits(principal, Action.REACT, access):
            raise HomeroomError(ErrorCode.ROOM_FORBIDDEN)

        def reacted(current: Message) -> Message:
            _check_alive(current)
            return with_reaction(current, principal.user_id, emoji, on=on)

        return await self._change(message_id, reacted)

    async def history(
        self, principal: Principal, room_id: RoomId, *, before_seq: int | None, after_seq: int | None, limit: int
    ) -> tuple[Sequence[Message], bool]:
        """Return a page in ascending `seq`, and whether more follow in the direction that was asked.

        `limit` counts up to the page size of this server.
        """
        limit = min(limit, self._history_page)
        await readable(self._rooms, principal, room_id)
        found = await self._store.page(room_id, before_seq=before_seq, after_seq=after_seq, limit=limit + 1)
        if len(found) <= limit:
            return found, False
        forward = after_seq is not None and before_seq is None
        return (found[:limit] if forward else found[-limit:]), True

    async def _find(self, principal: Principal, message_id: MessageId) -> tuple[Message, Access]:
        message = await self._store.get(message_id)
        if message is None:
            raise HomeroomError(ErrorCode.MESSAGE_NOT_FOUND)
        try:
            return message, await readable(self._rooms, principal, message.room_id)
        except HomeroomError as exc:
            if exc.code is not ErrorCode.ROOM_NOT_FOUND:
                raise
            raise HomeroomError(ErrorCode.MESSAGE_NOT_FOUND) from exc

    async def _change(self, message_id: MessageId, mutate: Mutation) -> Message:
        outcome = await self._store.change(message_id, mutate)
        if outcome.changed:
            self._events.message_updated(outcome.message)
        return outcome.message

    async def _draft(self, principal: Principal, outgoing: Outgoing) -> Draft:
        mentions = list(dict.fromkeys(outgoing.mentions))
        if mentions:
            members = await self._members.among(outgoing.room_id, mentions)
            mentions = [user_id for user_id in mentions if user_id in members]
        return Draft(
            id=MessageId(self._new_id()),
            room_id=outgoing.room_id,
            sender_id=principal.user_id,
            client_id=outgoing.client_id,
            kind=outgoing.kind,
            body=outgoing.body,
            created_at=self._clock.now(),
            reply_to=outgoing.reply_to,
            mentions=mentions,
        )

    async def _check_reply(self, outgoing: Outgoing) -> None:
        if outgoing.reply_to is None:
            return
        target = await self._store.get(outgoing.reply_to)
        if target is None or target.room_id != outgoing.room_id:
            raise HomeroomError(ErrorCode.MESSAGE_NOT_FOUND)

    def _check_body(self, body: str) -> None:
        if len(body) > self._body_chars:
            text = f"The message is too long: {len(body)} of at most {self._body_chars} characters."
            raise HomeroomError(ErrorCode.MESSAGE_TOO_LONG, text)
        if not body.strip():
            raise invalid("A message needs a body.", "body")

    def _check_pace(self, principal: Principal, access: Access) -> None:
        wait_s = self._pace.take((principal.user_id, access.room.id), self._clock.monotonic())
        if wait_s > 0:
            raise rate_limited(wait_s)

    def _slowed(self, principal: Principal, access: Access, client_id: str) -> AbstractContextManager[None]:
        pause_s = access.room.settings.slow_mode_s
        if not pause_s or permits(principal, Action.DELETE_ANY, access):
            return nullcontext()
        key = (access.room.id, principal.user_id)
        return self._slow_mode.turn(key, client_id, self._clock.monotonic(), pause_s)
