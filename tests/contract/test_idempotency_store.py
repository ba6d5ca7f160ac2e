"""Answers that were already given, so that a repeated request gets the same one."""

import asyncio

from tests.contract.samples import FixedClock, Store, later

HASH, OTHER_HASH = b"h" * 32, b"o" * 32


async def test_put_then_get(store: Store) -> None:
    """An answer is found under its own scope and key only, byte for byte."""
    response = b'{"ok":true}\x00\xff'
    assert True is await store.idempotency.put("ada:/v1/rooms", "k", HASH, response, later(60))
    assert (HASH, response) == await store.idempotency.get("ada:/v1/rooms", "k")
    assert None is await store.idempotency.get("ben:/v1/rooms", "k")
    assert None is await store.idempotency.get("ada:/v1/rooms", "other")


async def test_the_first_answer_stays(store: Store) -> None:
    """A second put says that the key is taken, and changes nothing."""
    await store.idempotency.put("scope", "k", HASH, b"first", later(60))
    assert False is await store.idempotency.put("scope", "k", OTHER_HASH, b"second", later(60))
    assert (HASH, b"first") == await store.idempotency.get("scope", "k")


async def test_concurrent_puts_have_one_winner(store: Store) -> None:
    """Of 16 answers at once one is kept, and its put is the one that said so."""
    responses = [f"answer {number}".encode() for number in range(16)]
    kept = await asyncio.gather(
        *(store.idempotency.put("scope", "k", HASH, response, later(60)) for response in responses)
    )
    assert 1 == sum(kept)
    assert (HASH, responses[kept.index(True)]) == await store.idempotency.get("scope", "k")


async def test_an_answer_expires(store: Store, clock: FixedClock) -> None:
    """From its instant on an answer is forgotten, and its key can be used again."""
    await store.idempotency.put("scope", "k", HASH, b"first", later(60))
    clock.instant = later(60)
    assert None is await store.idempotency.get("scope", "k")
    assert True is await store.idempotency.put("scope", "k", OTHER_HASH, b"second", later(120))
    assert (OTHER_HASH, b"second") == await store.idempotency.get("scope", "k")


async def test_a_purge_takes_only_what_expired(store: Store, clock: FixedClock) -> None:
    """Whatever an adapter throws away on the way, an answer that is still good stays."""
    await store.idempotency.put("scope", "old", HASH, b"old", later(60))
    await store.idempotency.put("scope", "good", HASH, b"good", later(7200))
    clock.instant = later(3600)
    await store.idempotency.put("scope", "new", HASH, b"new", later(7200))
    found = [await store.idempotency.get("scope", key) for key in ("old", "good", "new")]
    assert [None, (HASH, b"good"), (HASH, b"new")] == found
