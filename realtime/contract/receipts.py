"""Receipt and typing events."""

from realtime.contract.base import Id, Payload, Seq, Wire
from realtime.contract.objects import Receipt


class ReceiptMark(Payload):
    """Raise one's watermarks. They never move back."""

    room_id: Id
    read_seq: Seq | None = None
    delivered_seq: Seq | None = None


class ReceiptAck(Wire):
    """The caller's watermarks as they are now."""

    receipt: Receipt


class TypingSet(Payload):
    """Say that one is writing; repeat every 4 s while it is so."""

    room_id: Id
    on: bool


class TypingChanged(Wire):
    """Someone started or stopped writing. Expires after 7 s without a repeat."""

    room_id: str
    user_id: str
    on: bool
