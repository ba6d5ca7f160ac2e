"""What the engine is meant to reach, as times the figure of Socket.IO on Node in the same run, and whether it has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.contestants import ENGINE, FULL, REFERENCE
from bench.stall import Stall
from bench.table import Findings, Found, figure
from bench.trial import Trial

MOST_IDLE: Final = 0.02
"""Of a core."""
MOST_CUT_S: Final = 1.0
MOST_GROWN_MB: Final = 8.0
MOVED: Final = 1.25
"""Times the p99 of the calm before, from which on it has moved, if it is by more than `MOVED_MS` too."""
MOVED_MS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio to reach, of one of ours to the reference."""

    title: str
    ours: str
    of: Callable[[Found], float | None]
    must: float
    aim: float
    more_is_better: bool = False
    digits: int = 1

    def is_reached(self, ratio: float, limit: float) -> bool:
        """Whether a ratio is as good as a limit."""
        return ratio >= limit if self.more_is_better else ratio <= limit


def _median(load: str, of: Callable[[Trial], float | None]) -> Callable[[Found], float | None]:
    return lambda found: figure(load, of, found)


def _highest(found: Found) -> float | None:
    return found.highest.per_s if found.highest else None


GOALS: Final = (
    Goal(
        "sessions of 50, 40,000/s, engine: CPU per delivery, µs",
        ENGINE,
        _median("classroom", lambda trial: trial.cpu_us),
        0.70,
        0.60,
    ),
    Goal(
        "one room of 2,000, 40,000/s, engine: CPU per delivery, µs",
        ENGINE,
        _median("lecture", lambda trial: trial.cpu_us),
        0.60,
        0.53,
    ),
    Goal(
        "2,000 chats of two, full: CPU per delivery, µs",
        FULL,
        _median("pairs", lambda trial: trial.cpu_us),
        2.0,
        1.0,
    ),
    Goal(
        "10,000 people with a room, full: memory of each, KB",
        FULL,
        _median("idle", lambda trial: trial.connection_kb),
        1.0,
        0.6,
    ),
    Goal(
        "coming in again, full: CPU of each, ms",
        FULL,
        _median("returning", lambda trial: trial.connect_ms),
        1.0,
        0.4,
        digits=3,
    ),
    Goal("highest deliveries/s with p99 < 100 ms, engine", ENGINE, _highest, 1.4, 1.8, more_is_better=True, digits=0),
)


def goals_as_text(findings: Findings) -> str:
    """Return the table: one line for each goal of which both figures were found, then those without a ratio."""
    lines = [_line("goal", "Node", "ours", "ratio", "must", "aim", "")]
    lines += [line for goal in GOALS if (line := _against_node(goal, findings)) is not None]
    lines += [*_idle(findings), *_stalled(findings)]
    return "\n".join(lines)


def _against_node(goal: Goal, findings: Findings) -> str | None:
    ours = goal.of(findings[goal.ours]) if goal.ours in findings else None
    theirs = goal.of(findings[REFERENCE]) if REFERENCE in findings else None
    if ours is None or not theirs:
        return None
    ratio, sign = ours / theirs, "≥" if goal.more_is_better else "≤"
    return _line(
        goal.title,
        f"{theirs:,.{goal.digits}f}",
        f"{ours:,.{goal.digits}f}",
        f"{ratio:.2f}",
        f"{sign} {goal.must:.2f}",
        f"{goal.aim:.2f}",
        "aim reached"
        if goal.is_reached(ratio, goal.aim)
        else "reached"
        if goal.is_reached(ratio, goal.must)
        else "NOT REACHED",
    )


def _idle(findings: Findings) -> list[str]:
    cores = {
        key: figure("idle", lambda trial: trial.load_cores, findings[key])
        for key in (REFERENCE, FULL)
        if key in findings
    }
    ours = cores.get(FULL)
    if ours is None:
        return []
    theirs = cores.get(REFERENCE)
    return [
        _line(
            "10,000 people who say nothing, full: % of a core",
            "–" if theirs is None else f"{theirs:.2%}",
            f"{ours:.2%}",
            "",
            f"< {MOST_IDLE:.0%}",
            "",
            "reached" if ours < MOST_IDLE else "NOT REACHED",
        )
    ]


def _stalled(findings: Findings) -> list[str]:
    ours = findings[ENGINE].stall if ENGINE in findings else None
    if ours is None:
        return []
    theirs = findings[REFERENCE].stall if REFERENCE in findings else None
    return [
        _line(
            "100 MB for one who reads nothing: cut off after", _cut(theirs), _cut(ours), "", "≤ 1 s", "", _told(ours, 0)
        ),
        _line("… the server grew by", _grown(theirs), _grown(ours), "", "< 8 MB", "", _told(ours, 1)),
        _line("… the others' p99, calm and then", _moved(theirs), _moved(ours), "", "unmoved", "", _told(ours, 2)),
    ]


def verdicts(stall: Stall) -> tuple[bool, bool, bool]:
    """Return whether the stalled one was cut off in time, the server stayed small, and the others noticed nothing."""
    limit_ms = max(stall.calm_p99_ms * MOVED, stall.calm_p99_ms + MOVED_MS)
    return (
        stall.cut_after_s is not None and stall.cut_after_s <= MOST_CUT_S,
        stall.grown_mb < MOST_GROWN_MB,
        stall.p99_ms <= limit_ms,
    )


def _told(stall: Stall, place: int) -> str:
    return "reached" if verdicts(stall)[place] else "NOT REACHED"


def _cut(stall: Stall | None) -> str:
    if stall is None:
        return "–"
    return "never" if stall.cut_after_s is None else f"{stall.cut_after_s:.2f} s"


def _grown(stall: Stall | None) -> str:
    return "–" if stall is None else f"{stall.grown_mb:.1f} MB"


def _moved(stall: Stall | None) -> str:
    return "–" if stall is None else f"{stall.calm_p99_ms:.1f}, {stall.p99_ms:.1f} ms"


def _line(title: str, theirs: str, ours: str, ratio: str, must: str, aim: str, told: str) -> str:
    return f"{title:<60}{theirs:>16}{ours:>16}{ratio:>8}{must:>10}{aim:>7}  {told}".rstrip()
