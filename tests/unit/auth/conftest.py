"""Keys that are slow to make, made once; a clock and an issuer for each test."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auth.keys import SigningKey, load_signing_key
from tests.unit.auth.fakes import FakeClock, FakeWeb, IssuerKey


@pytest.fixture(scope="session")
def rsa_key() -> IssuerKey:
    return IssuerKey("rsa-1", "RS256", rsa.generate_private_key(65537, 2048))


@pytest.fixture(scope="session")
def ec_key() -> IssuerKey:
    return IssuerKey("ec-1", "ES256", ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture(scope="session")
def ed_key() -> IssuerKey:
    return IssuerKey("ed-1", "EdDSA", ed25519.Ed25519PrivateKey.generate())


@pytest.fixture(scope="session")
def local_key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return load_signing_key(tmp_path_factory.mktemp("data") / "keys")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def web() -> FakeWeb:
    return FakeWeb()
