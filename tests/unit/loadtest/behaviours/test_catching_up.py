"""What a person takes in by asking, while the room goes on."""

from typing import Any, cast

from loadtest.behaviours.catching_up import CatchingUp
from loadtest.behaviours.seat import Seat
from loadtest.behaviours.world import World
from loadtest.client.session import Session
from loadtest.client.tokens import User
from loadtest.measure.names import Count
from loadtest.measure.recorder import Recorder
from loadtest.report.result import Truth
from loadtest.truth.audit import audit
from loadtest.truth.ledger import Ledger
from loadtest.truth.stamp import Stamp, write_stamp

RUN, ROOM, SPEAKER, READER = "run", "room", 1, 2


class Answers:
    """A session that has been asked what it will answer: a snapshot that is too long, and pages of history."""

    def __init__(self, last_seq: int, stored: int) -> None:
        self._last_seq = last_seq
        self._messages = [_message(seq) for seq in range(1, stored + 1)]

    async def call(self, event: str, payload: dict[str, Any]) -> Any:
        """Answer."""
        if event == "message:history":
            page = [each for each in self._messages if each["seq"] > payload["after_seq"]][:3]
            return {"messages": page, "has_more": page[-1]["seq"] < len(self._messages)}
        newest = self._messages[self._last_seq - 1 : self._last_seq]
        return {"room": {"last_seq": self._last_seq}, "messages": newest, "rev": self._last_seq, "reset": True}


class Desk:
    """As much of a world as reading needs."""

    run = RUN
    closing = False

    def __init__(self) -> None:
        self.recorder = Recorder()


def _message(seq: int) -> dict[str, Any]:
    return {"seq": seq, "rev": seq, "client_id": write_stamp(RUN, SPEAKER, seq, 0)}


async def test_pages_end_where_the_snapshot_did() -> None:
    """Messages stored after the snapshot come by themselves: a page that holds them too makes them no duplicates."""
    ledger, desk = Ledger(), Desk()
    outbox = ledger.outbox(ROOM, SPEAKER)
    for seq in range(1, 8):
        outbox.acked(outbox.next(), seq)
    seat = Seat(ROOM, ledger.inbox(ROOM, READER, from_seq=0), ledger.outbox(ROOM, READER), 0, 0, receipts=False)
    seat.left()
    reader = User(READER, "reader", "Reader", "student")
    session = cast(Session, Answers(last_seq=5, stored=7))
    await CatchingUp(cast(World, desk), reader, session, seat).after_absence()
    for seq in (6, 7):
        assert seat.inbox.live(Stamp(SPEAKER, seq, 0), seq)
    truth: Truth = audit([ledger.export()])
    assert (7, 2, 5, 0, 0) == (truth.expected, truth.live, truth.caught_up, truth.duplicate, truth.lost)
    assert 5 == desk.recorder.drain().counts[Count.CAUGHT_UP]
