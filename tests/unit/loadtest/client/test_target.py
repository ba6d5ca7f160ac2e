"""The address of the server, as people write it."""

import pytest

from loadtest.client.target import BadTarget, Target, parse_target


def test_a_target_says_where_to_connect() -> None:
    """Scheme, host and port lead to the websocket and the polling address; TLS stays TLS."""
    target = parse_target("https://chat.example.org/", "websocket")
    assert ("chat.example.org", 443, True) == (target.host, target.port, target.secure)
    assert "wss://chat.example.org/socket.io/?EIO=4&transport=websocket" == target.websocket_url
    assert "https://chat.example.org/socket.io/?EIO=4&transport=polling" == target.polling_url


@pytest.mark.parametrize(
    ("text", "url", "host", "port"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1", 8080),
        (" http://LOCALHOST:80/ ", "http://localhost:80", "localhost", 80),
        ("http://[::1]:3000", "http://[::1]:3000", "::1", 3000),
        ("http://school", "http://school", "school", 80),
    ],
)
def test_addresses_are_brought_to_one_form(text: str, url: str, host: str, port: int) -> None:
    """Spaces, capitals and a last slash do not matter."""
    target = parse_target(text, "polling")
    assert (Target(url, "polling"), host, port) == (target, target.host, target.port)


@pytest.mark.parametrize(
    ("text", "transport", "named"),
    [
        ("127.0.0.1:8080", "websocket", "http://127.0.0.1:8080"),
        ("ws://127.0.0.1", "websocket", "http://127.0.0.1:8080"),
        ("http://", "websocket", "http://127.0.0.1:8080"),
        ("http://a/chat", "websocket", "leave out everything but http://host:port"),
        ("http://me:secret@a", "websocket", "leave out"),
        ("http://a?b=c", "websocket", "leave out"),
        ("http://a:99999", "websocket", "Port out of range"),
        ("http://[::1", "websocket", "Invalid IPv6"),
        ("http://a", "pigeon", "websocket or polling"),
    ],
)
def test_what_is_no_server_is_refused(text: str, transport: str, named: str) -> None:
    """The message says what is wrong with it, or how it should look."""
    with pytest.raises(BadTarget, match=named.replace("[", r"\[")):
        parse_target(text, transport)
