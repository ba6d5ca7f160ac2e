"""The cache of an issuer's keys: few fetches, no herd, and outages that nobody notices."""

import asyncio
import logging
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from auth.jwks import Jwks
from core.errors import ErrorCode, HomeroomError
from tests.unit.auth.fakes import FakeClock, FakeWeb, IssuerKey

URL = "https://login.school.example/keys"


@pytest.fixture
def new_key() -> IssuerKey:
    return IssuerKey("ed-2", "EdDSA", ed25519.Ed25519PrivateKey.generate())


@pytest.fixture
def keys(web: FakeWeb, clock: FakeClock, ed_key: IssuerKey) -> Jwks:
    web.documents[URL] = {"keys": [ed_key.jwk()]}
    return Jwks(URL, web.fetch, clock)


async def _code(keys: Jwks, kid: str) -> str:
    """Return the code of the refusal, or `ok`."""
    try:
        await keys.key(kid, "EdDSA")
    except HomeroomError as exc:
        return str(exc.code)
    return "ok"


async def test_keys_are_fetched_once_in_ten_minutes(keys: Jwks, web: FakeWeb, clock: FakeClock) -> None:
    """Ordinary traffic costs the issuer six fetches an hour."""
    counts = []
    for seconds in (0, 0, 599, 1, 0):
        clock.advance(seconds)
        await keys.key("ed-1", "EdDSA")
        counts.append(len(web.asked))
    assert [1, 1, 1, 2, 2] == counts


async def test_concurrent_first_requests_share_one_fetch(keys: Jwks, web: FakeWeb) -> None:
    """Fifty people who come at once make one fetch."""
    web.gate.clear()
    waiting = [asyncio.create_task(keys.key("ed-1", "EdDSA")) for _ in range(50)]
    await web.arrived.wait()
    web.gate.set()
    assert {"ed-1"} == {key.kid for key in await asyncio.gather(*waiting)}
    assert [URL] == web.asked


async def test_one_caller_that_gives_up_does_not_take_the_fetch_along(keys: Jwks, web: FakeWeb) -> None:
    """The others still get their key."""
    web.gate.clear()
    impatient, patient = (asyncio.create_task(keys.key("ed-1", "EdDSA")) for _ in range(2))
    await web.arrived.wait()
    impatient.cancel()
    web.gate.set()
    assert "ed-1" == (await patient).kid
    assert [URL] == web.asked


async def test_a_storm_of_unknown_kids_costs_one_fetch_a_minute(keys: Jwks, web: FakeWeb, clock: FakeClock) -> None:
    """Made-up kids, at once and one after another, are an attack on nobody."""
    await keys.key("ed-1", "EdDSA")
    counts = []
    for seconds in (0, 59, 1):
        clock.advance(seconds)
        codes = await asyncio.gather(*(_code(keys, f"made-up-{number}") for number in range(100)))
        assert {ErrorCode.AUTH_INVALID_TOKEN} == set(codes)
        counts.append(len(web.asked))
    assert [2, 2, 3] == counts


async def test_a_cold_cache_is_not_asked_twice_for_one_unknown_kid(keys: Jwks, web: FakeWeb) -> None:
    """Keys that have just come are new enough."""
    assert {ErrorCode.AUTH_INVALID_TOKEN} == set(await asyncio.gather(*(_code(keys, str(n)) for n in range(100))))
    assert [URL] == web.asked


async def test_a_rotated_key_is_found_at_once(keys: Jwks, web: FakeWeb, ed_key: IssuerKey, new_key: IssuerKey) -> None:
    """The first token with the new key makes us look; the old key works as long as the issuer publishes it."""
    await keys.key("ed-1", "EdDSA")
    web.documents[URL] = {"keys": [new_key.jwk(), ed_key.jwk()]}
    assert ["ok", "ok"] == [await _code(keys, kid) for kid in ("ed-2", "ed-1")]
    assert [URL, URL] == web.asked


