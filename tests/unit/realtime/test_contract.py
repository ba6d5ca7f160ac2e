"""realtime.contract: strict payloads. Whatever a client sends is understood or refused by name, never an exception."""

import math
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ErrorCode, HomeroomError
from realtime.app import App
from realtime.contract.registry import CLIENT_EVENTS
from realtime.dispatch import parse
from realtime.handlers import compat, connection, messages, presence, receipts, rooms
from realtime.roster import Roster
from tests.support.fakes import FakeTime
from tests.support.refusal import outcome, refused

VALID: dict[str, Any] = {
    "room:list": {"kind": "group", "cursor": "c", "limit": 1},
    "room:open": {"kind": "group", "title": "Algebra", "member_ids": ["ben"], "settings": {"open": True}},
    "room:join": {"room_id": "r", "since_rev": 0},
    "room:sync": {"room_id": "r", "since_rev": 3},
    "room:leave": {"room_id": "r"},
    "message:send": {
        "room_id": "r",
        "client_id": "c",
        "body": "Hello\n\tthere",
        "kind": "text",
        "reply_to": "m",
        "attachments": ["f"],
        "mentions": ["ben"],
    },
    "message:edit": {"message_id": "m", "body": "Hello"},
    "message:delete": {"message_id": "m"},
    "message:react": {"message_id": "m", "emoji": "👩🏽‍🚀", "on": True},
    "message:history": {"room_id": "r", "before_seq": 9, "after_seq": 1, "limit": 100},
    "receipt:mark": {"room_id": "r", "read_seq": 1, "delivered_seq": 2},
    "typing:set": {"room_id": "r", "on": False},
    "presence:set": {"status": "busy"},
    "presence:watch": {"user_ids": ["ben"]},
    "presence:unwatch": {"user_ids": []},
    "auth:refresh": {"token": "t"},
    "join-session": "algebra-101",
    "send-message": {"sessionId": "algebra-101", "message": "Hello", "clientId": "c", "colour": "red"},
}

WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    ("room:list", {"limit": 0}, ["limit"]),
    ("room:list", {"limit": 201}, ["limit"]),
    ("room:list", {"limit": "10"}, ["limit"]),
    ("room:list", {"limit": 1.0}, ["limit"]),
    ("room:list", {"limit": True}, ["limit"]),
    ("room:list", {"kind": "club"}, ["kind"]),
    ("room:list", {"cursor": ""}, ["cursor"]),
    ("room:open", {"title": "  "}, ["title"]),
    ("room:open", {"title": "a\nb"}, ["title"]),
    ("room:open", {"title": "x" * 201}, ["title"]),
    ("room:open", {"member_ids": ["ben", ""]}, ["member_ids.1"]),
    ("room:open", {"member_ids": ["x"] * 1001}, ["member_ids"]),
    ("room:open", {"settings": {"slow_mode_s": 3601}}, ["settings.slow_mode_s"]),
    ("room:open", {"settings": {"open": "yes"}}, ["settings.open"]),
    ("room:join", {"since_rev": -1}, ["since_rev"]),
    ("room:join", {"since_rev": 2**53}, ["since_rev"]),
    ("room:sync", {"since_rev": None}, ["since_rev"]),
    ("room:sync", {"since_rev": math.nan}, ["since_rev"]),
    ("room:leave", {"room_id": ""}, ["room_id"]),
    ("room:leave", {"room_id": "x" * 129}, ["room_id"]),
    ("room:leave", {"room_id": "a\x00"}, ["room_id"]),
    ("room:leave", {"room_id": "a\x7f"}, ["room_id"]),
    ("room:leave", {"room_id": "a\ud800"}, ["room_id"]),
    ("room:leave", {"room_id": 7}, ["room_id"]),
    ("room:leave", {"room_id": ["r"]}, ["room_id"]),
    ("room:leave", {"room_id": b"r"}, ["room_id"]),
    ("message:send", {"body": " \n\t"}, ["body"]),
    ("message:send", {"body": "a\x08b"}, ["body"]),
    ("message:send", {"body": "a\udfff"}, ["body"]),
    ("message:send", {"kind": "system"}, ["kind"]),
    ("message:send", {"attachments": ["f"] * 11}, ["attachments"]),
    ("message:send", {"mentions": ["b"] * 51}, ["mentions"]),
    ("message:send", {"mentions": ["b", None]}, ["mentions.1"]),
    ("message:send", {"room_id": "", "client_id": 1, "body": ""}, ["room_id", "client_id", "body"]),
    ("message:edit", {"body": None}, ["body"]),
    ("message:react", {"emoji": ""}, ["emoji"]),
    ("message:react", {"emoji": "a b"}, ["emoji"]),
    ("message:react", {"emoji": "<b>"}, ["emoji"]),
    ("message:react", {"emoji": "a\n"}, ["emoji"]),
    ("message:react", {"emoji": "👍" * 33}, ["emoji"]),
    ("message:react", {"on": 1}, ["on"]),
    ("message:history", {"limit": 101}, ["limit"]),
    ("message:history", {"before_seq": "9"}, ["before_seq"]),
    ("receipt:mark", {"read_seq": -1}, ["read_seq"]),
    ("receipt:mark", {"delivered_seq": 10**30}, ["delivered_seq"]),
    ("presence:set", {"status": "offline"}, ["status"]),
    ("presence:watch", {"user_ids": ["x"] * 201}, ["user_ids"]),
    ("presence:watch", {"user_ids": "ben"}, ["user_ids"]),
    ("presence:watch", {"user_ids": {"0": "ben"}}, ["user_ids"]),
    ("auth:refresh", {"token": "x" * 8193}, ["token"]),
    ("send-message", {"sessionId": 7}, ["sessionId"]),
    ("send-message", {"message": ""}, ["message"]),
    ("send-message", {"clientId": "a\n"}, ["clientId"]),
]


