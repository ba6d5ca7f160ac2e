"""Arbitrary domain values, as stores and services can give them."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from auth.types import Role, User
from core.ids import MessageId, RoomId, UserId
from rooms.types import (
    Member,
    Message,
    MessageKind,
    Notify,
    Presence,
    Receipt,
    Room,
    RoomKind,
    RoomRole,
    RoomSettings,
    RoomView,
    Snapshot,
    Status,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
user_ids = texts.map(UserId)
numbers = st.integers(0, 2**53 - 1)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - UTC is added
maybe_instants = st.none() | instants

users = st.builds(
    User,
    user_ids,
    texts,
    st.sampled_from(Role),
    avatar_url=st.none() | texts,
    tz=st.none() | texts,
    locale=st.none() | texts,
)
messages = st.builds(
    Message,
    id=texts.map(MessageId),
    room_id=texts.map(RoomId),
    seq=numbers,
    rev=numbers,
    sender_id=user_ids,
    client_id=texts,
    kind=st.sampled_from(MessageKind),
    body=texts,
    created_at=instants,
    reply_to=st.none() | texts.map(MessageId),
    mentions=st.lists(user_ids, max_size=3).map(tuple),
    reactions=st.dictionaries(texts, st.lists(user_ids, min_size=1, max_size=3).map(tuple), max_size=3),
    edited_at=maybe_instants,
    deleted_at=maybe_instants,
)
rooms = st.builds(
    Room,
    id=texts.map(RoomId),
    kind=st.sampled_from(RoomKind),
    title=texts,
    created_by=user_ids,
    created_at=instants,
    last_seq=numbers,
    rev=numbers,
    member_count=numbers,
    archived=st.booleans(),
    settings=st.builds(RoomSettings, open=st.booleans(), slow_mode_s=numbers),
    last_activity_at=maybe_instants,
)
members = st.builds(
    Member,
    room_id=texts.map(RoomId),
    user_id=user_ids,
    role=st.sampled_from(RoomRole),
    joined_at=instants,
    read_seq=numbers,
    delivered_seq=numbers,
    muted_until=maybe_instants,
    notify=st.sampled_from(Notify),
)
receipts = st.builds(Receipt, texts.map(RoomId), user_ids, numbers, numbers)
presences = st.builds(Presence, user_ids, st.sampled_from(Status), maybe_instants)
views = st.builds(RoomView, rooms, me=st.none() | members, last_message=st.none() | messages, peer=st.none() | users)
snapshots = st.builds(
    Snapshot,
    views,
    messages=st.lists(messages, max_size=3),
    receipts=st.lists(receipts, max_size=3),
    presence=st.lists(presences, max_size=3),
    rev=numbers,
    reset=st.booleans(),
)
