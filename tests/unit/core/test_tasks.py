"""core.tasks: work with an owner."""

import asyncio

from core.tasks import Background


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
