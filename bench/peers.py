"""Homeroom beside what a school would pick instead, in one run: `python -m bench.peers`.

The server has one core and the load tester another. Every round measures every server, in another order each time; the
table shows medians, and in brackets how many times the figure of Socket.IO on Node. A delivery is one `message:new` at
one connection, the sender's own too; its CPU includes acks, and in chats of two also typing and receipts.
"""

import argparse
import json
import resource
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench.contestants import CONTESTANTS, Contestant
from bench.process import Served
from bench.search import Highest, search
from bench.table import Findings, Found, as_data, as_text
from bench.trial import Cores, Load, Trial, on, try_out, two_cores

SESSIONS: Final = 20
MEMBERS: Final = 50
MOST_PER_S: Final = 160_000
"""What the people of the search can say at most: each of them four times a second."""


def loads(*, quick: bool) -> dict[str, Load]:
    """Return what is offered to every server, by name.

    `idle` comes first, while the server's memory is untouched; the warm-up, for V8's compiler, is in no table.
    """
    load_s = 1.5 if quick else 3
    phases = (f"load_s={load_s}", "settle_s=3", "sync_s=10")
    people = 500 if quick else 3000
    return {
        "idle": Load("connect", (f"people.people={people}", f"ramp_s={people / 800}", "load_s=1", "settle_s=1")),
        "warm-up": _classroom(10_000, 1.5, sessions=5),
        "pairs": Load("pairs", ("chats.pairs=400", "chats.message_every_s=2.5", "ramp_s=1", *phases)),
        "classroom": _classroom(10_000, load_s),
        "lecture": Load(
            "lecture",
            (
                "hall.listeners=990",
                "hall.speakers=10",
                "hall.speaker_every_s=1.1",
                "hall.teacher_every_s=1",
                "hall.receipts=false",
                "ramp_s=1.5",
                *phases,
            ),
        ),
    }


def _classroom(per_s: float, load_s: float, *, sessions: int = SESSIONS) -> Load:
    """Return sessions in which everyone says as much as it takes for so many deliveries a second."""
    people = sessions * MEMBERS
    every_s = people * MEMBERS / per_s
    changes = {
        "lessons.sessions": sessions,
        "lessons.members": MEMBERS,
        "lessons.student_every_s": every_s,
        "lessons.teacher_every_s": every_s,
        "lessons.typing": "false",
        "lessons.receipts": "false",
        "ramp_s": people / 650,
        "load_s": load_s,
        "settle_s": 3,
        "sync_s": 10,
    }
    return Load("classroom", tuple(f"{name}={value}" for name, value in changes.items()))


@contextmanager
def serving(one: Contestant, cores: Cores) -> Iterator[Served]:
    """Run a server, and all that belongs to it, on the server's core."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        with on(cores.server):
            served = stack.enter_context(one.serving(Path(directory)))
        yield served


def play_rounds(present: Sequence[Contestant], asked: Mapping[str, Load], cores: Cores, rounds: int) -> Findings:
    """Run every load against every server, round by round."""
    trials: Findings = {one.key: Found({name: [] for name in asked}) for one in present}
    for number in range(rounds):
        turn = number % len(present)
        for one in (*present[turn:], *present[:turn]):
            with serving(one, cores) as served:
                for name, load in asked.items():
                    trial = try_out(served, load, cores)
                    trials[one.key].trials[name].append(trial)
                    tell(f"round {number + 1}: {one.label}, {name}: {trial}")
    return trials


def find_highest(one: Contestant, found: Found, cores: Cores, *, quick: bool) -> Highest | None:
    """Look for the highest rate, from what the sessions of the rounds make likely."""

    def offer(per_s: float) -> Trial:
        trial = try_out(served, _classroom(per_s, 1.5 if quick else 4), cores)
        tell(f"{one.label}: {per_s:,.0f} deliveries/s offered: {trial}")
        return trial

    cpu_us = statistics.median(trial.cpu_us for trial in found.trials["classroom"])
    with serving(one, cores) as served:
        return search(offer, 0.7e6 / cpu_us, most=MOST_PER_S, tries=1 if quick else 4)


def tell(news: str) -> None:
    """Say on standard error how far it is."""
    print(f"  {news}", file=sys.stderr, flush=True)


def compare(present: Sequence[Contestant], cores: Cores, rounds: int, *, quick: bool) -> Findings:
    """Measure everything."""
    findings = play_rounds(present, loads(quick=quick), cores, rounds)
    for one in present:
        findings[one.key].highest = find_highest(one, findings[one.key], cores, quick=quick)
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
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--json", type=Path, help="write the figures of all rounds to this file")
    options = parser.parse_args()
    cores = two_cores()
    if cores is None:
        print("  skipped: one core only. The server needs one, and the load tester another.")
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    present = chosen(options.only)
    findings = compare(present, cores, 1 if options.quick else options.rounds, quick=options.quick)
    print(as_text(findings))
    if options.json:
        options.json.write_text(json.dumps(as_data(findings), indent=2) + "\n")


if __name__ == "__main__":
    main()
