"""Tokens of outside issuers: the ones we know are accepted, and forgeries of each are not."""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auth.issuers import Issuer, parse_issuers
from auth.jose import b64url, read_jwks, sign
from auth.keys import SigningKey
from auth.tokens import TokenVerifier
from auth.types import Principal, Role
from core.clock import to_ms
from core.errors import ErrorCode, HomeroomError
from tests.unit.auth.fakes import START, FakeClock, FakeWeb, IssuerKey, raw_token

ISSUER = "https://login.school.example"
JWKS_URL = f"{ISSUER}/.well-known/jwks.json"
NOW = to_ms(START) // 1000


def _claims(**changes: object) -> dict[str, object]:
    claims = {"iss": ISSUER, "sub": "u-1", "name": "Chen", "role": "student", "iat": NOW, "exp": NOW + 600}
    return {name: value for name, value in {**claims, **changes}.items() if value is not ...}


class School:
    """A verifier that trusts one issuer, whose documents are in `web`."""

    def __init__(self, local_key: SigningKey, *keys: IssuerKey, **fields: Any) -> None:
        self.clock = FakeClock()
        self.web = FakeWeb({JWKS_URL: {"keys": [key.jwk() for key in keys]}})
        issuers = (replace(Issuer(ISSUER, JWKS_URL), **fields),)
        self.verifier = TokenVerifier(local_key, issuers, self.web.fetch, self.clock)

    async def verify(self, token: str) -> Principal:
        return await self.verifier.verify(token)

    async def refusal(self, token: str) -> str:
        """Return the code of the refusal."""
        with pytest.raises(HomeroomError) as refusal:
            await self.verifier.verify(token)
        return str(refusal.value.code)


@pytest.fixture
def school(local_key: SigningKey, rsa_key: IssuerKey, ec_key: IssuerKey, ed_key: IssuerKey) -> School:
    return School(local_key, rsa_key, ec_key, ed_key)


@pytest.mark.parametrize("name", ["rsa_key", "ec_key", "ed_key"])
async def test_each_kind_of_key_verifies(school: School, request: pytest.FixtureRequest, name: str) -> None:
    """RS256, ES256 and EdDSA, with no more configuration than the issuer's name."""
    principal = await school.verify(request.getfixturevalue(name).sign(_claims()))
    assert ("u-1", Role.STUDENT, "Chen", START) == (
        principal.user_id, principal.role, principal.name, principal.issued_at
    )  # fmt: skip


@pytest.mark.parametrize("name", ["rsa_key", "ec_key", "ed_key"])
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_a_public_key_is_no_hmac_secret(
    school: School, request: pytest.FixtureRequest, name: str, alg: str
) -> None:
    """Algorithm confusion (CVE-2015-9235): HMAC over the public key as PEM, DER or JWK, in every usual spelling."""
    key: IssuerKey = request.getfixturevalue(name)
    for secret in _public_texts(key):
        assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(_hmac_token(alg, key.kid, secret))


async def test_a_secret_in_a_key_set_verifies_nothing(local_key: SigningKey, ed_key: IssuerKey) -> None:
    """An `oct` key in a JWK set is a published secret, whatever the issuer is said to allow."""
    secret = {"kty": "oct", "k": b64url(b"k" * 32), "kid": "k", "alg": "HS256"}
    school = School(local_key, algorithms=("HS256", "EdDSA"))
    school.web.documents[JWKS_URL] = {"keys": [secret, ed_key.jwk()]}
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(_hmac_token("HS256", "k", b"k" * 32))
    assert ["ed-1"] == [key.kid for key in read_jwks(school.web.documents[JWKS_URL])]


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
async def test_an_unsigned_token_is_refused(school: School, alg: str) -> None:
    """`alg: none` in every spelling."""
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(raw_token({"alg": alg, "kid": "rsa-1"}, _claims()))


async def test_an_algorithm_must_fit_the_key_that_kid_names(
    school: School, rsa_key: IssuerKey, ec_key: IssuerKey
) -> None:
    """A token signed by one key cannot name another of a different type."""
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(rsa_key.sign(_claims(), kid="ec-1"))
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(ec_key.sign(_claims(), kid="rsa-1"))


async def test_an_algorithm_must_be_allowed_for_the_issuer(local_key: SigningKey, rsa_key: IssuerKey) -> None:
    """A list of algorithms is a promise, though the key would fit; what it allows beyond the default works."""
    token = rsa_key.sign(_claims(), alg="PS384")
    assert "u-1" == (await School(local_key, rsa_key, algorithms=("PS384",)).verify(token)).user_id
    for algorithms in (("RS256",), ("ES256",), ("PS256",)):
        assert ErrorCode.AUTH_INVALID_TOKEN == await School(local_key, rsa_key, algorithms=algorithms).refusal(token)


