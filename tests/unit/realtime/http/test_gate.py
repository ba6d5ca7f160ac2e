"""Who is asking: the Authorization header and the address."""

import pytest
from aiohttp.test_utils import make_mocked_request

from core.errors import ErrorCode, HomeroomError
from realtime.http.gate import address, bearer


@pytest.mark.parametrize("header", ["Bearer abc", "bearer abc", "BEARER   abc", "Bearer abc  "])
def test_a_bearer_is_read(header: str) -> None:
    """The scheme ignores case, and blanks do not count (RFC 9110 §11.1)."""
    assert "abc" == bearer(make_mocked_request("GET", "/", headers={"Authorization": header}))


@pytest.mark.parametrize("header", ["", "abc", "Basic abc", "Bearer", "Bearer ", "Bearerabc", "Bearer a b", "Bearer ä"])
def test_anything_else_is_none(header: str) -> None:
    """Another scheme, no token, two tokens, or what no token can hold."""
    with pytest.raises(HomeroomError) as refused:
        bearer(make_mocked_request("GET", "/", headers={"Authorization": header}))
    assert ErrorCode.AUTH_INVALID_TOKEN is refused.value.code


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("@unix", "@unix"),
        ("", ""),
    ],
)
def test_a_client_is_known_by_what_it_cannot_change(remote: str, expected: str) -> None:
    """One client owns a whole IPv6 /64, so it counts as one; a socket file has no address at all."""
    assert expected == address(make_mocked_request("GET", "/").clone(remote=remote))
