"""Our own tokens: what is minted, what is accepted, and every way of forging one that we know of."""

import hmac
import logging
import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.jose import MAX_TOKEN_BYTES, b64url
from auth.keys import SigningKey, secret_key
from auth.tokens import TokenMinter, TokenVerifier
from auth.types import Principal, Role, User
from core.clock import to_ms
from core.errors import ErrorCode, HomeroomError
from core.ids import UserId
from tests.unit.auth.fakes import ADA, START, FakeClock, FakeWeb, raw_token

SECRET = "correct horse battery staple, and then some"
TTL = timedelta(minutes=15)
EXP = to_ms(START) // 1000 + 900


def _verifier(key: SigningKey, clock: FakeClock) -> TokenVerifier:
    return TokenVerifier(key, (), FakeWeb().fetch, clock)


async def _refusal(key: SigningKey, token: str, clock: FakeClock | None = None) -> str:
    """Return the code of the refusal."""
    with pytest.raises(HomeroomError) as refusal:
        await _verifier(key, clock or FakeClock()).verify(token)
    return str(refusal.value.code)


def _claims(**changes: object) -> dict[str, object]:
    claims = {"iss": "homeroom", "aud": "homeroom", "sub": "ada", "role": "student", "exp": EXP}
    return {name: value for name, value in {**claims, **changes}.items() if value is not ...}


# ── what is minted ──


@pytest.mark.parametrize("shared", [False, True])
async def test_a_minted_token_says_who_someone_is(local_key: SigningKey, clock: FakeClock, *, shared: bool) -> None:
    """Everything about the user survives the trip, with either kind of key."""
    key = secret_key(SECRET) if shared else local_key
    user = replace(ADA, avatar_url="https://img.example/ada.png", tz="Europe/Berlin", locale="de-DE")
    token, expires_at = TokenMinter(key, clock).mint(user, TTL)
    expected = Principal(user.id, user.role, user.name, START, START + TTL, user.avatar_url, user.tz, user.locale)
    assert expected == await _verifier(key, clock).verify(token)
    assert (expires_at, user) == (START + TTL, expected.as_user())


def test_other_verifiers_can_read_our_tokens(local_key: SigningKey, clock: FakeClock) -> None:
    """PyJWT's own checks accept the token with the published key; header and claims are those of RFC 9068."""
    clock = FakeClock(START.replace(year=2020))
    token, _ = TokenMinter(local_key, clock, ids=lambda: "id-1").mint(ADA, timedelta(days=36500))
    keys = jwt.PyJWKSet.from_dict(dict(local_key.jwks))
    claims = jwt.decode(token, keys[str(local_key.kid)], algorithms=["EdDSA"], audience="homeroom", issuer="homeroom")
    assert {"typ": "at+jwt", "alg": "EdDSA", "kid": local_key.kid} == jwt.get_unverified_header(token)
    assert {"iss", "aud", "sub", "name", "role", "iat", "exp", "jti"} == set(claims)
    assert ("ada", "Ada Lovelace", "student", "id-1") == tuple(claims[name] for name in ("sub", "name", "role", "jti"))


async def test_only_a_local_token_can_speak_for_a_service(local_key: SigningKey, clock: FakeClock) -> None:
    """A minted service token keeps its role (outside issuers: test_outside_tokens)."""
    token, _ = TokenMinter(local_key, clock).mint(User(UserId("lms"), "LMS", Role.SERVICE), TTL)
    assert Role.SERVICE == (await _verifier(local_key, clock).verify(token)).role


@pytest.mark.parametrize("user_id", ["", " ada", "a\x00b", "a\nb", "\u202eada", "\ud800", "x" * 129])
def test_a_user_that_no_token_can_carry_is_refused(local_key: SigningKey, clock: FakeClock, user_id: str) -> None:
    """Better no token than one that is refused at every use."""
    with pytest.raises(HomeroomError, match="A user id is 1 to 128 characters"):
        TokenMinter(local_key, clock).mint(replace(ADA, id=UserId(user_id)), TTL)


def test_a_token_must_live_for_a_second(local_key: SigningKey, clock: FakeClock) -> None:
    """`exp` counts whole seconds, so anything shorter would be dead on arrival."""
    with pytest.raises(HomeroomError, match="at least a second"):
        TokenMinter(local_key, clock).mint(ADA, timedelta(milliseconds=999))