async def test_a_key_bound_to_an_algorithm_signs_with_no_other(local_key: SigningKey, rsa_key: IssuerKey) -> None:
    """RFC 7517 §4.4: `alg` of a JWK narrows what the key is for."""
    school = School(local_key, rsa_key, algorithms=("RS256", "RS512"))
    school.web.documents[JWKS_URL] = {"keys": [{**rsa_key.jwk(), "alg": "RS512"}]}
    assert "u-1" == (await school.verify(rsa_key.sign(_claims(), alg="RS512"))).user_id
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(rsa_key.sign(_claims()))


@pytest.mark.parametrize("change", [{"use": "enc"}, {"key_ops": ["sign"]}, {"key_ops": "verify"}])
async def test_a_key_for_another_use_verifies_nothing(
    local_key: SigningKey, rsa_key: IssuerKey, change: Mapping[str, object]
) -> None:
    """An encryption key in the set signs no token."""
    school = School(local_key)
    school.web.documents[JWKS_URL] = {"keys": [{**rsa_key.jwk(), **change}]}
    assert ErrorCode.SERVER_UNAVAILABLE == await school.refusal(rsa_key.sign(_claims()))


async def test_weak_and_odd_keys_are_skipped_and_the_others_work(local_key: SigningKey, ed_key: IssuerKey) -> None:
    """One entry that cannot be read, or that is too weak to trust, does not void the set (RFC 7517 §5)."""
    weak = IssuerKey("weak", "RS256", rsa.generate_private_key(65537, 1024))  # noqa: S505 - the point of the test
    curve = IssuerKey("k1", "ES256", ec.generate_private_key(ec.SECP384R1()))
    odd = [7, {}, {"kty": "EC"}, {"kty": "RSA", "n": 7, "e": "AQAB"}, {"kty": "OKP", "crv": "X25519", "x": "AA"}]
    school = School(local_key)
    school.web.documents[JWKS_URL] = {"keys": [*odd, weak.jwk(), curve.jwk(), ed_key.jwk()]}
    assert "u-1" == (await school.verify(ed_key.sign(_claims()))).user_id
    with pytest.warns(match="RSA key"):
        weak_token = weak.sign(_claims())
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(weak_token)


async def test_without_kid_only_a_single_fitting_key_is_tried(local_key: SigningKey, rsa_key: IssuerKey) -> None:
    """Nothing is guessed among several keys."""
    other = IssuerKey("rsa-2", "RS256", rsa.generate_private_key(65537, 2048))
    token = sign(_claims(), key=rsa_key.private, alg="RS256", typ="JWT", kid=None)
    assert "u-1" == (await School(local_key, rsa_key).verify(token)).user_id
    assert ErrorCode.AUTH_INVALID_TOKEN == await School(local_key, rsa_key, other).refusal(token)


async def test_issuers_do_not_sign_for_each_other(local_key: SigningKey, rsa_key: IssuerKey, ed_key: IssuerKey) -> None:
    """A key counts only for the issuer whose set holds it, and nobody signs for us."""
    web = FakeWeb({"https://a.example/k": {"keys": [rsa_key.jwk()]}, "https://b.example/k": {"keys": [ed_key.jwk()]}})
    issuers = [Issuer(f"https://{name}.example", f"https://{name}.example/k") for name in "ab"]
    verifier = TokenVerifier(local_key, issuers, web.fetch, FakeClock())
    assert "u-1" == (await verifier.verify(rsa_key.sign(_claims(iss="https://a.example")))).user_id
    for iss in ("https://b.example", "https://a.example/", "homeroom", "https://c.example"):
        with pytest.raises(HomeroomError, match=r"auth\.invalid_token"):
            await verifier.verify(rsa_key.sign(_claims(iss=iss, aud="homeroom")))


@pytest.mark.parametrize("header", ["jku", "x5u"])
async def test_a_header_never_chooses_what_is_fetched(school: School, rsa_key: IssuerKey, header: str) -> None:
    """Only the configured address is ever asked (RFC 8725 §3.10)."""
    school.web.documents["https://evil.example/jwks"] = {"keys": [{**rsa_key.jwk(), "kid": "evil"}]}
    token = raw_token({"alg": "RS256", "kid": "evil", header: "https://evil.example/jwks"}, _claims())
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(token)
    assert {JWKS_URL} == set(school.web.asked)


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        ({"aud": "classroom"}, True),
        ({"aud": ["other", "classroom"]}, True),
        ({"client_id": "classroom"}, True),
        ({"azp": "classroom"}, True),
        ({}, False),
        ({"aud": "other"}, False),
        ({"aud": "other", "client_id": "classroom"}, False),
        ({"aud": ["other"], "azp": "classroom"}, False),
        ({"client_id": "other", "azp": "classroom"}, False),
        ({"aud": [["classroom"]]}, False),
    ],
)
async def test_the_audience_is_checked_when_configured(
    local_key: SigningKey, ed_key: IssuerKey, claims: Mapping[str, object], *, accepted: bool
) -> None:
    """`aud` decides; only a token without one is judged by the client it was issued to."""
    school = School(local_key, ed_key, audience=("classroom", "mobile"))
    token = ed_key.sign(_claims(**claims))
    if accepted:
        assert "u-1" == (await school.verify(token)).user_id
    else:
        assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(token)


