"""One live connection of one person, as the edge knows it."""

from auth.limits import TokenBucket
from auth.types import Principal
from core.clock import Timer
from core.ids import ConnectionId, RoomId, UserId
from realtime.engine.frames import Frame
from realtime.engine.ports import Link

_Held = dict[str, list[tuple[int | None, Frame]]]


class Connection:
    """Who it is, where it is live, and what it is waiting for.

    While a topic is held, its frames wait until `release`, so that a snapshot reaches the client before what came
    after it, and nothing at all before the right to join is known.
    """

    __slots__ = (
        "bucket",
        "excluded",
        "expiry",
        "granted",
        "held",
        "id",
        "link",
        "namespace",
        "principal",
        "push",
        "sessions",
        "topics",
        "watched",
    )

    def __init__(
        self, connection_id: ConnectionId, namespace: str, principal: Principal, link: Link, bucket: TokenBucket
    ) -> None:
        self.id = connection_id
        self.namespace = namespace
        self.principal = principal
        self.link = link
        self.push = link.push
        self.bucket = bucket
        self.topics: set[str] = set()
        # Empty for nearly everybody, and then shared by all of them.
        self.sessions: frozenset[RoomId] = frozenset()  # session rooms that it joined, so that leaving them can be told
        self.granted: frozenset[str] = frozenset()  # topics given by membership while a join was held
        self.watched: frozenset[UserId] = frozenset()
        self.held: _Held | None = None
        self.excluded: frozenset[str] | None = frozenset()  # topics lost while it was opening; None once it is open
        self.expiry: Timer | None = None

    @property
    def user_id(self) -> UserId:
        """Whose connection this is."""
        return self.principal.user_id

    def offer(self, topic: str, rev: int | None, frame: Frame) -> None:
        """Send a frame of a topic now, or keep it while the topic is held."""
        waiting = self.held.get(topic) if self.held is not None else None
        if waiting is None:
            self.push(frame)
        else:
            waiting.append((rev, frame))

    def hold(self, topic: str) -> None:
        """Keep the frames of a topic back from now on."""
        if self.held is None:
            self.held = {}
        self.held.setdefault(topic, [])
        self.granted -= {topic}

    def release(self, topic: str, rev: int) -> None:
        """Send what waited, except changes up to `rev`: those are in the snapshot that the client has just got."""
        for frame_rev, frame in self.forget_held(topic):
            if frame_rev is None or frame_rev > rev:
                self.push(frame)

    def holds(self, topic: str) -> bool:
        """Whether the frames of a topic are kept back."""
        return self.held is not None and topic in self.held

    def forget_held(self, topic: str) -> list[tuple[int | None, Frame]]:
        """Keep the frames of a topic back no longer; return those that waited."""
        if self.held is None:
            return []
        waited = self.held.pop(topic, [])
        self.held = self.held or None
        return waited