# ── time ──


async def test_a_token_ends_at_exp_to_the_millisecond(local_key: SigningKey, clock: FakeClock) -> None:
    """No leeway at the end: connections are closed at that instant."""
    token, _ = TokenMinter(local_key, clock).mint(ADA, TTL)
    clock.advance(899.999)
    assert "ada" == (await _verifier(local_key, clock).verify(token)).user_id
    clock.advance(0.001)
    assert ErrorCode.AUTH_EXPIRED_TOKEN == await _refusal(local_key, token, clock)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_may_be_at_most_half_a_minute_early(local_key: SigningKey, clock: FakeClock, claim: str) -> None:
    """Clocks differ by seconds, not by minutes."""
    soon = local_key.sign(_claims(**{claim: EXP - 900 + 30}), typ="at+jwt")
    later = local_key.sign(_claims(**{claim: EXP - 900 + 31}), typ="at+jwt")
    assert "ada" == (await _verifier(local_key, clock).verify(soon)).user_id
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(local_key, later)


@pytest.mark.parametrize("exp", [..., None, "2099", True, [EXP], -1, 1e300, float("nan"), float("inf"), 10**30])
async def test_exp_is_required_and_must_be_a_sane_number(local_key: SigningKey, exp: object) -> None:
    """A token without an end, or with one that no clock reaches, is refused and never crashes."""
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(local_key, local_key.sign(_claims(exp=exp), typ="at+jwt"))


# ── forgeries ──


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, 7, ["EdDSA"]])
@pytest.mark.parametrize("shared", [False, True])
async def test_an_unsigned_token_is_refused(local_key: SigningKey, alg: object, *, shared: bool) -> None:
    """`alg: none` in every spelling (RFC 8725 §2.1)."""
    token = raw_token({"typ": "at+jwt", "alg": alg}, _claims())
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(secret_key(SECRET) if shared else local_key, token)


def _public_texts(key: SigningKey) -> list[bytes]:
    material = key.verify_key.material
    assert isinstance(material, Ed25519PublicKey)
    raw = material.public_bytes(Encoding.Raw, PublicFormat.Raw)
    pem = material.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return [raw, pem, pem.strip(), b64url(raw).encode()]


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_our_public_key_is_no_hmac_secret(local_key: SigningKey, alg: str) -> None:
    """Algorithm confusion: everybody knows the public key, so it must not verify an HMAC in any encoding."""
    for secret in _public_texts(local_key):
        token = _hmac_token(alg, secret, {"kid": str(local_key.kid)})
        assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(local_key, token)


@pytest.mark.parametrize("alg", ["HS384", "HS512"])
async def test_a_shared_secret_signs_with_one_algorithm(alg: str) -> None:
    """Only HS256 is ours."""
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(secret_key(SECRET), _hmac_token(alg, SECRET.encode(), {}))


async def test_with_a_secret_the_key_file_signs_nothing(local_key: SigningKey) -> None:
    """There is one local key at a time."""
    token = local_key.sign(_claims(), typ="at+jwt")
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(secret_key(SECRET), token)


@pytest.mark.parametrize(
    "header", [{"crit": ["b64"], "b64": False}, {"crit": ["exp"]}, {"b64": True}, {"kid": 7}, {"typ": 1}]
)
async def test_a_header_that_asks_for_more_than_we_do_is_refused(header: Mapping[str, object]) -> None:
    """RFC 7515 §4.1.11: an extension that is not understood must not be skipped, though the signature is good."""
    token = raw_token({"alg": "HS256", **header}, _claims())
    signed = _signed_hs256(token.rpartition(".")[0])
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(secret_key(SECRET), signed)


async def test_a_key_in_the_header_is_ignored(local_key: SigningKey, rsa_key: Any, clock: FakeClock) -> None:
    """`jwk`, `jku` and `x5u` neither bring a key nor cause a fetch."""
    web = FakeWeb({"https://evil.example/jwks": {"keys": [rsa_key.jwk()]}})
    extra = {"jwk": rsa_key.jwk(), "jku": "https://evil.example/jwks", "x5u": "https://evil.example/jwks"}
    token = jwt.encode(_claims(), rsa_key.private, algorithm="RS256", headers=extra)
    with pytest.raises(HomeroomError, match=r"auth\.invalid_token"):
        await TokenVerifier(local_key, (), web.fetch, clock).verify(token)
    assert [] == web.asked


