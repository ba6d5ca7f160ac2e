"""realtime.contract.encode: what goes out is what the contract describes, for any value of the domain."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from core.ids import UserId
from realtime.cluster.ports import Envelope
from realtime.contract import encode, objects
from realtime.contract.messages import MessageAck
from realtime.contract.presence import PresenceAck
from realtime.contract.receipts import ReceiptAck, TypingChanged
from realtime.contract.registry import SERVER_EVENTS
from realtime.contract.rooms import MemberChanged, RoomChanged, RoomRemoved, SnapshotAck
from realtime.fanout import Fanout
from rooms.types import Message, Presence, Receipt, RoomRole, RoomView
from tests.unit.realtime import domain

PAIRS = [
    (domain.users, encode.user_json, objects.User),
    (domain.messages, encode.message_json, objects.Message),
    (domain.rooms, encode.room_json, objects.Room),
    (domain.views, encode.view_json, objects.Room),
    (domain.receipts, encode.receipt_json, objects.Receipt),
    (domain.presences, encode.presence_json, objects.Presence),
    (domain.snapshots, encode.snapshot_json, SnapshotAck),
]


@pytest.mark.parametrize(("values", "encoded", "model"), PAIRS, ids=lambda part: getattr(part, "__name__", ""))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_object_is_what_its_model_says(
    values: st.SearchStrategy[Any], encoded: Callable[[Any], Any], model: type[BaseModel], data: st.DataObject
) -> None:
    """It validates, without a field too many or too few, and survives JSON; fields that are None are left out."""
    out = encoded(data.draw(values))
    on_the_wire = orjson.loads(orjson.dumps(out))
    assert out == on_the_wire
    assert out == model.model_validate(out).model_dump(mode="json", exclude_none=True)


@given(domain.views)
def test_unread_is_what_came_after_the_watermark(view: RoomView) -> None:
    """`unread` is never negative, and there for members only."""
    out = encode.view_json(view)
    assert (view.me is not None) == ("me" in out)
    if view.me is not None:
        assert max(0, view.room.last_seq - view.me.read_seq) == out["me"]["unread"]


@given(domain.views)
def test_a_conversation_is_titled_by_the_other(view: RoomView) -> None:
    """With a peer the title is the peer's name, otherwise the room's own."""
    assert (view.peer.name if view.peer else view.room.title) == encode.view_json(view)["title"]


class Carrier:
    """A broker that keeps what is published."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    def publish(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)

    def attach(self, deliver: Callable[[Envelope], None]) -> None:
        raise AssertionError("the fan-out publishes and does nothing else")

    async def ready(self) -> bool:
        return True


@settings(deadline=None)
@given(domain.messages, domain.views, domain.receipts, domain.presences, st.booleans())
def test_every_event_of_the_domain_is_one_of_the_contract(
    message: Message, view: RoomView, receipt: Receipt, presence: Presence, on: bool
) -> None:
    """What the fan-out publishes has the name, the payload and the loss that the registry says; changes have a rev."""
    carrier = Carrier()
    fanout = Fanout(carrier)
    user_id, room = receipt.user_id, view.room
    fanout.message_new(message, extra=b'{"colour":"red"}')
    fanout.message_updated(message)
    fanout.room_changed(room)
    fanout.room_added(view, user_id, live=on)
    fanout.room_removed(room.id, user_id, "left")
    for change in ("added", "removed", "role", "muted", "joined", "left"):
        fanout.member_changed(room.id, user_id, change, RoomRole.OBSERVER if on else None)
    fanout.receipt_changed(receipt)
    fanout.typing_changed(room.id, user_id, on=on)
    fanout.presence_changed(presence, [room.id])
    models: dict[str, type[BaseModel]] = {
        "message:new": MessageAck,
        "message:updated": MessageAck,
        "room:changed": RoomChanged,
        "room:removed": RoomRemoved,
        "room:member_changed": MemberChanged,
        "receipt:changed": ReceiptAck,
        "typing:changed": TypingChanged,
        "presence:changed": PresenceAck,
    }
    for envelope in carrier.envelopes:
        spec, model = SERVER_EVENTS[envelope.event], models[envelope.event]
        assert model is spec.payload
        data = orjson.loads(envelope.data)
        assert data == model.model_validate(data).model_dump(mode="json", exclude_none=True)
        assert spec.ephemeral == envelope.ephemeral
    revs = [envelope.rev for envelope in carrier.envelopes]
    assert [message.rev, message.rev, room.rev, *[None] * 11] == revs


async def test_a_revoked_user_is_told_nothing_and_disconnected() -> None:
    """The effect travels without an event."""
    carrier = Carrier()
    Fanout(carrier).disconnect_user(UserId("ada"), "revoked")
    (envelope,) = carrier.envelopes
    assert ((), "disconnect", "revoked") == (
        envelope.topics,
        envelope.effect.kind if envelope.effect else None,
        envelope.effect.reason if envelope.effect else None,
    )