@pytest.mark.parametrize("name", CLIENT_EVENTS)
def test_what_is_right_is_understood(name: str) -> None:
    """Every event has an example here; unknown fields are ignored, so that newer clients still work."""
    payload = VALID[name]
    understood = parse(CLIENT_EVENTS[name], [payload])
    if isinstance(payload, dict) and name != "send-message":
        assert understood == parse(CLIENT_EVENTS[name], [{**payload, "newer": {"field": 1}}])


@pytest.mark.parametrize(("name", "change", "fields"), WRONG, ids=str)
def test_what_is_wrong_is_refused_by_name(name: str, change: dict[str, Any], fields: list[str]) -> None:
    """Types are strict, bounds hold, and the refusal lists the offending paths in the order of the model."""
    with refused(ErrorCode.REQUEST_INVALID) as refusal:
        parse(CLIENT_EVENTS[name], [{**VALID[name], **change}])
    assert fields == refusal.fields
    assert refusal.error is not None
    assert refusal.error.message.startswith(f"{fields[0]}: ")


@pytest.mark.parametrize("name", CLIENT_EVENTS)
def test_missing_fields_are_named(name: str) -> None:
    """An empty object is understood or refused with the fields that it lacks."""
    understood = outcome(lambda: parse(CLIENT_EVENTS[name], [{}]))
    if isinstance(understood, HomeroomError):
        whole = name in {"join-session", "room:open"}  # not an object, and of no known kind
        assert (ErrorCode.REQUEST_INVALID, whole) == (understood.code, not understood.fields)
    else:
        assert "room:list" == name


@pytest.mark.parametrize("name", CLIENT_EVENTS)
@pytest.mark.parametrize("args", [[], [{}, {}], [None], [[]], [1], ["\ud800"], [""], [b"x"], [True]], ids=repr)
def test_an_event_takes_one_object(name: str, args: list[object]) -> None:
    """No argument, two of them, or something that is no object: `request.invalid`."""
    with refused(ErrorCode.REQUEST_INVALID) as refusal:
        parse(CLIENT_EVENTS[name], args)
    assert refusal.error is not None
    orjson.dumps(refusal.error.to_wire())


anything = st.text(st.characters(exclude_categories=()), max_size=5)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    anything,
    st.binary(max_size=3),
    st.sampled_from(["group", "direct", "r", "online", "x" * 10_000]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3), max_leaves=6
)


@pytest.mark.parametrize("name", CLIENT_EVENTS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_payload_breaks_it(name: str, data: st.DataObject) -> None:
    """Any value in any place is understood or `request.invalid`, and the refusal itself can be sent."""
    payload: Any = data.draw(values)
    if isinstance(VALID[name], dict) and data.draw(st.booleans()):
        field = data.draw(st.sampled_from(sorted(VALID[name])))
        payload = {**VALID[name], field: payload, data.draw(anything): data.draw(values)}
    understood = outcome(lambda: parse(CLIENT_EVENTS[name], [payload]))
    if isinstance(understood, HomeroomError):
        assert ErrorCode.REQUEST_INVALID == understood.code
        assert isinstance(understood.fields, list)
        orjson.dumps(understood.to_wire())


def test_a_refusal_can_be_sent_whatever_it_quotes() -> None:
    """A lone surrogate where a kind is expected must not come back inside the message: it cannot be encoded."""
    with refused(ErrorCode.REQUEST_INVALID) as refusal:
        parse(CLIENT_EVENTS["room:open"], [{"kind": "\ud800", "title": "Algebra"}])
    assert refusal.error is not None
    orjson.dumps(refusal.error.to_wire())


@pytest.mark.parametrize("extra", [{"x": "\ud800"}, {"\ud800": 1}, {"x": 10**30}, {"x": [[]]}], ids=repr)
def test_what_travels_unchanged_can_be_sent(extra: dict[str, Any]) -> None:
    """Fields of the minimal contract that are passed on must fit JSON: refused before the message is stored."""
    if extra == {"x": [[]]}:
        deep: Any = []
        for _ in range(600):
            deep = [deep]
        extra = {"x": deep}
    with refused(ErrorCode.REQUEST_INVALID):
        parse(CLIENT_EVENTS["send-message"], [{**VALID["send-message"], **extra}])


async def test_every_event_has_one_handler(app: App) -> None:
    """The families together answer exactly the events of the registry, none of them twice."""
    services, hub = app.services, app.hub
    roster = Roster(hub, app.fanout, timers=FakeTime(), grace_s=1, broadcast_members=100)
    families = [
        rooms.handlers(services, hub, roster),
        messages.handlers(services),
        receipts.handlers(services),
        presence.handlers(services, hub, 1),
        connection.handlers(app.edge.renew),
        compat.handlers(services, hub, roster),
    ]
    assert sorted(CLIENT_EVENTS) == sorted(name for family in families for name in family)


def test_events_are_named_alike() -> None:
    """`family:what`, but for the minimal contract; each has a sentence for the reference."""
    for name, event in CLIENT_EVENTS.items():
        assert name == event.name
        assert ":" in name or name in {"join-session", "send-message"}
        assert event.summary.endswith(".")