@pytest.mark.parametrize("kid", ["other", "../../etc/passwd", "' OR 1=1 --"])
async def test_a_token_of_another_kid_is_refused(local_key: SigningKey, kid: str) -> None:
    """A `kid` is compared, never looked up anywhere."""
    key = replace(local_key, kid=kid)
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(local_key, key.sign(_claims(), typ="at+jwt"))


@pytest.mark.parametrize(
    "changes", [{"iss": "https://evil.example"}, {"iss": ["homeroom"]}, {"iss": None}, {"iss": ...}]
)
async def test_a_token_of_an_untrusted_issuer_is_refused(local_key: SigningKey, changes: Mapping[str, object]) -> None:
    """Signed with our own key, and still not taken under another name."""
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(local_key, local_key.sign(_claims(**changes), typ="at+jwt"))


@pytest.mark.parametrize("aud", [..., None, "other", ["other"], [], {"homeroom": 1}, 7])
async def test_a_token_for_another_audience_is_refused(local_key: SigningKey, aud: object) -> None:
    """What we sign for others does not open our own door."""
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(local_key, local_key.sign(_claims(aud=aud), typ="at+jwt"))


@pytest.mark.parametrize("typ", ["JWT", "id+jwt", "rt+jwt", "logout+jwt", ""])
async def test_a_local_token_of_another_type_is_refused(local_key: SigningKey, typ: str) -> None:
    """RFC 8725 §3.11: whatever else our key may sign one day is no access token."""
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(local_key, local_key.sign(_claims(), typ=typ))


@pytest.mark.parametrize(
    "sub", [..., None, 7, "", "x" * 129, "a\x00", "a\x7f", "a\u2028b", "\ud800", "ada ", "\u200bada"]
)
async def test_a_subject_must_be_a_visible_id(local_key: SigningKey, sub: object) -> None:
    """Ids end up in logs, URLs and keys, so control characters and look-alikes stay out."""
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(local_key, local_key.sign(_claims(sub=sub), typ="at+jwt"))


async def test_the_longest_subject_is_accepted(local_key: SigningKey, clock: FakeClock) -> None:
    """128 characters of any script."""
    token = local_key.sign(_claims(sub="学" * 128), typ="at+jwt")
    assert "学" * 128 == (await _verifier(local_key, clock).verify(token)).user_id


async def test_a_role_nobody_knows_is_forbidden(local_key: SigningKey) -> None:
    """The token is good; the person has no place in the school."""
    assert ErrorCode.AUTH_FORBIDDEN == await _refusal(local_key, local_key.sign(_claims(role="janitor"), typ="at+jwt"))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "é.é.é",
        "bm9wZQ.bm9wZQ.",
        f"{b64url(b'[]')}.{b64url(b'{}')}.",
        f"{b64url(b'{}')}.{b64url(b'[]')}.",
        f"{b64url(b'[' * 2500)}.{b64url(b'{}')}.",
        b64url(b'{"a":' * 900) + f".{b64url(b'{}')}.",
        "!!!!.@@@@.####",
        "x" * (MAX_TOKEN_BYTES + 1),
    ],
)
async def test_text_that_is_no_token_is_refused(local_key: SigningKey, token: str) -> None:
    """Nothing that is sent crashes the parser, not even a thousand open brackets."""
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(local_key, token)


async def test_a_token_over_eight_kibibytes_is_refused(clock: FakeClock) -> None:
    """Though its signature is good."""
    fits, over = (secret_key(SECRET).sign(_claims(pad="x" * size), typ="JWT") for size in (5000, 6100))
    assert "ada" == (await _verifier(secret_key(SECRET), clock).verify(fits)).user_id
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(secret_key(SECRET), over)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
async def test_no_changed_character_goes_unnoticed(local_key: SigningKey, data: st.DataObject) -> None:
    """Any one character of a token replaced by any other gives a refusal."""
    token, _ = TokenMinter(local_key, FakeClock(), ids=lambda: "id").mint(ADA, TTL)
    at = data.draw(st.integers(0, len(token) - 1))
    char = data.draw(st.characters(codec="utf-8").filter(lambda other: other != token[at]))
    with pytest.raises(HomeroomError):
        await _verifier(local_key, FakeClock()).verify(token[:at] + char + token[at + 1 :])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(claims=st.dictionaries(st.sampled_from(["sub", "role", "exp", "iss", "aud", "x"]), st.text() | st.integers()))
