"""Run the suites that the Socket.IO project publishes against our engine, unmodified: `make official-suites`.

    official_suites.py CHECKOUT     a folder that holds them, such as a checkout of the socket.io repository
    official_suites.py --git DIR    the same from a bare repository

They are not part of this project. mocha and what else they need is pinned in tests/conformance/suites/.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tests/conformance/suites"
PORT = "3000"  # the suites know no other
FILES = ("test-suite.js", "node-imports.js", "package.json")
TIMEOUT_S = 120


@dataclass(frozen=True)
class Suite:
    """A suite, where it is in the repository, and how many cases it had when we last looked."""

    name: str
    folder: str
    cases: int


SUITES = (
    Suite("Engine.IO v4", "docs/engine.io-protocol/v4-test-suite", 25),
    Suite("Socket.IO v5", "docs/socket.io-protocol/v5-test-suite", 32),
)


def main() -> int:
    """Return 0 if every case passed."""
    parser = argparse.ArgumentParser(description="Run the published Engine.IO and Socket.IO suites against our engine.")
    parser.add_argument("checkout", nargs="?", type=Path, help="a folder with the socket.io repository")
    parser.add_argument("--git", type=Path, metavar="DIR", help="a bare clone of the socket.io repository")
    given = parser.parse_args()
    if (given.checkout is None) == (given.git is None):
        parser.error("name a checkout of github.com/socketio/socket.io, or a bare clone with --git")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for suite in SUITES:
            copy(suite, given.checkout, given.git, folder / suite.folder)
        install()
        (folder / "node_modules").symlink_to(PACKAGE / "node_modules")
        with serving():
            return max([run(suite, folder / suite.folder) for suite in SUITES])


def copy(suite: Suite, checkout: Path | None, git: Path | None, to: Path) -> None:
    """Copy the files of a suite. Exits where they are not there."""
    to.mkdir(parents=True)
    for name in FILES:
        source = f"{suite.folder}/{name}"
        if git is not None:
            show = subprocess.run(["git", "-C", git, "show", f"HEAD:{source}"], capture_output=True, check=False)
            data = show.stdout if show.returncode == 0 else None
        else:
            path = (checkout or Path()) / source
            data = path.read_bytes() if path.is_file() else None
        if data is None:
            sys.exit(f"The suite of {suite.name} is not there: {checkout or git} has no {source}.")
        (to / name).write_bytes(data)


def install() -> None:
    """Install what the suites need, if it is not there yet."""
    if not (PACKAGE / "node_modules/mocha").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=PACKAGE, check=True)


@contextmanager
def serving() -> Iterator[None]:
    """Run the conformance server for the length of a block. Exits if it does not start."""
    command = [sys.executable, "-m", "realtime.engine.conformance", "--port", PORT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            if server.stdout is None or not server.stdout.readline():
                sys.exit("The conformance server did not start.")
            yield
        finally:
            server.terminate()


def run(suite: Suite, folder: Path) -> int:
    """Run a suite and say how it went; return 0 if every case passed."""
    mocha = [str(PACKAGE / "node_modules/.bin/mocha"), "test-suite.js", "--exit", "--reporter", "json"]
    options = ["--reporter-option", "output=result.json"]
    ended = subprocess.run(
        [*mocha, *options], cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if not (folder / "result.json").is_file():
        sys.exit(f"{suite.name}: mocha did not run.\n{ended.stderr}")
    result = json.loads((folder / "result.json").read_text())
    passed, failed = len(result["passes"]), result["failures"]
    print(f"{suite.name}: {passed} of {result['stats']['tests']} cases passed")
    if result["stats"]["tests"] != suite.cases:
        print(f"  there were {suite.cases} when docs/conformance.md was written")
    for case in failed:
        print(f"  failed: {case['fullTitle']}\n    {case['err'].get('message', '')}")
    return 1 if failed or not passed or ended.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
