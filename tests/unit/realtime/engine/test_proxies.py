"""realtime.engine.proxies: where a connection comes from, as far as those who say so are trusted."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.errors import SettingRefused
from realtime.engine.proxies import (
    BadProxyHeader,
    Proxies,
    ProxyHeader,
    client_key,
    plain_address,
    read_proxy_header,
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V4 = ipaddress.IPv4Address("203.0.113.7").packed
V6 = ipaddress.IPv6Address("2001:db8::7").packed
PORTS = struct.pack("!HH", 4711, 8080)
TLVS = bytes.fromhex("030004aabbccdd") + b"\x02\x00\x04chat"


def version_2(command: int, family: int, rest: bytes) -> bytes:
    """Return a header of version 2."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest)) + rest


HEADERS: dict[bytes, str | None] = {
    b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 8080\r\n": "203.0.113.7",
    b"PROXY TCP4 203.0.113.7 10.0.0.1 0 65535\r\n": "203.0.113.7",
    b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 8080\r\n": "2001:db8::7",
    b"PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::1 4711 8080\r\n": "2001:db8::7",
    b"PROXY TCP6 ::ffff:203.0.113.7 ::1 4711 8080\r\n": "203.0.113.7",
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n": None,
    version_2(0x21, 0x11, V4 + V4 + PORTS): "203.0.113.7",
    version_2(0x21, 0x11, V4 + V4 + PORTS + TLVS): "203.0.113.7",
    version_2(0x21, 0x21, V6 + V6 + PORTS): "2001:db8::7",
    version_2(0x21, 0x21, V6 + V6 + PORTS + TLVS): "2001:db8::7",
    version_2(0x21, 0x21, b"\0" * 10 + b"\xff\xff" + V4 + V6 + PORTS): "203.0.113.7",
    version_2(0x21, 0x00, b""): None,
    version_2(0x21, 0x00, TLVS): None,
    version_2(0x21, 0x31, b"/socket".ljust(216, b"\0")): None,
    version_2(0x21, 0x12, V4 + V4 + PORTS): None,
    version_2(0x20, 0x00, b""): None,
    version_2(0x20, 0x11, V4 + V4 + PORTS): None,
    version_2(0x20, 0x11, b""): None,
}


@pytest.mark.parametrize(("data", "address"), HEADERS.items())
@pytest.mark.parametrize("behind", [b"", b"GET / HTTP/1.1\r\n\r\n", b"PROXY UNKNOWN\r\n"])
def test_a_header_is_read(data: bytes, address: str | None, behind: bytes) -> None:
    """Both versions, both families, nobody in particular; what is behind it is not touched."""
    assert ProxyHeader(address, len(data)) == read_proxy_header(data + behind)


@pytest.mark.parametrize("data", HEADERS)
def test_part_of_a_header_is_waited_for(data: bytes) -> None:
    """Wherever it was cut, the rest may still come."""
    assert [None] * len(data) == [read_proxy_header(data[:end]) for end in range(len(data))]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\r\n\r\nGET",
        b"proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
        b"PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n",
        b"PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n",
        b"PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n",
        b"PROXY TCP4 ::1 ::1 1 1\r\n",
        b"PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n\r\n",
        b"PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n",
        b"PROXY UNKNOWNS\r\n",
        b"PROXY " + b"x" * 101,
        b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
        version_2(0x11, 0x11, V4 + V4 + PORTS),
        version_2(0x22, 0x11, V4 + V4 + PORTS),
        version_2(0x21, 0x13, V4 + V4 + PORTS),
        version_2(0x21, 0x41, V4 + V4 + PORTS),
        version_2(0x21, 0x11, V4 + V4),
        version_2(0x21, 0x21, V4 + V4 + PORTS),
        SIGNATURE + b"\x21\x11\xff\xff",
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    """Another protocol, a version that is not there, addresses of the wrong kind, more than anybody has to say."""
    with pytest.raises(BadProxyHeader):
        read_proxy_header(data)