async def test_no_other_payload_fits_a_signature(local_key: SigningKey, claims: Mapping[str, object]) -> None:
    """A payload of one's own under somebody's signature is refused."""
    token, _ = TokenMinter(local_key, FakeClock()).mint(ADA, TTL)
    header, _, signature = token.split(".")
    payload = raw_token({}, {**_claims(), **claims}).split(".")[1]
    with pytest.raises(HomeroomError):
        await _verifier(local_key, FakeClock()).verify(f"{header}.{payload}.{signature}")


# ── a backend that shares the secret ──


async def test_a_backend_with_the_secret_mints_plain_tokens(clock: FakeClock) -> None:
    """Any JWT library does: `sub`, `role` and `exp` are enough, and words for roles are understood."""
    token = jwt.encode({"sub": "ms-rao", "role": "Instructor", "exp": EXP}, SECRET, algorithm="HS256")
    principal = await _verifier(secret_key(SECRET), clock).verify(token)
    assert (UserId("ms-rao"), Role.TEACHER, "ms-rao", None) == (
        principal.user_id, principal.role, principal.name, principal.issued_at
    )  # fmt: skip


@pytest.mark.parametrize("changes", [{"aud": "reset-password"}, {"aud": None}, {"iss": "backend"}, {"exp": ...}])
async def test_a_secret_shared_for_other_purposes_opens_no_door(changes: Mapping[str, object]) -> None:
    """What names another audience or issuer was not meant for us, though the secret is the same."""
    token = secret_key(SECRET).sign(_claims(**changes), typ="JWT")
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(secret_key(SECRET), token)


async def test_a_wrong_secret_is_refused(clock: FakeClock) -> None:
    """The signature decides."""
    token, _ = TokenMinter(secret_key("x" * 32), clock).mint(ADA, TTL)
    assert ErrorCode.AUTH_INVALID_TOKEN == await _refusal(secret_key(SECRET), token)


# ── secrecy ──


async def test_a_refusal_never_shows_the_token(local_key: SigningKey, caplog: pytest.LogCaptureFixture) -> None:
    """Neither message, traceback nor log holds a part of what was sent or of the secret."""
    good, _ = TokenMinter(secret_key(SECRET), FakeClock()).mint(ADA, TTL)
    head, payload, signature = good.split(".")
    tokens = [good[:-2], f"{head}.{payload}", f"{head}.{payload[:-7]}.{signature}", f"{payload}.{head}.{signature}"]
    with caplog.at_level(logging.DEBUG):
        shown = [await _shown_refusal(secret_key(SECRET), token) for token in tokens]
        shown += [await _shown_refusal(local_key, good), await _shown_refusal(secret_key("y" * 32), good), caplog.text]
    parts = [head, payload[:20], signature[:20], SECRET[:8], "Lovelace"]
    assert [] == [(part, text) for text in shown for part in parts if part in text]


async def _shown_refusal(key: SigningKey, token: str) -> str:
    try:
        await _verifier(key, FakeClock()).verify(token)
    except HomeroomError as exc:
        return "".join(traceback.format_exception(exc)) + repr(exc)
    raise AssertionError("the token was accepted")


def _hmac_token(alg: str, secret: bytes, header: Mapping[str, str]) -> str:
    """Return a token signed by the book with any bytes, PEM included, which PyJWT refuses to do."""
    digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[alg]
    signing_input = raw_token({"typ": "at+jwt", "alg": alg, **header}, _claims()).rpartition(".")[0]
    return f"{signing_input}.{b64url(hmac.digest(secret, signing_input.encode(), digest))}"


def _signed_hs256(signing_input: str) -> str:
    return f"{signing_input}.{b64url(hmac.digest(SECRET.encode(), signing_input.encode(), 'sha256'))}"
