"""Local addresses and open files for many connections."""

import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from loadtest.client.addresses import Sources, need_files
from loadtest.client.target import parse_target
from tests.test_architecture import ROOT


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """The limit of open files, put back afterwards; the soft one is lower than the hard one meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lower = min(soft, 512)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lower, hard))
    yield lower, hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost"])
def test_many_connections_to_loopback_take_turns(host: str) -> None:
    """As many addresses as keep each below its ports, all used equally."""
    sources = Sources(parse_target(f"http://{host}:1"), 45_000)
    assert {"127.0.0.2": 2, "127.0.0.3": 2, "127.0.0.4": 2} == Counter(sources.next() for _ in range(6))


@pytest.mark.parametrize(
    ("url", "count"), [("http://127.0.0.1:1", 20_000), ("http://a:1", 90_000), ("http://[::1]", 90_000)]
)
def test_otherwise_the_system_chooses(url: str, count: int) -> None:
    """Few connections, another machine, or IPv6, which has one loopback address: no address is named."""
    sources = Sources(parse_target(url), count)
    assert {None} == {sources.next() for _ in range(3)}


def test_the_soft_limit_is_raised_when_it_must_be(limits: tuple[int, int]) -> None:
    """More files than the soft limit allows: it is raised to that number; fewer: it stays."""
    soft, hard = limits
    need_files(soft)
    assert (soft, hard) == resource.getrlimit(resource.RLIMIT_NOFILE)
    need_files(soft + 1)
    assert (soft + 1, hard) == resource.getrlimit(resource.RLIMIT_NOFILE)


HARD = 200
IN_A_PROCESS = f"""
import resource
from loadtest.client.addresses import NotEnoughFiles, need_files

resource.setrlimit(resource.RLIMIT_NOFILE, (100, {HARD}))
try:
    need_files({HARD + 1})
except NotEnoughFiles as exc:
    print(resource.getrlimit(resource.RLIMIT_NOFILE), exc)
"""


def test_beyond_the_hard_limit_people_are_told_the_command() -> None:
    """The message says how many are needed and what to type; the limit stays. A hard limit cannot be raised again."""
    done = subprocess.run([sys.executable, "-c", IN_A_PROCESS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"(100, {HARD}) "), done.stdout
    assert f"`ulimit -n {HARD + 1}`" in done.stdout
