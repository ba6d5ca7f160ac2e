"""The load tester as people run it, in a process of its own, against the faulty server."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from loadtest.client.target import parse_target
from loadtest.report.result import Result
from loadtest.run.options import Options
from loadtest.run.run import run
from loadtest.scenarios.loader import load
from tests.support.faulty import FaultyServer, misbehaving
from tests.support.faulty_plan import Plan
from tests.support.process import clean_environment, free_port

K = TypeVar("K")
PATIENCE_S = 60.0
AT_ONCE = 4
PHASES = """ramp_s = 0.2
load_s = 2.0
settle_s = 1.0
sync_s = 3.0
seed = 1
fair_lag_ms = 60000"""
PAIRS = f"""
about = "A few people in pairs."
{PHASES}
[groups.chats]
behaviour = "pairs"
pairs = 4
message_every_s = 0.5
"""
CLASSROOM = f"""
about = "One live session."
{PHASES}
[groups.lessons]
behaviour = "classroom"
sessions = 1
members = 6
student_every_s = 0.5
teacher_every_s = 0.4
"""
LECTURE = f"""
about = "One room, over all workers."
{PHASES}
[groups.hall]
behaviour = "lecture"
listeners = 9
speakers = 4
speaker_every_s = 0.5
teacher_every_s = 0.5
"""
API = f"""
about = "Requests only."
{PHASES}
[groups.callers]
behaviour = "api"
people = 5
requests_per_s = 25
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A server's faults, and the load to meet them with."""

    plan: Plan = field(default_factory=Plan)
    scenario: str = PAIRS
    arguments: tuple[str, ...] = ()
    connect_timeout_s: float | None = None
    """With it the run is called as a function, since the command line has no such option."""
    deaf: bool = False
    """Nobody listens at the address."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended by itself, and the server with its own books of it."""

    server: FaultyServer
    status: int
    result: Result
    out: str

    @property
    def truth(self) -> dict[str, int]:
        """The numbers about messages, for comparison with the server's own."""
        return {name: getattr(self.result.truth, name) for name in self.server.truth()}

    @property
    def faults(self) -> dict[tuple[str, str], int]:
        """How often each error came, by kind and code."""
        return {(one.kind, one.code): one.count for one in self.result.faults}

    @property
    def examples(self) -> str:
        """The faults in words."""
        return "\n".join(self.result.truth.examples)


def perform(cases: Mapping[K, Case], folder: Path) -> dict[K, Ended]:
    """Run each case, a few at a time; every run must end by itself, with a report and without a traceback."""

    async def all_of_them() -> dict[K, Ended]:
        gate = asyncio.Semaphore(AT_ONCE)
        runs = {key: _perform(case, folder / str(key), gate) for key, case in cases.items()}
        return dict(zip(runs, await asyncio.gather(*runs.values()), strict=True))

    return asyncio.run(all_of_them())


async def _perform(case: Case, folder: Path, gate: asyncio.Semaphore) -> Ended:
    async with gate, misbehaving(case.plan) as server:
        server.url = f"http://127.0.0.1:{free_port()}" if case.deaf else server.url
        toml = _write(folder, case.scenario)
        if case.connect_timeout_s is not None:
            return await asyncio.to_thread(_call, server, toml, case.connect_timeout_s)
        return await _command(server, toml, case.arguments)


def _call(server: FaultyServer, toml: Path, timeout_s: float) -> Ended:
    target = replace(parse_target(server.url, "websocket"), connect_timeout_s=timeout_s)
    result = run(Options(load(str(toml), scale=1.0, changes=()), target, service_key="hrk_test"))
    return Ended(server, 0, result, "")


async def _command(server: FaultyServer, toml: Path, arguments: Sequence[str]) -> Ended:
    folder, report = toml.parent, toml.with_suffix(".json")
    options = [
        "--url",
        server.url,
        "--service-key",
        "hrk_test",
        "--out",
        str(folder),
        "--json",
        str(report),
        "--no-live",
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtest", str(toml), *options, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=clean_environment(),
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    assert "" == err.decode(), (process.returncode, out.decode(), err.decode())
    return Ended(server, process.returncode, Result.model_validate_json(report.read_text()), out.decode())


def _write(folder: Path, scenario: str) -> Path:
    folder.mkdir()
    path = folder / "scenario.toml"
    path.write_text(scenario)
    return path
