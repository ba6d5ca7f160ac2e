"""realtime.engine.head: what could be read in two ways is not read at all."""

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.engine.head import (
    HEAD_BYTES,
    HEADERS,
    Head,
    HeadRefused,
    body_length,
    check_websocket,
    parse_head,
    tokens,
    wants_websocket,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = {
    "Host": "chat.school.example",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}
NAMES = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1, max_size=20)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=40)


def written(request: str = "GET / HTTP/1.1", *lines: str) -> bytes:
    """Return the bytes of a head."""
    return "\r\n".join([request, *lines, "", ""]).encode("latin-1")


def handshake(*more: str, request: str = "GET /socket.io/ HTTP/1.1", **changed: str | None) -> Head:
    """Return a websocket's handshake with some headers changed, or left out if None."""
    headers = HANDSHAKE | {name.replace("_", "-"): value for name, value in changed.items()}
    return parse_head(written(request, *(f"{name}: {value}" for name, value in headers.items() if value), *more))


def test_a_head_is_read() -> None:
    """Names in lower case, values without the blanks around them, several of one name in their order."""
    head = parse_head(written("POST /a?b=%20c HTTP/1.1", "Host: a", "X-Two:1", "x-two: \t2 ", "Empty:"))
    headers = {"host": "a", "x-two": "1, 2", "empty": ""}
    assert Head("POST", "/a?b=%20c", "HTTP/1.1", headers, frozenset({"x-two"})) == head


def test_a_head_without_headers_is_read() -> None:
    """HTTP/1.0 asks for none."""
    assert Head("GET", "/", "HTTP/1.0", {}) == parse_head(b"GET / HTTP/1.0\r\n\r\n")


@given(st.lists(st.tuples(NAMES, VALUES), max_size=20))
def test_what_was_written_is_read(headers: list[tuple[str, str]]) -> None:
    """Any tokens and printable values, Latin-1 among them, come out as they were, joined where a name is repeated."""
    head = parse_head(written("GET / HTTP/1.1", *(f"{name}: {value}" for name, value in headers)))
    names = [name.lower() for name, _ in headers]
    values = {name: [value.strip(" \t") for other, value in headers if other.lower() == name] for name in names}
    assert {name: ", ".join(several) for name, several in values.items()} == head.headers
    assert {name for name in names if names.count(name) > 1} == head.repeated


