"""Whose word is believed about where a connection comes from: the PROXY protocol and X-Forwarded-For. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from auth.errors import SettingRefused

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_V1: Final = b"PROXY "
_V1_BYTES: Final = 107
_V1_LINE: Final = re.compile(rb"PROXY (TCP[46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (\d{1,5}) (\d{1,5})\r\n")
_V2: Final = b"\r\n\r\n\0\r\nQUIT\n"
_V2_BYTES: Final = 16
_V2_REST_BYTES: Final = 4096
"""Most bytes of addresses and extensions: a proxy that sends a client's certificate along needs some 2,000."""

_HOPS: Final = 32
"""Most proxies between a client and us; nobody makes us read a longer way."""

_ADDRESS_CHARS: Final = 64
"""Longer than any address with its zone, so that only short strings are remembered."""

_LOCAL, _PROXY = 0x20, 0x21
_V2_ADDRESSES: Final = {0x11: (4, 12), 0x21: (16, 36)}
"""Bytes of the client's address, and of all addresses, of TCP over IPv4 and IPv6."""

_V2_FAMILIES: Final = frozenset({0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32})


class BadProxyHeader(Exception):
    """What a connection begins with is no header of the PROXY protocol."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A header of the PROXY protocol: `length` bytes that name the client's address, or None if they name none."""

    address: str | None
    length: int


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """Return the header, of version 1 or 2, that `data` begins with; None if more bytes are needed to tell.

    Raises BadProxyHeader. https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
    """
    if data.startswith(_V1[: len(data)]):
        return _version_1(data)
    if data.startswith(_V2[: len(data)]):
        return _version_2(data)
    raise BadProxyHeader


def _version_1(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\r\n", 0, _V1_BYTES) + 2
    if end < 2:
        if len(data) >= _V1_BYTES:
            raise BadProxyHeader
        return None
    line = data[:end]
    if line == b"PROXY UNKNOWN\r\n" or line.startswith(b"PROXY UNKNOWN "):
        return ProxyHeader(None, end)
    match = _V1_LINE.fullmatch(line)
    if match is None or not all(_is_port(port) for port in match.group(4, 5)):
        raise BadProxyHeader
    kind = ipaddress.IPv4Address if match[1] == b"TCP4" else ipaddress.IPv6Address
    try:
        client, _ = (kind(text.decode()) for text in match.group(2, 3))
    except ValueError as exc:
        raise BadProxyHeader from exc
    return ProxyHeader(str(_unmapped(client)), end)


def _is_port(digits: bytes) -> bool:
    return int(digits) <= 65_535 and (digits == b"0" or not digits.startswith(b"0"))


def _version_2(data: bytes) -> ProxyHeader | None:
    if len(data) < _V2_BYTES:
        return None
    command, family = data[12], data[13]
    rest = int.from_bytes(data[14:16], "big")
    if command not in {_LOCAL, _PROXY} or family not in _V2_FAMILIES or rest > _V2_REST_BYTES:
        raise BadProxyHeader
    size, addresses = _V2_ADDRESSES.get(family, (0, 0))
    if command == _PROXY and rest < addresses:
        raise BadProxyHeader
    length = _V2_BYTES + rest
    if len(data) < length:
        return None
    if command == _LOCAL or not size:
        return ProxyHeader(None, length)
    return ProxyHeader(str(_unmapped(ipaddress.ip_address(data[_V2_BYTES : _V2_BYTES + size]))), length)


class Proxies:
    """The proxies whose word is believed. Raises auth.errors.SettingRefused for a setting that cannot be read."""

    def __init__(self, setting: str) -> None:
        self._networks = [_network(entry.strip()) for entry in setting.split(",") if entry.strip()]

    def __bool__(self) -> bool:
        return bool(self._networks)

    def trusts(self, address: str) -> bool:
        """Whether `address` is a proxy of ours."""
        if not self._networks:
            return False
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def client(self, peer: str, forwarded_for: str | None) -> str:
        """Return where a request comes from that `peer` sent with this X-Forwarded-For: the nearest that is not ours.

        Each proxy adds on the right whom it heard the request from, so what is left of a stranger is the stranger's
        own invention. An entry that is no address ends the search: the proxy that wrote it is all that is known.
        """
        if forwarded_for is None or not self.trusts(peer):
            return peer
        nearest = peer
        for entry in reversed(forwarded_for.rsplit(",", _HOPS)[-_HOPS:]):
            parsed = _parse(_without_port(entry.strip()))
            if parsed is None:
                break
            nearest = str(parsed)
            if not self.trusts(nearest):
                break
        return nearest


def plain_address(text: str | None) -> str:
    """Return an address of a socket as it is written everywhere else: IPv4 inside IPv6 is IPv4."""
    if not text:
        return ""
    if ":" not in text:
        return text
    parsed = _parse(text)
    return text if parsed is None else str(parsed)


def client_key(address: str) -> str:
    """Return what stands for one network client: its IPv4 address, or its IPv6 /64, which one client owns whole."""
    if ":" not in address:
        return address
    parsed = _parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address if parsed is None else str(parsed)


def _parse(text: str) -> _Address | None:
    return _parse_short(text) if len(text) <= _ADDRESS_CHARS else None


@lru_cache(maxsize=1024)
def _parse_short(text: str) -> _Address | None:
    """Return an address without its IPv6 zone, which means something on its own machine only."""
    try:
        return _unmapped(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def _unmapped(address: _Address) -> _Address:
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    host, colon, port = entry.partition(":")
    return host if colon and port.isdecimal() else entry


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        text = f"HOMEROOM_TRUSTED_PROXIES: {entry!r} is no address, nor a network such as 10.0.0.0/8 without host bits."
        raise SettingRefused(text) from None
