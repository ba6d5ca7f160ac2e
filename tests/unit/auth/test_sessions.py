"""Sign-ins: rotation, reuse, revocation, and a refresh that races with it."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from auth.keys import SigningKey
from auth.ports import RefreshToken, Rotation
from auth.revocation import Revocations
from auth.service_keys import ServiceKeys
from auth.sessions import Authenticator, Sessions, TokenPair
from auth.tokens import TokenMinter, TokenVerifier
from auth.types import Role, User
from core.errors import ErrorCode, HomeroomError
from core.ids import UserId
from tests.unit.auth.fakes import (
    ADA,
    START,
    FakeClock,
    FakeWeb,
    MemoryRefreshStore,
    MemoryServiceKeyStore,
    MemoryUserStore,
)


class School:
    """Everything around Sessions, in memory."""

    def __init__(
        self, key: SigningKey, refresh_tokens: MemoryRefreshStore | None = None, clock: FakeClock | None = None
    ) -> None:
        self.clock = clock or FakeClock()
        self.users = MemoryUserStore(ADA)
        self.refresh_tokens = refresh_tokens or MemoryRefreshStore()
        self.revocations = Revocations(self.users, self.clock)
        self.minter = TokenMinter(key, self.clock)
        self.sessions = Sessions(self.users, self.refresh_tokens, self.revocations, self.minter, self.clock)
        verifier = TokenVerifier(key, (), FakeWeb().fetch, self.clock)
        self.service_keys = ServiceKeys(MemoryServiceKeyStore(), "the configured key")
        self.authenticator = Authenticator(verifier, self.revocations, self.service_keys)

    async def accepts(self, token: str) -> bool:
        try:
            await self.authenticator.authenticate(token)
        except HomeroomError:
            return False
        return True

    async def refused(self, refresh_token: str) -> str:
        """Return the code with which a refresh is refused."""
        with pytest.raises(HomeroomError) as refusal:
            await self.sessions.refresh(refresh_token)
        return str(refusal.value.code)


@pytest.fixture
def school(local_key: SigningKey) -> School:
    return School(local_key)


# ── issue and refresh ──


async def test_a_sign_in_gives_a_pair(school: School) -> None:
    """A quarter of an hour of access, thirty days of refresh."""
    pair = await school.sessions.issue(ADA)
    assert ADA == (await school.authenticator.authenticate(pair.access_token)).as_user()
    assert (timedelta(minutes=15), timedelta(days=30)) == (pair.expires_at - START, pair.refresh_expires_at - START)


async def test_only_hashes_are_stored_and_nothing_is_shown(school: School) -> None:
    """Whoever reads the store or a log line cannot sign in."""
    pair = await school.sessions.issue(ADA)
    assert [hashlib.sha256(pair.refresh_token.encode()).digest()] == list(school.refresh_tokens.rows)
    assert (True, 47) == (pair.refresh_token.startswith("hrr_"), len(pair.refresh_token))
    shown = repr(pair) + repr(school.refresh_tokens.rows)
    assert [False, False] == [secret in shown for secret in (pair.refresh_token[4:], pair.access_token)]


async def test_a_refresh_brings_the_user_as_they_are_now(school: School) -> None:
    """A promotion shows at the next refresh; the sign-in lives for another thirty days."""
    pair = await school.sessions.issue(ADA)
    await school.users.put(User(ADA.id, "Dr Lovelace", Role.TEACHER))
    school.clock.advance(3600)
    renewed = await school.sessions.refresh(pair.refresh_token)
    principal = await school.authenticator.authenticate(renewed.access_token)
    assert ("Dr Lovelace", Role.TEACHER) == (principal.name, principal.role)
    assert START + timedelta(days=30, hours=1) == renewed.refresh_expires_at


async def test_a_chain_of_refreshes_goes_on(school: School) -> None:
    """Each token of the chain works once, in its turn."""
    pair = await school.sessions.issue(ADA)
    for _ in range(5):
        pair = await school.sessions.refresh(pair.refresh_token)
    assert await school.accepts(pair.access_token)


async def test_a_second_use_ends_the_sign_in(school: School) -> None:
    """Thief or owner, the one who comes second is told, and the token that the first one got is dead too."""
    stolen = await school.sessions.issue(ADA)
    other_device = await school.sessions.issue(ADA)
    thief = await school.sessions.refresh(stolen.refresh_token)
    assert ErrorCode.AUTH_REUSED_TOKEN == await school.refused(stolen.refresh_token)
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refused(thief.refresh_token)
    assert await school.accepts((await school.sessions.refresh(other_device.refresh_token)).access_token)


async def test_of_concurrent_refreshes_one_wins(school: School) -> None:
    """Two tabs that refresh with one token: one pair, one refusal."""
    pair = await school.sessions.issue(ADA)
    answers = await asyncio.gather(
        *(school.sessions.refresh(pair.refresh_token) for _ in range(2)), return_exceptions=True
    )
    assert ["HomeroomError", "TokenPair"] == sorted(type(answer).__name__ for answer in answers)


async def test_an_old_refresh_token_has_expired(school: School) -> None:
    """Thirty days after its issue, to the second."""
    pair = await school.sessions.issue(ADA)
    school.clock.advance(30 * 86400)
    assert ErrorCode.AUTH_EXPIRED_TOKEN == await school.refused(pair.refresh_token)


@pytest.mark.parametrize("token", ["", "hrr_", "hrr_" + "A" * 43, "hrr_" + "A" * 42 + "é", "x" * 47, "hrk_" + "A" * 43])
async def test_what_we_never_issued_is_unknown(school: School, token: str) -> None:
    """Any text, of the right shape or not."""
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refused(token)


async def test_a_user_who_is_gone_cannot_refresh(school: School) -> None:
    """And the sign-in ends there."""
    pair = await school.sessions.issue(ADA)
    del school.users.users[ADA.id]
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refused(pair.refresh_token)
    assert [True, True] == [row.revoked for row in school.refresh_tokens.rows.values()]


async def test_a_user_that_no_token_can_carry_leaves_no_sign_in(school: School) -> None:
    """The refusal comes before anything is stored."""
    with pytest.raises(HomeroomError, match=r"request\.invalid"):
        await school.sessions.issue(User(UserId(""), "nobody", Role.STUDENT))
    assert {} == school.refresh_tokens.rows


# ── tokens are not each other ──


async def test_tokens_cannot_stand_in_for_each_other(school: School) -> None:
    """A refresh token opens no connection, and an access token refreshes nothing."""
    pair = await school.sessions.issue(ADA)
    assert not await school.accepts(pair.refresh_token)
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refused(pair.access_token)


async def test_a_service_key_is_a_credential(school: School) -> None:
    """The school's backend authenticates with its key where people send a token."""
    key = await school.service_keys.create("lms")
    principals = [await school.authenticator.authenticate(text) for text in (key, "the configured key")]
    assert [("service:lms", Role.SERVICE, None), ("service", Role.SERVICE, None)] == [
        (who.user_id, who.role, who.expires_at) for who in principals
    ]


