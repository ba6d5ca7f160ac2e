"""Heads of HTTP/1.1 requests, read strictly (RFC 9112). Pure.

Two programs that read one head differently are how requests are smuggled past a proxy, so whatever could be read in two
ways is refused: folded lines, a bare CR or LF, blanks before a colon, control characters, and what a websocket's
handshake must not have twice.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

HEAD_BYTES: Final = 16_384
"""Longest head of a request, with the empty line behind it."""

HEADERS: Final = 100
"""Most header lines of a request."""

_NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST: Final = re.compile(rf"({_NAME}) ([\x21-\x7e]+) (HTTP/\d\.\d)")
# Possessive (`++`), so that a long line which does not match costs one pass.
_HEADERS: Final = re.compile(rf"(?:\r\n{_NAME}+:[\t\x20-\x7e\x80-\xff]*+)*+")
_KEY: Final = re.compile(r"[A-Za-z0-9+/]{21}[AQgw]==")
_VERSION: Final = "13"
_ONCE: Final = ("host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version")
_NO_BODY: Final = ("content-length", "transfer-encoding")
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n")


class HeadRefused(Exception):
    """A head that is not taken. The message is a sentence for whoever wrote the client."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """What a request says before its body. Header names are lower case; values of one name are joined by `, `."""

    method: str
    target: str
    version: str
    headers: dict[str, str]
    repeated: frozenset[str] = frozenset()
    """Names of the headers that came more than once."""


def parse_head(data: bytes) -> Head:
    """Return the head of `data`, which ends with its first empty line. Raises HeadRefused."""
    if len(data) > HEAD_BYTES:
        raise too_long()
    text = data[:-4].decode("latin-1")
    request = _REQUEST.match(text)
    if request is None or not data.endswith(b"\r\n\r\n"):
        raise HeadRefused("This is no HTTP/1.1 request.")
    if _HEADERS.fullmatch(text, request.end()) is None:
        raise HeadRefused("A header line is malformed.")
    method, target, version = request.groups()
    if version not in {"HTTP/1.1", "HTTP/1.0"}:
        raise HeadRefused("Only HTTP/1.1 is spoken here.", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
    return _head(method, target, version, text[request.end() + 2 :].split("\r\n"))


def _head(method: str, target: str, version: str, lines: list[str]) -> Head:
    if len(lines) > HEADERS:
        raise HeadRefused("There are too many headers.", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    headers: dict[str, str] = {}
    repeated: set[str] = set()
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if name in headers:
            repeated.add(name)
            headers[name] += f", {value}"
        elif name:  # without headers, the one line is empty
            headers[name] = value
    return Head(method, target, version, headers, frozenset(repeated))


def too_long() -> HeadRefused:
    """Return the refusal of a head of more than HEAD_BYTES."""
    return HeadRefused("The head of the request is too long.", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)


def body_length(lower: bytes) -> int | None:
    """Return the bytes of the body behind a head, given in lower case; None if only reading it will tell."""
    if b"\r\ntransfer-encoding" in lower:
        return None
    named = lower.count(b"\r\ncontent-length")
    if not named:
        return 0
    match = _LENGTH.search(lower)
    return int(match[1]) if match is not None and named == 1 else None


def tokens(value: str | None) -> list[str]:
    """Return the members of a comma-separated header, lower case."""
    return [member.strip(" \t").lower() for member in value.split(",")] if value else []


def wants_websocket(head: Head) -> bool:
    """Whether the request asks for the connection to become a websocket."""
    return "websocket" in tokens(head.headers.get("upgrade")) and "upgrade" in tokens(head.headers.get("connection"))


def check_websocket(head: Head) -> None:
    """Refuse a websocket handshake that RFC 6455 §4.2.1 does not allow, or that could be read in two ways.

    Raises HeadRefused.
    """
    headers = head.headers
    if head.method != "GET" or head.version != "HTTP/1.1":
        raise HeadRefused("A websocket begins with a GET of HTTP/1.1.")
    if head.repeated and (twice := [name for name in _ONCE if name in head.repeated]):
        raise HeadRefused(f"The header {twice[0]} may come once only.")
    if any(name in headers for name in _NO_BODY):
        raise HeadRefused("A websocket's handshake has no body.")
    if "," in (host := headers.get("host", "")) or not host:
        raise HeadRefused("The header host names one host.")
    if headers.get("sec-websocket-version") != _VERSION:
        raise HeadRefused("Only version 13 of the websocket protocol is spoken here.", HTTPStatus.UPGRADE_REQUIRED)
    if _KEY.fullmatch(headers.get("sec-websocket-key", "")) is None:
        raise HeadRefused("The header sec-websocket-key is not 16 bytes in base64.")
