"""core.tasks: work with an owner."""

import asyncio

import pytest

from core.tasks import Background, begin


async def test_close_waits_for_what_can_finish() -> None:
    """Within the grace, work ends by itself."""
    background, done = Background(lambda _: None), asyncio.Event()
    go = asyncio.Event()

    async def work() -> None:
        await go.wait()
        done.set()

    background.start(work())
    go.set()
    await background.close(grace_s=5)
    assert done.is_set()


async def test_close_cancels_the_rest_and_waits_for_its_end() -> None:
    """Work that does not end is cancelled, and has cleaned up when `close` returns."""
    background, cleaned = Background(lambda _: None), asyncio.Event()
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    background.start(work())
    await started.wait()
    await background.close()
    assert cleaned.is_set()


async def test_a_failure_is_reported_once() -> None:
    """What fails reaches `on_error`; what is cancelled is no failure; closing again is harmless."""
    failures: list[BaseException] = []
    reported = asyncio.Event()

    def report(error: BaseException) -> None:
        failures.append(error)
        reported.set()

    background = Background(report)
    error = ValueError("boom")

    async def fail() -> None:
        raise error

    background.start(fail())
    background.start(asyncio.sleep(3600))
    await reported.wait()
    await background.close()
    await background.close()
    assert [error] == failures


async def test_begun_work_that_waits_for_nothing_is_done() -> None:
    """It runs at once, in the very call, and nothing is left."""
    said: list[int] = []

    async def work() -> None:
        said.append(1)

    assert begin(work()) is None
    assert [1] == said


@pytest.mark.parametrize("waits", ["future", "event", "sleep", "nothing yet"])
async def test_begun_work_goes_on_in_a_task(waits: str) -> None:
    """Up to its first wait it runs at once; the rest runs when it is awaited, once what it waits for is there."""
    said: list[str] = []
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    event = asyncio.Event()

    async def work() -> None:
        said.append("begun")
        if waits == "future":
            await future
        elif waits == "event":
            await event.wait()
        else:
            await asyncio.sleep(0.001 if waits == "sleep" else 0)
        said.append("waited")
        await asyncio.sleep(0)
        said.append("done")

    rest = begin(work())
    assert ["begun"] == said
    assert rest is not None
    future.set_result(None)
    event.set()
    await asyncio.create_task(rest)
    assert ["begun", "waited", "done"] == said


async def test_begun_work_fails_where_it_is_awaited() -> None:
    """An error before the first wait is raised by `begin`, a later one by the rest."""

    async def at_once() -> None:
        raise ValueError("at once")

    async def later() -> None:
        await asyncio.sleep(0)
        raise ValueError("later")

    with pytest.raises(ValueError, match="at once"):
        begin(at_once())
    rest = begin(later())
    assert rest is not None
    with pytest.raises(ValueError, match="later"):
        await rest


async def test_begun_work_can_be_cancelled() -> None:
    """Cancelling the task of the rest cancels what it waits for, and cleaning up happens."""
    cleaned: list[bool] = []
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        try:
            await future
        finally:
            cleaned.append(True)

    rest = begin(work())
    assert rest is not None
    task = asyncio.create_task(rest)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [True] == cleaned
    assert future.cancelled()