async def test_a_withdrawn_key_stops_working(keys: Jwks, web: FakeWeb, clock: FakeClock, new_key: IssuerKey) -> None:
    """Ten minutes after the issuer takes a key out of its set nobody can sign with it."""
    await keys.key("ed-1", "EdDSA")
    web.documents[URL] = {"keys": [new_key.jwk()]}
    clock.advance(600)
    assert ErrorCode.AUTH_INVALID_TOKEN == await _code(keys, "ed-1")


async def test_keys_outlive_an_outage_of_a_day(keys: Jwks, web: FakeWeb, clock: FakeClock) -> None:
    """Known keys work on while the issuer is away, for 24 hours, and it is asked once a minute."""
    await keys.key("ed-1", "EdDSA")
    web.documents.clear()
    seen = []
    for seconds in (600, 30, 30, 24 * 3600 - 661, 1):
        clock.advance(seconds)
        seen.append((await _code(keys, "ed-1"), len(web.asked)))
    unavailable = ErrorCode.SERVER_UNAVAILABLE
    assert [("ok", 2), ("ok", 2), ("ok", 3), ("ok", 4), (unavailable, 4)] == seen


async def test_a_new_key_during_an_outage_is_not_called_invalid(keys: Jwks, web: FakeWeb) -> None:
    """We could not look, so the person is asked to wait, not to sign in again."""
    await keys.key("ed-1", "EdDSA")
    web.documents.clear()
    assert ErrorCode.SERVER_UNAVAILABLE == await _code(keys, "ed-2")


async def test_after_an_outage_unknown_kids_are_invalid_again(keys: Jwks, web: FakeWeb, clock: FakeClock) -> None:
    """The failure is forgotten with the first fetch that works."""
    await keys.key("ed-1", "EdDSA")
    document = web.documents.pop(URL)
    await _code(keys, "ed-2")
    web.documents[URL] = document
    clock.advance(60)
    assert ErrorCode.AUTH_INVALID_TOKEN == await _code(keys, "ed-2")


async def test_a_first_fetch_that_failed_is_tried_again_soon(keys: Jwks, web: FakeWeb, clock: FakeClock) -> None:
    """Every five seconds, however many are waiting to sign in."""
    document = web.documents.pop(URL)
    seen = []
    for seconds in (0, 4.9, 0.2):
        clock.advance(seconds)
        codes = set(await asyncio.gather(*(_code(keys, "ed-1") for _ in range(20))))
        seen.append((codes, len(web.asked)))
    assert [({ErrorCode.SERVER_UNAVAILABLE}, count) for count in (1, 1, 2)] == seen
    web.documents[URL] = document
    clock.advance(5)
    assert "ok" == await _code(keys, "ed-1")


@pytest.mark.parametrize("document", [None, [], "keys", {}, {"keys": {}}, {"keys": []}, {"keys": [{"kty": "oct"}]}])
async def test_a_document_without_keys_replaces_nothing(
    keys: Jwks, web: FakeWeb, clock: FakeClock, document: Any
) -> None:
    """An issuer that answers nonsense is an issuer that is away."""
    await keys.key("ed-1", "EdDSA")
    web.documents[URL] = document
    clock.advance(600)
    assert "ok" == await _code(keys, "ed-1")


async def test_a_failed_fetch_is_one_warning(keys: Jwks, web: FakeWeb, caplog: pytest.LogCaptureFixture) -> None:
    """The operator reads which address failed and how."""
    web.documents.clear()
    with caplog.at_level(logging.WARNING):
        await _code(keys, "ed-1")
    assert [f"jwks fetch failed: url={URL} reason=OSError"] == caplog.messages


async def test_closing_ends_a_fetch_under_way(keys: Jwks, web: FakeWeb) -> None:
    """No task is left behind."""
    web.gate.clear()
    waiting = asyncio.create_task(keys.key("ed-1", "EdDSA"))
    await web.arrived.wait()
    await keys.aclose()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    await keys.aclose()
