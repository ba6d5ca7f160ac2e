"""Remembered tokens: cheaper the second time, and refused from the very moment a new one would be."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

import auth.tokens
from auth.issuers import Issuer
from auth.jose import UnverifiedToken, VerifyKey, verify_signature
from auth.jwks import TTL_S
from auth.keys import SigningKey, secret_key
from auth.revocation import Revocations
from auth.service_keys import ServiceKeys
from auth.sessions import Authenticator
from auth.tokens import TokenMinter, TokenVerifier
from auth.types import Role, User
from auth.verified import VerifiedTokens
from core.clock import to_ms
from core.errors import ErrorCode, HomeroomError
from core.ids import UserId
from tests.unit.auth.fakes import START, FakeClock, FakeWeb, IssuerKey, MemoryServiceKeyStore, MemoryUserStore

ADA = User(UserId("ada"), "Ada", Role.STUDENT)
ISSUER = "https://login.school.example"
JWKS_URL = f"{ISSUER}/.well-known/jwks.json"
TTL = timedelta(hours=1)


class Counter:
    """Counts the signatures that are checked, and checks them."""

    def __init__(self) -> None:
        self.checked = 0

    def __call__(self, token: UnverifiedToken, key: VerifyKey) -> None:
        self.checked += 1
        verify_signature(token, key)


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """How many signatures were checked."""
    counter = Counter()
    monkeypatch.setattr(auth.tokens, "verify_signature", counter)
    return counter


async def refusal(verifier: TokenVerifier, token: str) -> ErrorCode:
    """Return the code of a refusal."""
    with pytest.raises(HomeroomError) as caught:
        await verifier.verify(token)
    return caught.value.code


class School:
    """A verifier that trusts one issuer, with documents that a test can change."""

    def __init__(self, local_key: SigningKey, *keys: IssuerKey) -> None:
        self.clock = FakeClock()
        self.web = FakeWeb()
        self.publish(*keys)
        self.verifier = TokenVerifier(local_key, [Issuer(ISSUER, JWKS_URL)], self.web.fetch, self.clock)

    def publish(self, *keys: IssuerKey) -> None:
        """Make these the issuer's keys."""
        self.web.documents[JWKS_URL] = {"keys": [key.jwk() for key in keys]}

    def token(self, key: IssuerKey, **changes: Any) -> str:
        """Return a token of an hour."""
        now = to_ms(START) // 1000
        claims = {"iss": ISSUER, "sub": "u-1", "name": "Chen", "role": "student", "iat": now, "exp": now + 3600}
        return key.sign({**claims, **changes})


async def test_a_token_is_verified_once(local_key: SigningKey, clock: FakeClock, signatures: Counter) -> None:
    """Another token of the same person, and a second verifier, each pay for themselves."""
    minter, verifier = TokenMinter(local_key, clock), TokenVerifier(local_key, [], FakeWeb().fetch, clock)
    first, second = (minter.mint(ADA, TTL)[0] for _ in range(2))
    principals = [await verifier.verify(token) for token in (first, second, first, first)]
    assert (2, {"ada"}) == (signatures.checked, {principal.user_id for principal in principals})
    await TokenVerifier(local_key, [], FakeWeb().fetch, clock).verify(first)
    assert 3 == signatures.checked


async def test_it_ends_when_it_ends(local_key: SigningKey, clock: FakeClock) -> None:
    """To the millisecond, however often it was good before, and then it is not kept any longer."""
    verifier = TokenVerifier(local_key, [], FakeWeb().fetch, clock)
    token, _ = TokenMinter(local_key, clock).mint(ADA, TTL)
    await verifier.verify(token)
    clock.advance(3599.999)
    assert "ada" == (await verifier.verify(token)).user_id
    clock.advance(0.001)
    assert [ErrorCode.AUTH_EXPIRED_TOKEN] * 2 == [await refusal(verifier, token) for _ in range(2)]
    assert 0 == len(verifier._verified)


