"""A server that cannot breathe says so in its metrics."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from realtime.vitals import Vitals

LAG = "homeroom_loop_lag_seconds"
PAUSE = "homeroom_gc_pause_seconds"
PATIENCE_S = 10.0


@pytest.fixture
async def registry() -> AsyncIterator[CollectorRegistry]:
    """The metrics of the loop that runs."""
    registry = CollectorRegistry()
    vitals = Vitals(registry)
    vitals.start()
    yield registry
    vitals.stop()


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    """Return a sample."""
    found = registry.get_sample_value(name, labels)
    assert found is not None, (name, labels)
    return found


async def beats(registry: CollectorRegistry, count: int) -> None:
    """Wait until the loop's lag has been measured `count` times."""
    deadline = time.monotonic() + PATIENCE_S
    while value(registry, f"{LAG}_count") < count:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_a_blocked_loop_is_late(registry: CollectorRegistry) -> None:
    """What holds the loop up is seen by the next timer that is due, with its length."""
    time.sleep(0.6)  # noqa: ASYNC251  # the timer is due after 0.25 s
    await beats(registry, 1)
    assert 0 == value(registry, f"{LAG}_bucket", le="0.25")
    assert value(registry, f"{LAG}_sum") > 0.25


async def test_it_goes_on(registry: CollectorRegistry) -> None:
    """One beat follows the other, and each is counted in the last bucket."""
    await beats(registry, 3)
    assert value(registry, f"{LAG}_count") == value(registry, f"{LAG}_bucket", le="+Inf")


async def test_each_collection_is_a_pause(registry: CollectorRegistry) -> None:
    """Every pass of the garbage collector counts under its generation."""
    before = value(registry, f"{PAUSE}_count", generation="2")
    gc.collect()
    gc.collect()
    assert before + 2 == value(registry, f"{PAUSE}_count", generation="2")
    assert value(registry, f"{PAUSE}_sum", generation="2") > 0


async def test_a_stopped_watch_leaves_nothing_behind() -> None:
    """After the end neither the loop nor the collector knows of it; a second end is harmless."""
    before = list(gc.callbacks)
    registry = CollectorRegistry()
    vitals = Vitals(registry)
    vitals.start()
    vitals.stop()
    vitals.stop()
    assert before == gc.callbacks
    gc.collect()
    assert 0 == value(registry, f"{PAUSE}_count", generation="2")
