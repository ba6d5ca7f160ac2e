"""The open schedule, on a clock of the test's own."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.measure.histogram import Histogram
from loadtest.measure.names import Metric
from loadtest.measure.recorder import Recorder
from loadtest.run.schedule import AT_ONCE, OpenSchedule

MS = 1_000_000


class Timer:
    """What a loop returns for a later call."""

    def __init__(self, due_ns: int, call: Callable[[], None]) -> None:
        self.due_ns = due_ns
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        """Forget it."""
        self.cancelled = True


class SlowLoop:
    """A loop whose time the test moves; timers have a resolution of 1 ms, like uvloop's."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.timers: list[Timer] = []

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Keep a timer."""
        return self._keep(self.now_ns + round(delay * 1000) * MS, callback)

    def call_soon(self, callback: Callable[[], None], /) -> Timer:
        """Keep a timer that is due."""
        return self._keep(self.now_ns, callback)

    def pass_to(self, until_ns: int) -> None:
        """Let time pass, and timers fire."""
        while due := [timer for timer in self.timers if not timer.cancelled and timer.due_ns <= until_ns]:
            first = min(due, key=lambda timer: timer.due_ns)
            self.timers.remove(first)
            self.now_ns = max(self.now_ns, first.due_ns)
            first.call()
        self.now_ns = max(self.now_ns, until_ns)

    def _keep(self, due_ns: int, callback: Callable[[], None]) -> Timer:
        timer = Timer(due_ns, callback)
        self.timers.append(timer)
        return timer


class Diary:
    """When actions were begun, and when they were due."""

    def __init__(self, loop: SlowLoop) -> None:
        self._loop = loop
        self.entries: list[tuple[int, int]] = []

    def write(self, due_ns: int) -> None:
        """Note an action that is begun now."""
        self.entries.append((due_ns, self._loop.now_ns))


@pytest.fixture
def loop() -> SlowLoop:
    """A loop at time 0."""
    return SlowLoop()


def schedule_on(loop: SlowLoop, recorder: Recorder | None = None) -> OpenSchedule:
    """Return a schedule that lives by the loop's clock."""
    return OpenSchedule(loop, recorder or Recorder(), lambda: loop.now_ns)


@given(st.lists(st.integers(min_value=0, max_value=10**10), max_size=300))
def test_each_action_is_begun_once_in_order_never_early_and_hardly_late(dues: list[int]) -> None:
    """Whatever the order of planning, and however many are due together."""
    loop = SlowLoop()
    schedule, diary = schedule_on(loop), Diary(loop)
    for due_ns in dues:
        schedule.at(due_ns, diary.write)
    loop.pass_to(11 * 10**9)
    assert sorted(dues) == [due_ns for due_ns, _ in diary.entries]
    assert [] == [entry for entry in diary.entries if not 0 <= entry[1] - entry[0] <= MS]
    assert (len(dues), 0) == (schedule.begun, schedule.missed)


def test_an_action_may_plan_the_next_one(loop: SlowLoop) -> None:
    """A chain keeps its own times, however late each link is begun."""
    schedule, diary = schedule_on(loop), Diary(loop)

    def again(due_ns: int) -> None:
        diary.write(due_ns)
        if due_ns < 500 * MS:
            schedule.at(due_ns + 100 * MS, again)

    schedule.at(100 * MS, again)
    loop.now_ns = 350 * MS  # the process was away
    loop.pass_to(10**9)
    assert [100, 200, 300, 400, 500] == [due_ns // MS for due_ns, _ in diary.entries]
    assert [350, 350, 350, 400, 500] == [begun_ns // MS for _, begun_ns in diary.entries]


def test_lateness_is_recorded(loop: SlowLoop) -> None:
    """What the generator was late by is a latency of its own, for each action."""
    recorder = Recorder()
    schedule, diary = schedule_on(loop, recorder), Diary(loop)
    schedule.at(10 * MS, diary.write)
    loop.now_ns = 60 * MS
    loop.pass_to(60 * MS)
    lag = Histogram.decode(recorder.drain().histograms[Metric.LAG]).latency()
    assert 1 == lag.count
    assert pytest.approx(50, rel=0.01) == lag.max


def test_one_turn_of_the_loop_is_short(loop: SlowLoop) -> None:
    """A schedule that is behind lets others have the loop between its actions."""
    schedule, diary = schedule_on(loop), Diary(loop)
    for _ in range(AT_ONCE + 1):
        schedule.at(0, diary.write)
    (first,) = [timer for timer in loop.timers if not timer.cancelled]
    first.call()
    assert AT_ONCE == len(diary.entries)


def test_what_an_action_raises_is_counted_and_stops_no_other(loop: SlowLoop) -> None:
    """A behaviour's mistake becomes a fault of the report."""
    recorder = Recorder()
    schedule, diary = schedule_on(loop, recorder), Diary(loop)

    def fail(due_ns: int) -> None:
        raise ValueError("oops")

    schedule.at(1, fail)
    schedule.at(2, diary.write)
    loop.pass_to(10 * MS)
    assert [2] == [due_ns for due_ns, _ in diary.entries]
    assert "oops" in str(recorder.drain().errors)


def test_a_stopped_schedule_begins_nothing_and_tells_what_it_missed(loop: SlowLoop) -> None:
    """Actions that were due count as missed; those of the future do not, nor does anything planned later."""
    schedule, diary = schedule_on(loop), Diary(loop)
    for due_ns in (10 * MS, 20 * MS, 30 * MS):
        schedule.at(due_ns, diary.write)
    loop.now_ns = 20 * MS
    schedule.stop()
    schedule.at(21 * MS, diary.write)
    loop.pass_to(100 * MS)
    assert ([], 2, 0) == (diary.entries, schedule.missed, schedule.begun)
