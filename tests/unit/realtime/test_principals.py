"""realtime.principals: who comes in, known or new, alone or with the whole school."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from auth.issuers import Issuer
from auth.keys import secret_key
from auth.revocation import Revocations
from auth.service_keys import ServiceKeys
from auth.sessions import Authenticator
from auth.tokens import TokenMinter, TokenVerifier
from auth.types import Principal, Role, User
from core.clock import SystemClock
from core.errors import ErrorCode
from core.ids import UserId
from realtime.principals import Admission
from storage.sqlite.store import SqliteStore
from tests.support.refusal import refused
from tests.unit.auth.fakes import FakeWeb

SECRET = "a secret of at least thirty-two bytes"
HOUR = timedelta(hours=1)
CLOCK = SystemClock()


class Door:
    """An admission on a real store, and tokens for it."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.minter = TokenMinter(secret_key(SECRET), CLOCK)
        self.revocations = Revocations(store.users, CLOCK)
        self.service_keys = ServiceKeys(store.service_keys)
        verifier = TokenVerifier(secret_key(SECRET), [Issuer("x", "https://x.example")], FakeWeb().fetch, CLOCK)
        authenticator = Authenticator(verifier, self.revocations, self.service_keys)
        self.admission = Admission(authenticator, self.revocations, store.users)

    def token(self, user: User) -> str:
        """Return a new token."""
        return self.minter.mint(user, HOUR)[0]

    def at_once(self, token: str) -> Principal:
        """Admit without waiting for anything. Raises RuntimeError if it would have to wait."""
        admitting = self.admission.admit(token)
        try:
            admitting.send(None)
        except StopIteration as done:
            principal: Principal = done.value
            return principal
        admitting.close()
        raise RuntimeError("it waits")


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A door of a school that nobody has entered yet."""
    store = await SqliteStore.open(tmp_path / "homeroom.db")
    yield Door(store)
    await store.close()


def person(name: str, role: Role = Role.STUDENT) -> User:
    """Return someone."""
    return User(UserId(name), name.title(), role)


async def test_who_is_known_waits_for_nothing(door: Door) -> None:
    """After the first time neither the same token nor a new one of the same person costs a look into the store."""
    ada = person("ada")
    first, second = door.token(ada), door.token(ada)
    with pytest.raises(RuntimeError, match="it waits"):
        door.at_once(first)
    await door.admission.admit(first)
    assert ["ada", "ada"] == [door.at_once(token).user_id for token in (first, second)]


async def test_a_crowd_of_newcomers_is_introduced(door: Door) -> None:
    """Many at once: each is admitted as themselves and stored as their token says, once."""
    people = [replace(person(f"p{number}"), locale=f"en-{number:02}") for number in range(40)]
    tokens = [door.token(one) for one in [*people, *people[:5]]]
    admitted = await asyncio.gather(*(door.admission.admit(token) for token in tokens))
    assert [*people, *people[:5]] == [principal.as_user() for principal in admitted]
    assert {one.id: one for one in people} == await door.store.users.get_many([one.id for one in people])


async def test_a_token_made_here_does_not_change_who_is_there(door: Door) -> None:
    """The record outranks the token, whatever the token says of name and role."""
    teacher = person("rao", Role.TEACHER)
    await door.store.users.put(teacher)
    principal = await door.admission.admit(door.token(person("rao")))
    assert (Role.STUDENT, teacher) == (principal.role, await door.store.users.get(teacher.id))


@pytest.mark.parametrize("known", [True, False])
async def test_a_revoked_token_is_refused_and_introduces_nobody(door: Door, *, known: bool) -> None:
    """At once, whether or not the person came in before; a newer token is good again."""
    ada = person("ada")
    token = door.token(ada)
    if known:
        await door.admission.admit(token)
    instant = await door.revocations.void(ada.id)
    with refused(ErrorCode.AUTH_INVALID_TOKEN):
        await door.admission.admit(token)
    assert (ada if known else None) == await door.store.users.get(ada.id)
    newer, _ = door.minter.mint(ada, HOUR, valid_after=instant)
    assert ada == (await door.admission.admit(newer)).as_user()


async def test_a_revocation_that_only_the_store_knows_is_found(door: Door) -> None:
    """As after a restart: the one look into the store that a stranger costs brings it along."""
    await door.store.users.set_valid_after(UserId("ada"), CLOCK.now() + timedelta(seconds=1))
    with refused(ErrorCode.AUTH_INVALID_TOKEN):
        await door.admission.admit(door.token(person("ada")))


async def test_a_service_key_is_nobody_of_the_school(door: Door) -> None:
    """It acts without a user record, and a revocation of its name does not touch it."""
    key = await door.service_keys.create("timetable")
    principal = await door.admission.admit(key)
    await door.revocations.void(principal.user_id)
    assert principal == await door.admission.admit(key)
    assert None is await door.store.users.get(principal.user_id)
