"""Whatever a client sends, the packet parser takes it as python-socketio's codec does, or calls it malformed."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from socketio import packet as sio_packet

from realtime.engine.packets import ACK, CONNECT, DISCONNECT, EVENT, Incomplete, Malformed, Packet, decode
from tests.support.mutations import mutated

BINARY = {sio_packet.BINARY_EVENT: EVENT, sio_packet.BINARY_ACK: ACK}
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8)
JSON = st.recursive(LEAVES, lambda of: st.lists(of, max_size=3) | st.dictionaries(st.text(max_size=4), of, max_size=3))
NAMESPACES = st.sampled_from(["", "/admin,", "/,", "/a/b?c=1,", "/é,"])
IDS = st.just("") | st.integers(0, 10**20).map(str)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """A packet as a client may write it, of any type."""
    kind = draw(st.sampled_from("0123456"))
    attachments = f"{draw(st.integers(0, 20))}-" if kind in "56" else ""
    data = b"" if draw(st.booleans()) and kind in "014" else orjson.dumps(draw(st.lists(JSON, max_size=3) | JSON))
    return f"4{kind}{attachments}{draw(NAMESPACES)}{draw(IDS)}".encode() + data


MESSAGES = st.one_of(written(), written().flatmap(mutated), st.binary(max_size=40).map(b"4".__add__))


def oracle(message: bytes) -> sio_packet.Packet:
    """Return what python-socketio makes of a message. Raises whatever it does."""
    return sio_packet.Packet(encoded_packet=message[1:].decode())


def told(packet: Packet) -> tuple[Any, ...]:
    """Return all that a packet says."""
    return packet.kind, packet.namespace, packet.ack_id, repr(packet.data)


def told_by(packet: sio_packet.Packet) -> tuple[Any, ...]:
    """Return the same of the oracle's."""
    kind = BINARY.get(packet.packet_type, packet.packet_type)
    ack_id = packet.id if kind in {EVENT, ACK} else None
    data = None if kind == DISCONNECT else packet.data
    return kind, packet.namespace or "/", ack_id, repr(data)


@given(MESSAGES)
@settings(max_examples=1500)
def test_what_is_taken_is_what_the_codec_says(message: bytes) -> None:
    """Nothing but Malformed is raised, and what is taken the codec takes too, as the same."""
    try:
        packet = decode(message)
    except Malformed:
        return
    if isinstance(packet, Packet):
        assert told_by(oracle(message)) == told(packet)
        assert len(message) == packet.size
    else:
        assert oracle(message).attachment_count > 0


@given(written())
@settings(max_examples=500)
def test_what_a_client_may_write_is_taken(message: bytes) -> None:
    """Of what the codec takes, only what no client may send is refused: not an event, not for us, too much."""
    try:
        expected = oracle(message)
    except (ValueError, KeyError, IndexError, TypeError):
        with pytest.raises(Malformed):
            decode(message)
        return
    kind, data = BINARY.get(expected.packet_type, expected.packet_type), expected.data
    wrong = (
        kind not in {CONNECT, DISCONNECT, EVENT, ACK}
        or expected.attachment_count > 16
        or (kind == ACK and not expected.attachment_count and not isinstance(data, list))
        or (kind == EVENT and not expected.attachment_count and not (isinstance(data, list) and data))
        or (kind == CONNECT and not isinstance(data, dict | None))
    )
    if wrong:
        with pytest.raises(Malformed):
            decode(message)
    else:
        assert isinstance(decode(message), Incomplete if expected.attachment_count else Packet)


@given(MESSAGES, st.lists(st.binary(max_size=8), min_size=1, max_size=17))
@settings(max_examples=500)
def test_attachments_complete_a_packet_or_end_it(message: bytes, attachments: list[bytes]) -> None:
    """Announced bytes find their places, or the packet is malformed; its size is that of all parts."""
    try:
        packet = decode(message)
        size = len(message)
        for attachment in attachments:
            if not isinstance(packet, Incomplete):
                break
            size += len(attachment)
            packet = packet.add(attachment) or packet
    except Malformed:
        return
    assert size == packet.size


@pytest.mark.parametrize("depth", [400, 600, 1000, 1100, 30_000])
@pytest.mark.parametrize("start", ["42", "421", "42/admin,", "43", "40", "451-", "461-7"])
def test_depth_is_no_way_in(start: str, depth: int) -> None:
    """JSON nested beyond reason is malformed, with attachments to be put into it or not."""
    place = '{"_placeholder":true,"num":0}'
    message = f'4{start[1:]}["e",{"[" * depth}{place}{"]" * depth}]'.encode()
    try:
        packet = decode(message)
        if isinstance(packet, Incomplete):
            packet.add(b"bytes")
    except Malformed:
        pass
