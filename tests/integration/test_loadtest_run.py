"""Whole runs of the load tester against a real server, small and short: results, exit codes, and what goes wrong."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from loadtest.client.target import parse_target
from loadtest.measure.names import Count, Metric
from loadtest.report.result import Result
from loadtest.run.run import Options, run
from loadtest.scenarios.loader import load
from tests.support.process import Homeroom, clean_environment, free_port, serving
from tests.support.upgrade_proxy import spoiling

KEY = "the-service-key-of-this-test-alone"
PATIENT = ("--set", "fair_lag_ms=60000")
"""Other tests run on the same cores: how late the generator was is not what these are about."""
SMALL = ("--scale", "0.01", "--ramp", "0.5s", "--set", "settle_s=5", "--set", "sync_s=3", "--no-live", *PATIENT)
PATIENCE_S = 40.0
MESSAGES = 'homeroom_event_seconds_count{code="ok",event="message:send"}'


class LoadTest:
    """`python -m loadtest` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.folder = folder

    async def ended(self) -> tuple[int, str, str]:
        """Wait for its end; return its status and what it printed on standard output and standard error."""
        async with asyncio.timeout(PATIENCE_S):
            out, err = await self.process.communicate()
        return self.process.returncode or 0, out.decode(), err.decode()

    def result(self) -> Result:
        """Return the run's JSON file, which parses."""
        return Result.model_validate_json((self.folder / "run.json").read_bytes())

    def page(self) -> str:
        """Return the run's report."""
        return (self.folder / "run.html").read_text()

    def workers(self) -> list[psutil.Process]:
        """Return its worker processes."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[Homeroom]:
    """A server that makes tokens for our service key."""
    async with serving(tmp_path / "data", HOMEROOM_SERVICE_KEY=KEY) as homeroom:
        yield homeroom


@asynccontextmanager
async def load_test(folder: Path, *arguments: str) -> AsyncIterator[LoadTest]:
    """Run the load tester for the length of a block."""
    files = ("--json", str(folder / "run.json"), "--html", str(folder / "run.html"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "loadtest", *arguments, *files),
        env=clean_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield LoadTest(process, folder)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def messages_flow(school: Homeroom, tested: LoadTest) -> None:
    """Wait until the server has stored a few messages of the run."""
    async with asyncio.timeout(PATIENCE_S):
        while await school.metric(MESSAGES) < 5:
            assert tested.process.returncode is None, await tested.ended()
            await asyncio.sleep(0.05)


async def test_an_evening_on_two_workers(school: Homeroom, tmp_path: Path) -> None:
    """Everybody gets in, everything that was said arrives once, both files are written, and the status says passed."""
    url = ("--url", school.url, "--service-key", KEY, "--server-pid", str(school.pid))
    arguments = ("evening", *url, *SMALL, "--duration", "3s", "--workers", "2", "--set", "lessons.teacher_every_s=1")
    lenient = ("--fail-if", "delivery.p99>5s", "--fail-if", "http.p99>5s")
    async with load_test(tmp_path, *arguments, *lenient, "--set", "chats.message_every_s=1") as tested:
        status, out, err = await tested.ended()
    assert (0, "") == (status, err), out
    result = tested.result()
    assert ("passed", 2, [], False) == (result.verdict, result.generator.workers, result.faults, result.stopped_early)
    assert (100, 100, 0) == (result.connections_asked, result.connections_peak, result.connections_failed)
    truth = result.truth
    assert truth.acked == truth.sent > 0
    assert truth.expected == truth.live > 0
    assert (0, 0, 0, 0) == (truth.lost, truth.duplicate, truth.out_of_order, truth.stored_twice)
    assert result.counts[Count.DELIVERED] > 0
    assert [] == [metric for metric in (Metric.CONNECT, Metric.ACK, Metric.HTTP) if not result.latency[metric].count]
    assert ["connect", "prepare", "load", "settle", "sync"] == [phase.name for phase in result.phases]
    assert result.server is not None
    assert ("pid", school.pid) == (result.server.source, result.server.pid)
    assert [] == [check.text for check in result.checks if not check.ok]
    assert "delivery.p99>5s" in [check.text for check in result.checks]
    assert "delivery.p99>100ms" not in [check.text for check in result.checks]
    assert "evening" in tested.page()
    assert "run.html" in out.replace("\n", "")


async def test_half_of_the_people_come_by_upgrade(school: Homeroom, tmp_path: Path) -> None:
    """Every second one goes over from polling to a websocket while others write already; nobody misses anything."""
    url = ("--url", school.url, "--service-key", KEY, "--transport", "mixed")
    lessons = ("--set", "lessons.sessions=2", "--set", "lessons.student_every_s=1", "--fail-if", "delivery.p99>60s")
    async with load_test(tmp_path, "classroom", *url, *SMALL, "--duration", "3s", *lessons) as tested:
        status, out, err = await tested.ended()
    assert (0, "") == (status, err), out
    result = tested.result()
    assert ("mixed", 40, 20, []) == (
        result.transport,
        result.connections_peak,
        result.connections_upgraded,
        result.faults,
    )
    assert result.truth.expected == result.truth.live > 0
    assert "Upgraded" in out


async def test_upgrades_that_fail_lose_nothing(school: Homeroom, tmp_path: Path) -> None:
    """A third of the websockets is refused and a third ends midway: those people poll on, or come back, with all."""
    sets = ("--set", "lessons.sessions=1", "--set", "lessons.members=12", "--set", "lessons.student_every_s=0.5")
    async with spoiling(school.url) as (url, proxy):
        arguments = ("--url", url, "--service-key", KEY, "--transport", "upgrade", "--server-pid", str(school.pid))
        lenient = ("--fail-if", "delivery.p99>60s")
        async with load_test(tmp_path, "classroom", *arguments, *SMALL, "--duration", "3s", *sets, *lenient) as tested:
            status, out, err = await tested.ended()
    assert (0, "") == (status, err), out
    result, truth = tested.result(), tested.result().truth
    assert truth.acked == truth.sent > 0
    assert (truth.expected, 0) == (truth.live + truth.caught_up, truth.lost)
    assert {"refused", "cut", "let be"} == proxy.met.keys()
    assert ("connect", "no_upgrade") in {(fault.kind, fault.code) for fault in result.faults}
    assert {("connect", "no_upgrade"), ("close", "lost")} >= {(fault.kind, fault.code) for fault in result.faults}
    assert result.connections_upgraded > 0


async def test_extras_fill_the_room(school: Homeroom, tmp_path: Path) -> None:
    """They write as all others do, and what they get is counted; the account of those who keep one is complete."""
    url = ("--url", school.url, "--service-key", KEY, "--fail-if", "delivery.p99>60s")
    lesson = ("lessons.sessions=1", "lessons.members=10", "lessons.student_every_s=0.5", "lessons.extras=8")
    sets = [part for change in lesson for part in ("--set", change)]
    async with load_test(tmp_path, "classroom", *url, *SMALL, "--duration", "3s", *sets) as tested:
        status, out, err = await tested.ended()
    assert (0, "") == (status, err), out
    result = tested.result()
    truth = result.truth
    assert truth.acked == truth.sent > 0
    assert (truth.expected, 0) == (truth.live, truth.lost)
    assert truth.acked < truth.expected < 2 * truth.acked, "two keep account, and nobody of their own messages"
    assert result.counts[Count.SKIMMED] > 2 * result.counts[Count.DELIVERED]


async def test_a_long_account_is_handed_in(school: Homeroom, tmp_path: Path) -> None:
    """A ledger larger than what a pipe takes at once reaches the coordinator whole: 200 people who spoke to all."""
    lesson = ("--set", "lessons.sessions=1", "--set", "lessons.members=200", "--set", "lessons.student_every_s=2")
    arguments = (
        "classroom",
        "--url",
        school.url,
        "--service-key",
        KEY,
        *SMALL,
        "--duration",
        "3s",
        "--fail-if",
        "delivery.p99>60s",
    )
    async with load_test(tmp_path, *arguments, *lesson) as tested:
        status, out, err = await tested.ended()
    assert (0, "") == (status, err), out
    assert tested.result().truth.live == tested.result().truth.acked * 199 > 200 * 199


async def test_a_broken_threshold_sets_the_status(school: Homeroom, tmp_path: Path) -> None:
    """A lecture over both workers shares its room; a promise that it cannot keep makes the status 1."""
    arguments = ("lecture", "--url", school.url, "--service-key", KEY, *SMALL, "--duration", "2s", "--workers", "2")
    fast = ("--set", "hall.teacher_every_s=0.5", "--fail-if", "delivery.p50>1us", "--fail-if", "delivery.p99>9s")
    async with load_test(tmp_path, *arguments, *fast) as tested:
        status, out, err = await tested.ended()
    result = tested.result()
    assert (1, "", "failed") == (status, err, result.verdict), out
    assert ["delivery.p50>1us"] == [check.text for check in result.checks if not check.ok]
    assert result.truth.live == result.truth.expected == result.truth.acked * (result.connections_peak - 1)


async def test_ctrl_c_ends_the_load_and_still_writes_the_report(school: Homeroom, tmp_path: Path) -> None:
    """What happened until then is settled and told; the status is 130."""
    arguments = ("pairs", "--url", school.url, "--service-key", KEY, *SMALL, "--duration", "1h")
    async with load_test(tmp_path, *arguments, "--set", "chats.message_every_s=0.5") as tested:
        await messages_flow(school, tested)
        tested.process.send_signal(signal.SIGINT)
        status, out, err = await tested.ended()
    result = tested.result()
    assert (130, "", True) == (status, err, result.stopped_early), out
    assert result.truth.acked > 0
    assert (0, 0) == (result.truth.lost, result.truth.unknown)
    assert "<html" in tested.page()


async def test_a_killed_worker_is_told_and_fails_the_run(school: Homeroom, tmp_path: Path) -> None:
    """The other one goes on to the end; the report says what is missing."""
    arguments = ("pairs", "--url", school.url, "--service-key", KEY, *SMALL, "--duration", "3s", "--workers", "2")
    async with load_test(tmp_path, *arguments, "--set", "chats.message_every_s=0.5") as tested:
        await messages_flow(school, tested)
        os.kill(tested.workers()[0].pid, signal.SIGKILL)
        status, out, err = await tested.ended()
    result = tested.result()
    assert (1, "", "failed") == (status, err, result.verdict), out
    assert ["worker"] == [fault.kind for fault in result.faults]
    assert [] != [note for note in result.notes if "has ended before its time" in note]


async def test_a_server_that_dies_is_counted_and_hangs_nothing(school: Homeroom, tmp_path: Path) -> None:
    """Everyone's connection is lost, nobody gets back in, and the run ends with a report at its time."""
    arguments = ("pairs", "--url", school.url, "--service-key", KEY, *SMALL, "--duration", "3s")
    async with load_test(tmp_path, *arguments, "--set", "chats.message_every_s=0.5", "--set", "settle_s=1") as tested:
        await messages_flow(school, tested)
        await school.kill()
        status, out, err = await tested.ended()
    result = tested.result()
    assert "" == err
    assert status in {1, 3}, out
    faults = {(fault.kind, fault.code): fault.count for fault in result.faults}
    assert result.connections_peak == faults["close", "lost"]
    assert faults["connect", "refused"] > 0
    assert [] != [note for note in result.notes if "could not look" in note]


