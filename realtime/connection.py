"""One live connection of one person, as the edge knows it."""

from auth.limits import TokenBucket
from auth.types import Principal
from core.clock import Timer
from core.ids import ConnectionId, RoomId, UserId
from realtime.engine.eio import Link
from realtime.engine.frames import Frame


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
        self.bucket = bucket
        self.topics: set[str] = set()
        self.sessions: set[RoomId] = set()  # session rooms that it joined, so that leaving them can be told
        self.granted: set[str] = set()  # topics given by membership while a join was held
        self.watched: set[UserId] = set()
        self.held: dict[str, list[tuple[int | None, Frame]]] = {}
        self.excluded: set[str] | None = set()  # topics lost while it was opening; None once it is open
        self.expiry: Timer | None = None

    @property
    def user_id(self) -> UserId:
        """Whose connection this is."""
        return self.principal.user_id

    def offer(self, topic: str, rev: int | None, frame: Frame) -> None:
        """Send a frame of a topic now, or keep it while the topic is held."""
        waiting = self.held.get(topic) if self.held else None
        if waiting is None:
            self.link.push(frame)
        else:
            waiting.append((rev, frame))

    def hold(self, topic: str) -> None:
        """Keep the frames of a topic back from now on."""
        self.held.setdefault(topic, [])
        self.granted.discard(topic)

    def release(self, topic: str, rev: int) -> None:
        """Send what waited, except changes up to `rev`: those are in the snapshot that the client has just got."""
        for frame_rev, frame in self.held.pop(topic, ()):
            if frame_rev is None or frame_rev > rev:
                self.link.push(frame)
