"""Homeroom beside what a school would pick instead, in one run: `python -m bench.peers`.

The server has one core and the load tester another. Every round measures every server, in another order each time; the
tables show medians, and in brackets how many times the figure of Socket.IO on Node. A delivery is one `message:new` at
one connection, the sender's own too; its CPU includes acks, and in chats of two also typing and receipts.
"""

import argparse
import json
import resource
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Final

from bench.contestants import CONTESTANTS, Contestant
from bench.goals import goals_as_text
from bench.loads import FIRST_ROUND, MOST_PER_S, loads, searched
from bench.process import Served, profiled
from bench.search import Highest, search
from bench.stall import flood
from bench.table import Findings, Found, as_data, as_text
from bench.trial import Cores, Load, Trial, on, try_out, two_cores

TRIES: Final = 5
"""Rates that are tried for the highest."""


@contextmanager
def serving(one: Contestant, cores: Cores) -> Iterator[Served]:
    """Run a server, and all that belongs to it, on the server's core."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        with on(cores.server):
            served = stack.enter_context(one.serving(Path(directory)))
        yield served


def play_rounds(
    present: Sequence[Contestant], cores: Cores, rounds: int, *, quick: bool, profiles: Path | None = None
) -> Findings:
    """Run every load against every server, round by round."""
    trials: Findings = {one.key: Found({name: [] for name in loads(quick=quick)}) for one in present}
    for number in range(rounds):
        turn = number % len(present)
        for one in (*present[turn:], *present[:turn]):
            asked = _asked(one, number, quick=quick)
            with serving(one, cores) if asked else nullcontext() as served:
                for name, load in asked.items():
                    assert served is not None
                    with _profiling(one, served, name, profiles):
                        trial = try_out(served, load, cores)
                    trials[one.key].trials[name].append(trial)
                    tell(f"round {number + 1}: {one.label}, {name}: {trial}")
    return trials


def _asked(one: Contestant, number: int, *, quick: bool) -> dict[str, Load]:
    """Return what a server is offered in round `number`."""
    if number and one.share < 1:
        return {}
    every = loads(quick=quick, share=one.share)
    return {name: load for name, load in every.items() if not number or name not in FIRST_ROUND}


def _profiling(one: Contestant, served: Served, name: str, profiles: Path | None) -> AbstractContextManager[None]:
    if profiles is None or not one.is_python or name == "warm-up":
        return nullcontext()
    return profiled(served, profiles / f"{one.key}-{name}.txt")


def find_highest(one: Contestant, found: Found, cores: Cores, *, quick: bool) -> Highest | None:
    """Look for the highest rate, from what the sessions of the rounds make likely."""

    def offer(per_s: float) -> Trial:
        trial = try_out(served, searched(per_s, 1.5 if quick else 4), cores)
        tell(f"{one.label}: {per_s:,.0f} deliveries/s offered: {trial}")
        return trial

    cpu_us = statistics.median(trial.cpu_us for trial in found.trials["classroom"])
    with serving(one, cores) as served:
        return search(offer, 0.7e6 / cpu_us, most=MOST_PER_S, tries=1 if quick else TRIES)


def tell(news: str) -> None:
    """Say on standard error how far it is."""
    print(f"  {news}", file=sys.stderr, flush=True)


def compare(present: Sequence[Contestant], cores: Cores, rounds: int, *, quick: bool) -> Findings:
    """Measure everything."""
    findings = play_rounds(present, cores, rounds, quick=quick)
    for one in present:
        findings[one.key].highest = find_highest(one, findings[one.key], cores, quick=quick)
        if one.floods:
            with serving(one, cores) as served:
                stall = findings[one.key].stall = flood(served, cores, quick=quick)
            tell(f"{one.label}: {stall}")
    return findings


def chosen(keys: Sequence[str]) -> list[Contestant]:
    """Return the contestants that were asked for and can run here; say why the others cannot."""
    present = []
    for one in CONTESTANTS:
        if keys and one.key not in keys:
            continue
        if (lacking := one.lacking()) is not None:
            print(f"  skipped: {one.label}: {lacking}")
        else:
            present.append(one)
    return present


def main() -> None:
    keys = [one.key for one in CONTESTANTS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", choices=[[], *keys], help="which servers; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--quick", action="store_true", help="one short round of a tenth, to see that it works")
    parser.add_argument("--json", type=Path, help="write the figures of all rounds to this file")
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="DIR",
        help="one round in which py-spy records the servers in Python, a file each",
    )
    options = parser.parse_args()
    cores = two_cores()
    if cores is None:
        print("  skipped: one core only. The server needs one, and the load tester another.")
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    present = chosen(options.only)
    if options.profile:
        options.profile.mkdir(parents=True, exist_ok=True)
        play_rounds(present, cores, 1, quick=options.quick, profiles=options.profile)
        print(f"  written: the stacks of each load, in {options.profile}")
        return
    findings = compare(present, cores, 1 if options.quick else options.rounds, quick=options.quick)
    print(as_text(findings))
    print(f"\n{goals_as_text(findings)}")
    if options.json:
        options.json.write_text(json.dumps(as_data(findings), indent=2) + "\n")


if __name__ == "__main__":
    main()
