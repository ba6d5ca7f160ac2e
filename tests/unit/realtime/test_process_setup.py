"""What a process does for itself before it serves: files, event loop, garbage collector."""

import subprocess
import sys

import pytest

from tests.test_architecture import ROOT

FILES = """
import resource
from realtime.process import open_files, raise_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(open_files(), raise_open_files(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
SETTLE = """
import gc
from realtime.process import GC_THRESHOLDS, settle
ring = []
ring.append(ring)
settle()
print(gc.isenabled(), gc.get_freeze_count() > 10_000, len(gc.get_objects()) < 1000, gc.get_threshold() == GC_THRESHOLDS)
"""


def run(code: str) -> list[str]:
    """Run code in a process of its own; return the words that it prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    ("soft", "hard", "after"),
    [(256, 900, 900), (900, 900, 900), (100, 100, 100)],
    ids=["a shell's", "raised already", "low and fixed"],
)
def test_as_many_files_as_allowed_may_be_open(soft: int, hard: int, after: int) -> None:
    """The soft limit becomes the hard one, which stays; nothing happens where they are one."""
    assert [str(number) for number in (soft, after, after, hard)] == run(FILES.format(soft=soft, hard=hard))


def test_what_is_there_at_the_start_is_never_collected_again() -> None:
    """The collector runs, has next to nothing to walk, and does so as seldom as was chosen."""
    assert ["True"] * 4 == run(SETTLE)


def test_the_loop_is_the_fast_one() -> None:
    """A server runs on uvloop."""
    assert ["uvloop"] == run("from realtime.process import new_event_loop; print(type(new_event_loop()).__module__)")