async def test_expiry_is_told_only_to_holders_of_real_tokens(school: School, ed_key: IssuerKey) -> None:
    """The signature is checked first: a forged expired token is invalid, not expired."""
    claims = _claims(exp=NOW - 1)
    assert ErrorCode.AUTH_EXPIRED_TOKEN == await school.refusal(ed_key.sign(claims))
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(ed_key.sign(claims)[:-8] + "AAAAAAAA")


async def test_leeway_is_the_issuers(local_key: SigningKey, ed_key: IssuerKey) -> None:
    """`leeway_s` widens the start of a token's life and never its end."""
    school = School(local_key, ed_key, leeway_s=0.0)
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(ed_key.sign(_claims(nbf=NOW + 1)))
    school = School(local_key, ed_key, leeway_s=300.0)
    assert "u-1" == (await school.verify(ed_key.sign(_claims(nbf=NOW + 300)))).user_id
    assert ErrorCode.AUTH_EXPIRED_TOKEN == await school.refusal(ed_key.sign(_claims(exp=NOW)))


@pytest.mark.parametrize("typ", ["logout+jwt", "secevent+jwt", "dpop+jwt"])
async def test_another_kind_of_jwt_is_no_access_token(school: School, ed_key: IssuerKey, typ: str) -> None:
    """RFC 8725 §3.11: an issuer signs more than access tokens with one key."""
    token = sign(_claims(), key=ed_key.private, alg="EdDSA", typ=typ, kid=ed_key.kid)
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(token)


async def test_an_outside_issuer_cannot_make_a_service(school: School, ed_key: IssuerKey) -> None:
    """The word `service` means nothing in an outside token, and ids of service keys are not for people."""
    assert ErrorCode.AUTH_FORBIDDEN == await school.refusal(ed_key.sign(_claims(role="service")))
    for sub in ("service", "service:lms"):
        assert ErrorCode.AUTH_INVALID_TOKEN == await school.refusal(ed_key.sign(_claims(sub=sub, role="admin")))


async def test_an_outside_issuer_makes_a_service_where_its_role_map_says_so(
    local_key: SigningKey, ed_key: IssuerKey
) -> None:
    """A school that runs its own issuer may."""
    (issuer,) = parse_issuers(f'[{{"issuer": "{ISSUER}", "role_map": {{"Backend": "service"}}}}]')
    school = School(local_key, ed_key, rules=issuer.rules)
    assert Role.SERVICE == (await school.verify(ed_key.sign(_claims(role="backend")))).role


async def test_an_unreachable_issuer_is_not_the_users_fault(local_key: SigningKey, ed_key: IssuerKey) -> None:
    """The refusal is retryable and says when, so the app keeps the person signed in."""
    school = School(local_key, ed_key)
    school.web.documents.clear()
    with pytest.raises(HomeroomError) as refusal:
        await school.verify(ed_key.sign(_claims()))
    assert (ErrorCode.SERVER_UNAVAILABLE, True, 5000) == (
        refusal.value.code, refusal.value.retryable, refusal.value.retry_after_ms
    )  # fmt: skip


async def test_closing_ends_a_fetch_under_way(school: School, ed_key: IssuerKey) -> None:
    """A server that stops leaves no request behind."""
    school.web.gate.clear()
    waiting = asyncio.create_task(school.verify(ed_key.sign(_claims())))
    await school.web.arrived.wait()
    await school.verifier.aclose()
    await asyncio.wait([waiting])
    assert waiting.cancelled()


def _public_texts(key: IssuerKey) -> list[bytes]:
    public = key.private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    jwk = key.jwk()
    plain = str(jwk).replace("'", '"')
    return [
        pem,
        pem.strip(),
        der,
        plain.encode(),
        plain.replace(" ", "").encode(),
        str(jwk.get("n", jwk.get("x"))).encode(),
    ]


def _hmac_token(alg: str, kid: str, secret: bytes, claims: Mapping[str, object] | None = None) -> str:
    digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[alg]
    signing_input = raw_token({"alg": alg, "kid": kid}, claims or _claims(role="admin")).rpartition(".")[0]
    return f"{signing_input}.{b64url(hmac.digest(secret, signing_input.encode(), digest))}"