@given(st.sampled_from(sorted(HEADERS)), st.data())
def test_no_bytes_break_the_reader(header: bytes, data: st.DataObject) -> None:
    """A header with bytes changed, taken out or put in is read, waited for or refused, and nothing else happens."""
    raw = bytearray(header)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        raw[start : start + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        found = read_proxy_header(bytes(raw))
    except BadProxyHeader:
        return
    if found is not None:
        assert 0 < found.length <= len(raw)
        assert found.address is None or str(ipaddress.ip_address(found.address)) == found.address


@given(st.binary(max_size=200))
def test_random_bytes_break_nothing(raw: bytes) -> None:
    """Noise is refused, or waited for while it may become a header."""
    for data in (raw, SIGNATURE + raw, b"PROXY " + raw):
        try:
            read_proxy_header(data)
        except BadProxyHeader:
            continue


@given(st.ip_addresses(), st.ip_addresses(v=4), st.integers(0, 65535), st.integers(0, 65535))
def test_any_client_is_named(client: Address, own: ipaddress.IPv4Address, port: int, to: int) -> None:
    """What a proxy writes in either version is what is read, and both say the same."""
    other = own if client.version == 4 else ipaddress.IPv6Address(b"\x20\x01" + own.packed + b"\0" * 10)
    line = f"PROXY TCP{client.version} {client} {other} {port} {to}\r\n".encode()
    binary = version_2(
        0x21, 0x11 if client.version == 4 else 0x21, client.packed + other.packed + struct.pack("!HH", port, to)
    )
    expected = plain_address(str(client))
    assert [expected, expected] == [found.address for data in (line, binary) if (found := read_proxy_header(data))]


@pytest.mark.parametrize(
    ("setting", "address", "expected"),
    [
        ("", "127.0.0.1", False),
        (" , ", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "::ffff:127.0.0.1", True),
        ("10.0.0.0/8, fd00::/8", "10.255.1.2", True),
        ("10.0.0.0/8, fd00::/8", "fd12::1", True),
        ("10.0.0.0/8, fd00::/8", "11.0.0.1", False),
        ("::1", "::1", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("0.0.0.0/0", "::1", False),
        ("0.0.0.0/0", "", False),
        ("0.0.0.0/0", "@unix", False),
        ("0.0.0.0/0", "1" * 10_000, False),
    ],
)
def test_who_is_trusted(setting: str, address: str, *, expected: bool) -> None:
    """Whoever is named, alone or in a network; nobody if nobody is."""
    assert expected == Proxies(setting).trusts(address)


@pytest.mark.parametrize("setting", ["proxy.example", "10.0.0.1/8", "10.0.0.0/33", "1.2.3", "127.0.0.1 ::1", "*"])
def test_a_bad_setting_is_refused_in_words(setting: str) -> None:
    """The operator reads which setting, and which part of it."""
    with pytest.raises(SettingRefused, match="HOMEROOM_TRUSTED_PROXIES") as refused:
        Proxies(f"127.0.0.1,{setting}")
    assert repr(setting) in str(refused.value)


OURS = Proxies("10.0.0.0/8,fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", " 203.0.113.7\t", "203.0.113.7"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.7, 10.0.0.2,fd00::3", "203.0.113.7"),
        ("10.0.0.1", "10.9.9.9, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "2001:DB8::7", "2001:db8::7"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7,", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7," + ",".join(["10.0.0.2"] * 100), "10.0.0.2"),
        ("203.0.113.9", "203.0.113.7", "203.0.113.9"),
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("", "203.0.113.7", ""),
    ],
)
def test_the_nearest_stranger_is_the_client(peer: str, forwarded_for: str | None, expected: str) -> None:
    """What is left of the nearest stranger is invented by that stranger, and a stranger's header is not read at all."""
    assert expected == OURS.client(peer, forwarded_for)


@given(st.ip_addresses(), st.text(max_size=60), st.sampled_from(["10.0.0.1", "fd00::1", "203.0.113.9", ""]))
def test_a_client_invents_nothing(client: Address, invented: str, peer: str) -> None:
    """Whatever a client writes into the header, its own address behind it, from our proxy, is what counts."""
    seen = plain_address(str(client))
    expected = seen if OURS.trusts(peer) else peer
    if not OURS.trusts(seen):
        assert expected == OURS.client(peer, f"{invented}, {client}")


@pytest.mark.parametrize(
    ("address", "plain", "key"),
    [
        (None, "", ""),
        ("", "", ""),
        ("@unix", "@unix", "@unix"),
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("a:b", "a:b", "a:b"),
    ],
)
def test_one_client_has_one_name(address: str | None, plain: str, key: str) -> None:
    """IPv4 is IPv4 inside IPv6 too; a client owns a whole IPv6 /64, so that counts as one."""
    assert plain == plain_address(address)
    assert key == client_key(plain)