# ── revocation ──


async def test_signing_out_ends_one_sign_in(school: School) -> None:
    """The other devices stay signed in; a second sign-out of the same is no error."""
    phone, laptop = await school.sessions.issue(ADA), await school.sessions.issue(ADA)
    assert [ADA.id, ADA.id] == [await school.sessions.revoke(phone.refresh_token) for _ in range(2)]
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refused(phone.refresh_token)
    await school.sessions.refresh(laptop.refresh_token)
    assert await school.sessions.revoke("hrr_" + "A" * 43) is None


async def test_revoking_a_user_voids_everything_at_once(school: School) -> None:
    """Also tokens minted in the very millisecond of the revocation, and although they were just used."""
    pair = await school.sessions.issue(ADA)
    lone, _ = school.minter.mint(ADA, timedelta(hours=1))
    assert [True, True] == [await school.accepts(token) for token in (pair.access_token, lone)]
    await school.sessions.revoke_user(ADA.id)
    assert [False, False] == [await school.accepts(token) for token in (pair.access_token, lone)]
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refused(pair.refresh_token)


async def test_signing_in_again_works_in_the_same_millisecond(school: School) -> None:
    """However often somebody is revoked, their next token works and the ones before do not."""
    tokens: list[str] = []
    for _ in range(3):
        tokens.append((await school.sessions.issue(ADA)).access_token)
        assert [*[False] * (len(tokens) - 1), True] == [await school.accepts(token) for token in tokens]
        await school.sessions.revoke_user(ADA.id)


async def test_a_change_of_role_voids_access_and_keeps_the_sign_in(school: School) -> None:
    """The token with the old role ends at once; a refresh, even in the same millisecond, brings the new one."""
    pair = await school.sessions.issue(ADA)
    await school.users.put(User(ADA.id, ADA.name, Role.TEACHER))
    await school.sessions.void_access(ADA.id)
    assert not await school.accepts(pair.access_token)
    renewed = await school.sessions.refresh(pair.refresh_token)
    assert Role.TEACHER == (await school.authenticator.authenticate(renewed.access_token)).role