async def test_a_server_that_lets_nobody_in_is_unreachable(school: Homeroom, tmp_path: Path) -> None:
    """With the wrong service key there are no tokens: the status is 4, and the faults say why."""
    arguments = ("pairs", "--url", school.url, "--service-key", "wrong", *SMALL)
    async with load_test(tmp_path, *arguments) as tested:
        status, out, err = await tested.ended()
    result = tested.result()
    assert (4, "", "unreachable") == (status, err, result.verdict), out
    assert result.connections_asked == result.connections_failed > 0
    assert ["connect"] == sorted({fault.kind for fault in result.faults})


async def test_nobody_at_the_address(tmp_path: Path) -> None:
    """Said at once, with a report, status 4, and no traceback."""
    url = f"http://127.0.0.1:{free_port()}"
    async with load_test(tmp_path, "pairs", "--url", url, "--service-key", KEY, *SMALL) as tested:
        status, out, err = await tested.ended()
    assert (4, "") == (status, err), out
    assert "Connection refused" in " ".join(out.split())
    assert "unreachable" == tested.result().verdict


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evning", "--service-key", KEY], ["unknown scenario", "'evening'"]),
        (["evening"], ["--service-key"]),
        (["evening", "--service-key", KEY, "--url", "127.0.0.1"], ["127.0.0.1", "http://"]),
        (["evening", "--service-key", KEY, "--set", "chats.pair=3"], ["'pairs'"]),
        (["evening", "--service-key", KEY, "--fail-if", "delivry.p99>1s"], ["delivery"]),
        (["evening", "--service-key", KEY, "--duration", "soon"], ["--duration", "90s"]),
        (["evening", "--service-key", KEY, "--scale", "0"], ["scale"]),
        (["evening", "--service-key", KEY, "--scale", "500"], ["ulimit -n"]),
        (["compare", "run.json", "other.json"], ["run.json", "No such file"]),
    ],
)
async def test_bad_usage_is_one_line_and_status_2(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    """What is wrong is said, with the nearest known name, and nothing is run."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "loadtest", *arguments),
        env={**clean_environment(), "PYTHONPATH": str(Path.cwd())},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = (text.decode() for text in await process.communicate())
    assert (2, "") == (process.returncode, out), err
    assert 1 == len(err.splitlines()), err
    assert [] == [word for word in words if word not in err], err
    assert not (tmp_path / "loadtest-results").exists()


async def test_a_run_from_a_program(school: Homeroom) -> None:
    """`run` gives the result without a terminal; tokens are minted beforehand, and processes keep to their cores."""
    scenario = load("classroom", scale=0.02, changes=["ramp_s=0", "load_s=1", "lessons.teacher_every_s=0.5"])
    cores = sorted(os.sched_getaffinity(0))
    options = Options(scenario, parse_target(school.url, "websocket"), cpus=cores[-1:])
    result = await asyncio.to_thread(run, options, lambda user, ttl_s: school.token(user.id, user.role))
    assert (20, 0, []) == (result.connections_peak, result.connections_failed, result.faults)
    assert result.truth.live == result.truth.expected > 0
    assert cores == sorted(os.sched_getaffinity(0))
