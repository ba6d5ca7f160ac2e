"""Refresh tokens: a sign-in is one family, and a token that is used twice ends it."""

import asyncio
from collections import Counter

from auth.ports import Rotation
from tests.contract.samples import ADA, BEN, NOW, Store, later, token


def hash_of(number: int) -> bytes:
    """Return the hash that `token(number)` has."""
    return token(number).token_hash


async def test_rotate_hands_on_the_family(store: Store) -> None:
    """Each token leads to the next, whose family and user are those of the old one whatever the call says."""
    await store.refresh.add(token(1))
    assert Rotation("ok", ADA) == await store.refresh.rotate(hash_of(1), token(2, "forged", BEN), now=NOW)
    assert Rotation("ok", ADA) == await store.refresh.rotate(hash_of(2), token(3), now=NOW)
    assert ADA == await store.refresh.revoke_family(hash_of(3))
    assert Rotation("reused", ADA) == await store.refresh.rotate(hash_of(1), token(4), now=NOW)


async def test_an_unknown_token_is_unknown(store: Store) -> None:
    """Nothing is stored for it."""
    assert Rotation("unknown") == await store.refresh.rotate(hash_of(1), token(2), now=NOW)
    assert Rotation("unknown") == await store.refresh.rotate(hash_of(2), token(3), now=NOW)


async def test_an_expired_token_is_expired(store: Store) -> None:
    """It is good before its instant, and no longer at it; nothing is stored in its place."""
    await store.refresh.add(token(1, expires_at=later(10)))
    assert Rotation("expired", ADA) == await store.refresh.rotate(hash_of(1), token(2), now=later(10))
    assert Rotation("unknown") == await store.refresh.rotate(hash_of(2), token(3), now=NOW)
    assert Rotation("ok", ADA) == await store.refresh.rotate(hash_of(1), token(2), now=later(9.999))


async def test_reuse_revokes_the_family(store: Store) -> None:
    """A spent token that comes again takes down the token that its winner got, and other sign-ins stay."""
    await store.refresh.add(token(1))
    await store.refresh.add(token(10, "other"))
    await store.refresh.rotate(hash_of(1), token(2), now=NOW)
    assert Rotation("reused", ADA) == await store.refresh.rotate(hash_of(1), token(3), now=NOW)
    assert Rotation("revoked", ADA) == await store.refresh.rotate(hash_of(2), token(4), now=NOW)
    assert Rotation("ok", ADA) == await store.refresh.rotate(hash_of(10), token(11), now=NOW)


async def test_concurrent_rotations_have_one_winner(store: Store) -> None:
    """Of 16 uses at once one is ok, the others see reuse, and the winner's token is void."""
    await store.refresh.add(token(1))
    rotations = await asyncio.gather(
        *(store.refresh.rotate(hash_of(1), token(100 + number), now=NOW) for number in range(16))
    )
    assert Counter({"reused": 15, "ok": 1}) == Counter(rotation.outcome for rotation in rotations)
    winner = next(number for number, rotation in enumerate(rotations) if rotation.outcome == "ok")
    assert Rotation("revoked", ADA) == await store.refresh.rotate(hash_of(100 + winner), token(2), now=NOW)


async def test_revoke_family_is_idempotent(store: Store) -> None:
    """It works by any token of the family, and again; an unknown token has no user."""
    await store.refresh.add(token(1))
    await store.refresh.rotate(hash_of(1), token(2), now=NOW)
    assert [ADA, ADA] == [await store.refresh.revoke_family(hash_of(1)), await store.refresh.revoke_family(hash_of(2))]
    assert Rotation("revoked", ADA) == await store.refresh.rotate(hash_of(2), token(3), now=NOW)
    assert None is await store.refresh.revoke_family(hash_of(99))


async def test_revoke_user_ends_every_sign_in_of_one_user(store: Store) -> None:
    """Everyone else stays signed in."""
    await store.refresh.add(token(1, "laptop"))
    await store.refresh.add(token(2, "phone"))
    await store.refresh.add(token(3, "ben", BEN))
    await store.refresh.revoke_user(ADA)
    await store.refresh.revoke_user(ADA)
    outcomes = [(await store.refresh.rotate(hash_of(n), token(10 + n), now=NOW)).outcome for n in (1, 2, 3)]
    assert ["revoked", "revoked", "ok"] == outcomes


async def test_a_sign_in_long_over_takes_no_other_with_it(store: Store) -> None:
    """Old families may be forgotten when new ones come; a family whose newest token is good is kept whole."""
    year = 365 * 24 * 3600
    await store.refresh.add(token(1, "old"))
    await store.refresh.add(token(2, "kept"))
    await store.refresh.rotate(hash_of(2), token(3, expires_at=later(2 * year)), now=NOW)
    await store.refresh.add(token(4, "new", created_at=later(year), expires_at=later(year + 60)))
    assert "ok" != (await store.refresh.rotate(hash_of(1), token(5), now=later(year))).outcome
    assert Rotation("reused", ADA) == await store.refresh.rotate(hash_of(2), token(6), now=later(year))
    assert Rotation("revoked", ADA) == await store.refresh.rotate(hash_of(3), token(7), now=later(year))