async def test_a_revocation_is_about_one_user(school: School) -> None:
    """Others notice nothing."""
    ben = User(UserId("ben"), "Ben", Role.STUDENT)
    token = (await school.sessions.issue(ben)).access_token
    await school.sessions.revoke_user(ADA.id)
    assert await school.accepts(token)


async def test_a_token_without_iat_is_void_after_any_revocation(local_key: SigningKey, school: School) -> None:
    """Nobody can tell whether it is older."""
    exp = int(START.timestamp()) + 900
    claims = {"iss": "homeroom", "aud": "homeroom", "sub": "ada", "role": "student", "exp": exp}
    token = local_key.sign(claims, typ="at+jwt")
    assert await school.accepts(token)
    await school.sessions.revoke_user(ADA.id)
    assert not await school.accepts(token)


class SlowRefreshStore(MemoryRefreshStore):
    """Lets a revocation in after the rotation was stored and before the caller hears of it."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.meanwhile: list[Sessions] = []

    async def rotate(self, old_hash: bytes, new: RefreshToken, *, now: datetime) -> Rotation:
        rotation = await super().rotate(old_hash, new, now=now)
        for sessions in self.meanwhile:
            self.clock.advance(0.005)
            await sessions.revoke_user(ADA.id)
        return rotation


async def test_a_refresh_under_way_does_not_outlive_a_revocation(local_key: SigningKey, clock: FakeClock) -> None:
    """The refresh that was already stored hands out nothing that works."""
    slow = SlowRefreshStore(clock)
    school = School(local_key, slow, clock)
    pair = await school.sessions.issue(ADA)
    slow.meanwhile = [school.sessions]
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refused(pair.refresh_token)
    assert [] == [row for row in slow.rows.values() if not row.revoked]


class LateRefreshStore(MemoryRefreshStore):
    """Lets a refresh in just before a revocation of families takes hold."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.meanwhile: list[Callable[[], Awaitable[None]]] = []

    async def revoke_user(self, user_id: UserId) -> None:
        while self.meanwhile:
            self.clock.advance(0.005)
            await self.meanwhile.pop()()
            self.clock.advance(0.005)
        await super().revoke_user(user_id)


async def test_a_refresh_between_the_steps_of_a_revocation_is_void(local_key: SigningKey, clock: FakeClock) -> None:
    """Whatever slips in while a revocation is under way ends with it."""
    late = LateRefreshStore(clock)
    school = School(local_key, late, clock)
    pair = await school.sessions.issue(ADA)
    slipped: list[TokenPair] = []

    async def refresh() -> None:
        slipped.append(await school.sessions.refresh(pair.refresh_token))

    late.meanwhile = [refresh]
    await school.sessions.revoke_user(ADA.id)
    assert [False] == [await school.accepts(pair.access_token) for pair in slipped]
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refused(slipped[0].refresh_token)


class SlowUserStore(MemoryUserStore):
    """Lets a revocation in after it was read that there is none, and before the reader hears of it."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(ADA)
        self.clock = clock
        self.meanwhile: list[Sessions] = []

    async def valid_after(self, user_id: UserId) -> datetime | None:
        instant = await super().valid_after(user_id)
        while self.meanwhile:
            self.clock.advance(0.005)
            await self.meanwhile.pop().revoke_user(user_id)
            self.clock.advance(0.005)
        return instant


async def test_a_refresh_that_reads_before_the_revocation_mints_a_void_token(
    school: School, local_key: SigningKey
) -> None:
    """Its token counts from the start of the refresh, so a revocation elsewhere in between voids it."""
    slow = SlowUserStore(school.clock)
    here = Sessions(slow, school.refresh_tokens, Revocations(slow, school.clock), school.minter, school.clock)
    pair = await here.issue(ADA)
    slow.meanwhile = [school.sessions]
    late = await here.refresh(pair.refresh_token)
    assert not await school.accepts(late.access_token)
    assert ErrorCode.AUTH_INVALID_TOKEN == await school.refused(late.refresh_token)


async def test_a_refresh_right_after_a_revocation_works(school: School) -> None:
    """A new sign-in in the millisecond of the revocation can be refreshed at once."""
    await school.sessions.revoke_user(ADA.id)
    pair = await school.sessions.issue(ADA)
    assert await school.accepts((await school.sessions.refresh(pair.refresh_token)).access_token)