async def test_a_revocation_holds_at_once(local_key: SigningKey, clock: FakeClock) -> None:
    """A remembered token is asked for its revocation every time; a newer token of the same person is good."""
    users, minter = MemoryUserStore(ADA), TokenMinter(local_key, clock)
    revocations = Revocations(users, clock)
    verifier = TokenVerifier(local_key, [], FakeWeb().fetch, clock)
    authenticator = Authenticator(verifier, revocations, ServiceKeys(MemoryServiceKeyStore()))
    token, _ = minter.mint(ADA, TTL)
    assert "ada" == (await authenticator.authenticate(token)).user_id
    instant = await revocations.void(ADA.id)
    with pytest.raises(HomeroomError) as caught:
        await authenticator.authenticate(token)
    assert ErrorCode.AUTH_INVALID_TOKEN == caught.value.code
    newer, _ = minter.mint(ADA, TTL, valid_after=instant)
    assert "ada" == (await authenticator.authenticate(newer)).user_id


async def test_a_key_that_is_withdrawn_takes_its_tokens_along(
    local_key: SigningKey, rsa_key: IssuerKey, ec_key: IssuerKey
) -> None:
    """From the next fetch of the issuer's keys on, as for a token that was never seen; those of other keys stay."""
    school = School(local_key, rsa_key, ec_key)
    withdrawn, kept = school.token(rsa_key), school.token(ec_key)
    assert ["u-1", "u-1"] == [(await school.verifier.verify(token)).user_id for token in (withdrawn, kept)]
    school.publish(ec_key)
    school.clock.advance(TTL_S)
    assert ErrorCode.AUTH_INVALID_TOKEN == await refusal(school.verifier, withdrawn)
    assert "u-1" == (await school.verifier.verify(kept)).user_id


async def test_another_key_of_the_same_name_verifies_anew(
    local_key: SigningKey, rsa_key: IssuerKey, signatures: Counter
) -> None:
    """The same key fetched again costs one more signature; a different one in its place refuses the token."""
    school = School(local_key, rsa_key)
    token = school.token(rsa_key)
    for checked in (1, 2):
        await school.verifier.verify(token)
        await school.verifier.verify(token)
        assert checked == signatures.checked
        school.clock.advance(TTL_S)
    school.publish(replace(rsa_key, private=rsa.generate_private_key(65537, 2048)))
    assert ErrorCode.AUTH_INVALID_TOKEN == await refusal(school.verifier, token)


@pytest.mark.parametrize("place", [3, 60, -3])
async def test_a_changed_token_is_another_token(local_key: SigningKey, clock: FakeClock, place: int) -> None:
    """One character anywhere, and the remembered answer does not apply."""
    verifier = TokenVerifier(local_key, [], FakeWeb().fetch, clock)
    token, _ = TokenMinter(local_key, clock).mint(ADA, TTL)
    await verifier.verify(token)
    forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place:][1:]
    assert ErrorCode.AUTH_INVALID_TOKEN == await refusal(verifier, forged)


async def test_what_was_refused_is_not_kept(clock: FakeClock) -> None:
    """Forgeries push nothing out, and are refused again."""
    verifier = TokenVerifier(secret_key("s" * 32), [], FakeWeb().fetch, clock)
    token, _ = TokenMinter(secret_key("t" * 32), clock).mint(ADA, TTL)
    for text in (token, token, "a.b.c", "", "\ud800", "x" * 9000):
        assert ErrorCode.AUTH_INVALID_TOKEN == await refusal(verifier, text)
    assert 0 == len(verifier._verified)


async def test_memory_is_bounded_and_holds_no_token(local_key: SigningKey, clock: FakeClock) -> None:
    """Those unused for longest go first; what is kept is a digest."""
    minter, verifier = TokenMinter(local_key, clock), TokenVerifier(local_key, [], FakeWeb().fetch, clock)
    tokens = [minter.mint(ADA, TTL)[0] for _ in range(3)]
    for token in tokens:
        await verifier.verify(token)
    small = VerifiedTokens(max_tokens=2)
    for token in (tokens[0], tokens[1], tokens[0], tokens[2]):
        if small.find(token) is None:
            known = verifier._verified.find(token)
            assert known is not None
            small.keep(token, known)
    assert [True, False, True] == [small.find(token) is not None for token in tokens]
    assert 2 == len(small)
    assert not [token for token in tokens if token in repr(vars(small))]