@pytest.mark.parametrize(
    "data",
    [
        written("GET  / HTTP/1.1"),
        written("GET /  HTTP/1.1"),
        written(" GET / HTTP/1.1"),
        written("GET / HTTP/1.1 "),
        written("GET / http/1.1"),
        written("GET / HTTP/11"),
        written("GET /"),
        written("GET /\tHTTP/1.1"),
        written("GET /ä HTTP/1.1"),
        written("G(T / HTTP/1.1"),
        written("\r\nGET / HTTP/1.1"),
        written("GET / HTTP/1.1", "Host : a"),
        written("GET / HTTP/1.1", " Host: a"),
        written("GET / HTTP/1.1", "Host: a", " folded"),
        written("GET / HTTP/1.1", "Host: a", "\tfolded: b"),
        written("GET / HTTP/1.1", "no colon"),
        written("GET / HTTP/1.1", ": no name"),
        written("GET / HTTP/1.1", "Ho st: a"),
        written("GET / HTTP/1.1", "Hö: a"),
        written("GET / HTTP/1.1", "Host: a\0b"),
        written("GET / HTTP/1.1", "Host: a\nb: c"),
        written("GET / HTTP/1.1", "Host: a\rb: c"),
        written("GET / HTTP/1.1", "Host: a\x7f"),
        written("GET / HTTP/1.1", "Host: a\x0bb"),
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbehind",
        b"\r\n\r\n",
        b"",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(data: bytes) -> None:
    """Blanks where none belong, folded lines, bare line ends, control characters, names that are no tokens."""
    with pytest.raises(HeadRefused) as refused:
        parse_head(data)
    assert 400 == refused.value.status


@pytest.mark.parametrize("version", ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0"])
def test_another_version_is_named(version: str) -> None:
    """Who speaks another version is told so."""
    with pytest.raises(HeadRefused) as refused:
        parse_head(written(f"GET / {version}"))
    assert 505 == refused.value.status


def test_a_head_has_a_size() -> None:
    """The last byte and the last header that fit are taken, one more is too large."""
    fill = HEAD_BYTES - len(written("GET / HTTP/1.1", "a: "))
    assert "b" * fill == parse_head(written("GET / HTTP/1.1", f"a: {'b' * fill}")).headers["a"]
    assert HEADERS == len(parse_head(written("GET / HTTP/1.1", *(f"a{n}: b" for n in range(HEADERS)))).headers)
    for lines in ([f"a: {'b' * (fill + 1)}"], [f"a{n}: b" for n in range(HEADERS + 1)]):
        with pytest.raises(HeadRefused) as refused:
            parse_head(written("GET / HTTP/1.1", *lines))
        assert 431 == refused.value.status


@given(st.data())
def test_no_bytes_break_the_parser(data: st.DataObject) -> None:
    """A sound head with bytes changed, taken out or put in is read or refused, and nothing else happens."""
    raw = bytearray(written("GET /socket.io/ HTTP/1.1", *(f"{name}: {value}" for name, value in HANDSHAKE.items())))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        raw[start : start + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with suppress(HeadRefused):
        check_websocket(parse_head(bytes(raw)))


def test_a_handshake_is_taken() -> None:
    """What browsers send, Firefox' `keep-alive, Upgrade` too."""
    head = handshake()
    check_websocket(head)
    assert wants_websocket(head)


@pytest.mark.parametrize(
    ("upgrade", "connection", "expected"),
    [
        ("websocket", "Upgrade", True),
        ("WebSocket", "UPGRADE", True),
        ("h2c, websocket", "keep-alive ,upgrade", True),
        ("websockets", "upgrade", False),
        ("websocket", "keep-alive", False),
        ("websocket", None, False),
        (None, "upgrade", False),
    ],
)
def test_who_wants_a_websocket(upgrade: str | None, connection: str | None, *, expected: bool) -> None:
    """Both headers say it (RFC 6455 §4.2.1), as one of their members, in any case."""
    assert expected == wants_websocket(handshake(Upgrade=upgrade, Connection=connection))


@pytest.mark.parametrize("again", [f"{name}: {value}" for name, value in HANDSHAKE.items()])
def test_what_may_come_once_is_refused_twice(again: str) -> None:
    """Another program may heed the other one."""
    with pytest.raises(HeadRefused, match="once"):
        check_websocket(handshake(again))


@pytest.mark.parametrize("body", ["Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked"])
def test_a_handshake_has_no_body(body: str) -> None:
    """What one takes for a body, another takes for frames."""
    with pytest.raises(HeadRefused, match="body"):
        check_websocket(handshake(body))


@pytest.mark.parametrize("key", [None, "", "short==", KEY[:-1], f"{KEY}=", "A" * 24, "dGhlIHNhbXBsZSBub25jZR=="])
def test_a_key_is_sixteen_bytes(key: str | None) -> None:
    """RFC 6455 §4.2.1, 5."""
    with pytest.raises(HeadRefused, match="key"):
        check_websocket(handshake(Sec_WebSocket_Key=key))


@pytest.mark.parametrize("version", [None, "8", "13, 8", "013"])
def test_a_version_of_websockets_is_asked_for(version: str | None) -> None:
    """RFC 6455 §4.4: 426, so that the client may try again with ours."""
    with pytest.raises(HeadRefused) as refused:
        check_websocket(handshake(Sec_WebSocket_Version=version))
    assert 426 == refused.value.status


@pytest.mark.parametrize(
    "head",
    [
        handshake(request="GET /socket.io/ HTTP/1.0"),
        handshake(request="POST /socket.io/ HTTP/1.1"),
        handshake(Host=None),
        handshake(Host="a, b"),
    ],
)
def test_a_handshake_is_a_get_of_one_host(head: Head) -> None:
    """Of HTTP/1.1 (RFC 6455 §4.2.1, 1 and 2)."""
    with pytest.raises(HeadRefused):
        check_websocket(head)


def test_members_of_a_list() -> None:
    """Lower case, without the blanks between them."""
    assert ["a", "b c", ""] == tokens("A,\tb C ,")
    assert [] == tokens(None)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], 0),
        (["Content-Length: 0"], 0),
        (["content-LENGTH:12 "], 12),
        (["Content-Length: 1", "Content-Length: 2"], None),
        (["Content-Length: 1, 2"], None),
        (["Content-Length: -1"], None),
        (["Content-Length : 1"], None),
        (["Content-Length-Of: 1"], None),
        (["Transfer-Encoding: chunked"], None),
        (["Content-Length: 1", "Transfer-Encoding: chunked"], None),
    ],
)
def test_the_length_of_a_body(lines: list[str], expected: int | None) -> None:
    """Known if the head says it in one way only."""
    assert expected == body_length(written("POST / HTTP/1.1", *lines).lower())
