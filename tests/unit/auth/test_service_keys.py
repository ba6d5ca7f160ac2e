"""Service keys: made once, kept as a hash, one of them from the environment."""

import hashlib

import pytest

from auth.errors import SettingRefused
from auth.service_keys import ServiceKeys
from auth.types import Principal, Role
from core.errors import ErrorCode, HomeroomError
from core.ids import UserId
from tests.unit.auth.fakes import MemoryServiceKeyStore

CONFIGURED = "a key from the environment"


@pytest.fixture
def store() -> MemoryServiceKeyStore:
    return MemoryServiceKeyStore()


async def _code(keys: ServiceKeys, key: str) -> str:
    with pytest.raises(HomeroomError) as refusal:
        await keys.authenticate(key)
    return str(refusal.value.code)


async def test_a_key_authenticates_a_service(store: MemoryServiceKeyStore) -> None:
    """By name, for as long as it stands."""
    keys = ServiceKeys(store)
    principal = await keys.authenticate(await keys.create("lms"))
    assert Principal(UserId("service:lms"), Role.SERVICE, "lms") == principal


async def test_only_the_hash_is_kept(store: MemoryServiceKeyStore) -> None:
    """A copy of the store gives nobody a key."""
    key = await ServiceKeys(store).create("lms")
    assert {hashlib.sha256(key.encode()).digest(): "lms"} == store.names
    assert ("hrk_", 47) == (key[:4], len(key))


async def test_a_new_key_replaces_the_old_one(store: MemoryServiceKeyStore) -> None:
    """That is how a key is rotated."""
    keys = ServiceKeys(store)
    old, new = await keys.create("lms"), await keys.create("lms")
    assert "lms" == (await keys.authenticate(new)).name
    assert ErrorCode.AUTH_INVALID_TOKEN == await _code(keys, old)


async def test_the_configured_key_needs_no_store(store: MemoryServiceKeyStore) -> None:
    """And is in no representation of what holds it."""
    keys = ServiceKeys(store, CONFIGURED)
    assert Principal(UserId("service"), Role.SERVICE, "service") == await keys.authenticate(CONFIGURED)
    assert CONFIGURED not in repr(vars(keys))


@pytest.mark.parametrize(
    "key", ["", "hrk_", "hrk_" + "A" * 43, CONFIGURED[:-1], CONFIGURED + "x", "\ud800", "x" * 10_000]
)
async def test_anything_else_is_refused(store: MemoryServiceKeyStore, key: str) -> None:
    """Any text, even one that cannot be encoded."""
    keys = ServiceKeys(store, CONFIGURED)
    await keys.create("lms")
    assert ErrorCode.AUTH_INVALID_TOKEN == await _code(keys, key)


@pytest.mark.parametrize("configured", ["", "fifteen letters"])
def test_a_guessable_configured_key_is_refused_without_being_repeated(
    store: MemoryServiceKeyStore, configured: str
) -> None:
    """An empty setting must not let everybody in."""
    with pytest.raises(SettingRefused) as refusal:
        ServiceKeys(store, configured)
    assert "HOMEROOM_SERVICE_KEY must have at least 16 characters." == str(refusal.value)


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
async def test_a_name_must_be_visible(store: MemoryServiceKeyStore, name: str) -> None:
    """It becomes part of a user id."""
    with pytest.raises(HomeroomError, match="1 to 64 visible characters"):
        await ServiceKeys(store).create(name)
