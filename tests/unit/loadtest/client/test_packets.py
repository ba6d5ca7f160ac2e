"""Packets: what is written can be read, and whatever comes is a packet or one named error."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.client import packets
from loadtest.client.packets import Kind, NotAPacket, Opening, Packet

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=6,
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]))
ACK_IDS = st.none() | st.integers(0, 10**15 - 1)
SOUND = [
    b'0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536}',
    b"1",
    b"2",
    b"6",
    b"40",
    b'40{"sid":"a"}',
    b"41",
    b'42["ready",{}]',
    b'4217["ask",{"a":[1,2.5,null]}]',
    b'437[{"ok":true,"data":{}}]',
    b'44{"message":"no","data":{"code":"auth.forbidden"}}',
]


@given(NAMES, VALUES, ACK_IDS)
def test_events_round_trip(name: str, payload: object, ack_id: int | None) -> None:
    """An event is read as it was written, with any JSON and any ack id, and holds no separator of packets."""
    written = packets.event(name, payload, ack_id)
    assert Packet(Kind.EVENT, [name, payload], ack_id) == packets.parse(written)
    assert packets.SEPARATOR not in written


@given(st.integers(0, 10**15 - 1), st.lists(VALUES, max_size=2))
def test_acks_are_read(ack_id: int, arguments: list[object]) -> None:
    """An ack gives its id and arguments."""
    assert Packet(Kind.ACK, arguments, ack_id) == packets.parse(b"43%d%b" % (ack_id, orjson.dumps(arguments)))


@given(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=5))
def test_polling_payloads_round_trip(events: list[tuple[str, object]]) -> None:
    """Packets that were joined are split again at the same places."""
    written = [packets.event(name, payload) for name, payload in events]
    assert written == packets.split(packets.join(written))


@given(
    st.binary()
    | st.sampled_from([b"42", b"43", b"40", b"44", b"0"]).flatmap(lambda head: st.binary().map(head.__add__))
)
def test_any_bytes_are_a_packet_or_one_error(data: bytes) -> None:
    """Nothing but NotAPacket is raised, whatever comes."""
    try:
        packet = packets.parse(data)
    except NotAPacket:
        return
    assert isinstance(packet.kind, Kind)


@given(st.sampled_from(SOUND), st.data())
def test_damaged_packets_are_a_packet_or_one_error(sound: bytes, data: st.DataObject) -> None:
    """Nor is it when a sound packet has bytes cut out of it and others put in their place."""
    start = data.draw(st.integers(0, len(sound)))
    end = data.draw(st.integers(start, len(sound)))
    damaged = sound[:start] + data.draw(st.binary(max_size=4)) + sound[end:]
    try:
        packet = packets.parse(damaged)
    except NotAPacket:
        return
    assert isinstance(packet.kind, Kind)


def test_the_opening_says_how_the_connection_works() -> None:
    """The server's times and sizes are taken over; a size left out has the protocol's default."""
    assert Packet(Kind.OPEN, Opening("a", 25_000, 20_000, 65_536)) == packets.parse(SOUND[0])
    assert 100_000 == packets.parse(b'0{"sid":"a","pingInterval":1,"pingTimeout":1}').data.max_payload


@pytest.mark.parametrize(
    ("data", "packet"),
    [
        (b"1", Packet(Kind.CLOSE)),
        (b"2", Packet(Kind.PING)),
        (b"6", Packet(Kind.NOOP)),
        (b"40", Packet(Kind.CONNECT, {})),
        (b'40{"sid":"a"}', Packet(Kind.CONNECT, {"sid": "a"})),
        (b"41", Packet(Kind.DISCONNECT)),
        (b'44{"message":"no"}', Packet(Kind.CONNECT_ERROR, {"message": "no"})),
    ],
)
def test_each_kind_is_read(data: bytes, packet: Packet) -> None:
    """The packets without arguments are what they say."""
    assert packet == packets.parse(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"3",
        b"9",
        b"2probe",
        b"4",
        b"42",
        b"42{}",
        b"42[]",
        b"42[1]",
        b'42x["a"]',
        b'42["a"',
        b'42["a\xff"]',
        b'42/admin,["a",{}]',
        b'421234567890123456["a"]',
        b"43[{}]",
        b"40[]",
        b"40/admin,{}",
        b"44",
        b'451-["a",{"_placeholder":true,"num":0}]',
        b"0",
        b"0[]",
        b'0{"sid":1,"pingInterval":1,"pingTimeout":1}',
        b'0{"sid":"a","pingInterval":0,"pingTimeout":1}',
        b'0{"sid":"a","pingInterval":true,"pingTimeout":1}',
        b'0{"sid":"a","pingInterval":1}',
        b"garbage",
    ],
)
def test_what_is_no_packet_is_shown(data: bytes) -> None:
    """Other namespaces, binary packets and damage raise NotAPacket, whose message shows the beginning."""
    with pytest.raises(NotAPacket) as refused:
        packets.parse(data)
    assert repr(data[:60]) in str(refused.value)


def test_the_same_event_is_read_once() -> None:
    """What reaches many people of a process is one packet for all of them; a long one, or an ack, is read anew."""
    short, long = (packets.event("message:new", {"body": "x" * size}) for size in (1, packets.MEMORABLE))
    assert packets.parse(short).data is packets.parse(bytes(bytearray(short))).data
    assert packets.parse(long) == packets.parse(long)
    assert packets.parse(long).data is not packets.parse(long).data
    assert packets.parse(b"431[{}]").data is not packets.parse(b"431[{}]").data
