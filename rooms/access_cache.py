"""What the policy needs to know of rooms and memberships, kept in memory until something of it changes."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from core.ids import RoomId, UserId
from rooms.types import Access, Member, Room

CACHED_MEMBERSHIPS: Final = 100_000


@dataclass(slots=True, eq=False)
class Reading:
    """A look into the store that is under way. Set `found` to what it brought."""

    room_id: RoomId
    user_id: UserId
    found: Access | None = None
    outdated: bool = False


@dataclass(slots=True)
class _Kept:
    """One room. `room` is None from a change of it until the next reading; memberships outlive that."""

    room: Room | None = None
    members: dict[UserId, Member | None] = field(default_factory=dict)


class AccessCache:
    """Answers of `RoomStore.access`, at most `max_memberships`; rooms that were not asked for longest go first.

    Good for decisions, and for nothing that moves with messages: `last_seq`, `rev`, `last_activity_at` and watermarks
    are those of some earlier reading. Kind, settings, archive flag, member count, role and mute are never older than
    the last `forget`: whoever commits a change of them calls it before anybody is told that the change was made. What a
    reading brings is not kept when its room was forgotten meanwhile, since it may have looked before the change.

    That somebody is not in a room is kept too: the school's backend writes to rooms that it is no member of, and a
    stranger who asks again costs no reading. That there is no such room is not kept: people can ask for any id, and
    answers about nothing would push out those about rooms. Everything happens on the thread of the loop.
    """

    def __init__(self, max_memberships: int = CACHED_MEMBERSHIPS) -> None:
        self._max_memberships = max_memberships
        self._rooms: OrderedDict[RoomId, _Kept] = OrderedDict()
        self._size = 0
        self._readings: dict[RoomId, set[Reading]] = {}

    def __len__(self) -> int:
        """Return how many memberships are kept."""
        return self._size

    def find(self, room_id: RoomId, user_id: UserId) -> Access | None:
        """Return what is known, or None if the store has to be asked."""
        kept = self._rooms.get(room_id)
        if kept is None or kept.room is None or user_id not in kept.members:
            return None
        self._rooms.move_to_end(room_id)
        return Access(kept.room, kept.members[user_id])

    @contextmanager
    def reading(self, room_id: RoomId, user_id: UserId) -> Iterator[Reading]:
        """Keep what the block finds in the store, unless the room is forgotten before it ends."""
        reading = Reading(room_id, user_id)
        self._readings.setdefault(room_id, set()).add(reading)
        try:
            yield reading
        finally:
            self._end(reading)
        if reading.found is not None and not reading.outdated:
            self._keep(user_id, reading.found)

    def forget(self, room_id: RoomId, user_id: UserId | None = None) -> None:
        """Drop a room, or one membership of it and how many there are; readings under way are not kept."""
        for reading in self._readings.pop(room_id, ()):
            reading.outdated = True
        kept = self._rooms.get(room_id)
        if kept is None:
            return
        if user_id is not None:
            kept.room = None
            if user_id in kept.members:
                del kept.members[user_id]
                self._size -= 1
        if user_id is None or not kept.members:
            del self._rooms[room_id]
            self._size -= len(kept.members)

    def _end(self, reading: Reading) -> None:
        others = self._readings.get(reading.room_id)
        if others is not None:
            others.discard(reading)
            if not others:
                del self._readings[reading.room_id]

    def _keep(self, user_id: UserId, access: Access) -> None:
        kept = self._rooms.setdefault(access.room.id, _Kept())
        self._rooms.move_to_end(access.room.id)
        kept.room = access.room
        self._size += user_id not in kept.members
        kept.members[user_id] = access.member
        while self._size > self._max_memberships:
            _, oldest = self._rooms.popitem(last=False)
            self._size -= len(oldest.members)
