"""A person's messages on their way to the server: kept until they are answered, sent again under the same id."""

from functools import partial
from typing import Any, Protocol

from loadtest.behaviours.seat import Seat
from loadtest.behaviours.world import World
from loadtest.client.session import Session
from loadtest.client.tokens import User
from loadtest.measure.names import Count, Gauge, Metric
from loadtest.truth.stamp import write_stamp

ATTEMPTS = 5
"""Tries of a message that the server refuses for now, before it is given up."""
RETRY_S = 1.0


class Sender(Protocol):
    """Who writes, and over which connection; None or not ready while there is none."""

    user: User
    session: Session | None
    ready: bool


class Message:
    """One message on its way."""

    __slots__ = ("body", "client_id", "due_ns", "number", "on_wire", "refusals", "seat", "sent")

    def __init__(self, seat: Seat, number: int, client_id: str, body: str, due_ns: int) -> None:
        self.seat = seat
        self.number = number
        self.client_id = client_id
        self.body = body
        self.due_ns = due_ns
        self.sent = False
        self.on_wire = False
        self.refusals = 0


class Outgoing:
    """All messages of one person that no answer has settled, in the order they were written."""

    __slots__ = ("_recorder", "_sender", "_waiting", "_world")

    def __init__(self, world: World, sender: Sender) -> None:
        self._world = world
        self._recorder = world.recorder
        self._sender = sender
        self._waiting: dict[str, Message] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def say(self, seat: Seat, body: str, due_ns: int) -> None:
        """Take in a message, and send it as soon as there is a connection."""
        number = seat.outbox.next()
        client_id = write_stamp(self._world.run, self._sender.user.index, number, due_ns)
        message = self._waiting[client_id] = Message(seat, number, client_id, body, due_ns)
        self._recorder.level(Gauge.WAITING, 1)
        self._transmit(message)

    def resend(self) -> None:
        """Send what an earlier connection left without an answer, or never carried."""
        for message in list(self._waiting.values()):
            message.on_wire = False
            self._transmit(message)

    def _transmit(self, message: Message) -> None:
        session = self._sender.session
        if session is None or not session.is_open or not self._sender.ready or message.on_wire:
            return
        self._recorder.count(Count.RESENT if message.sent else Count.SENT)
        message.sent = message.on_wire = True
        payload = {"room_id": message.seat.room_id, "client_id": message.client_id, "body": message.body}
        session.emit("message:send", payload, partial(self._answered, message))

    def _answered(self, message: Message, envelope: Any, now_ns: int) -> None:
        if envelope is None:
            return  # The connection ended first; `resend` asks again over the next one.
        try:
            if envelope["ok"]:
                self._promised(message, envelope["data"]["message"], now_ns)
            else:
                self._denied(message, envelope["error"])
        except (KeyError, TypeError) as error:
            self._recorder.error("protocol", "bad_ack", f"message:send: {error!r}")

    def _promised(self, message: Message, shown: dict[str, Any], now_ns: int) -> None:
        if shown["client_id"] == message.client_id:
            self._stored(message, shown["seq"], now_ns)
        else:  # no answer to this message, whatever it says
            self._recorder.error("protocol", "wrong_ack", f"{message.client_id} answered with {shown['client_id']}")

    def _stored(self, message: Message, seq: int, now_ns: int) -> None:
        message.seat.outbox.acked(message.number, seq)
        message.seat.seqs.add(seq)
        if self._settled(message):
            self._recorder.count(Count.ACKED)
            self._recorder.latency(Metric.ACK, now_ns - message.due_ns)

    def _denied(self, message: Message, error: dict[str, Any]) -> None:
        message.on_wire = False
        message.refusals += 1
        if error["retryable"] and message.refusals < ATTEMPTS:
            wait_ms = error.get("retry_after_ms")
            self._world.later(RETRY_S if wait_ms is None else wait_ms / 1000, partial(self._again, message))
            return
        if self._settled(message):
            message.seat.outbox.refused(message.number)
            self._recorder.error("ack", error["code"], error.get("message", ""))

    def _again(self, message: Message) -> None:
        if message.client_id in self._waiting:
            self._transmit(message)

    def _settled(self, message: Message) -> bool:
        if self._waiting.pop(message.client_id, None) is None:
            return False
        self._recorder.level(Gauge.WAITING, -1)
        return True
