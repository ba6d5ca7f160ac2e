"""Deadlines: everything rings once, in order, not early, and not at all once it is cleared."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from realtime.engine.alarms import Alarm, Clockwork


class Hand:
    """A clock that is turned by hand, and what rang."""

    def __init__(self) -> None:
        self.now = 100.0
        self.rung: list[str] = []

    def alarm(self, delay_s: float = 5.0) -> Alarm[str]:
        """Return an alarm that writes down what rings."""
        return Alarm(delay_s, self.rung.append, lambda: self.now)


def test_it_rings_when_the_time_has_come_and_once() -> None:
    """Not a moment early, in the order of setting, and not again."""
    hand = Hand()
    alarm = hand.alarm()
    alarm.set("a")
    hand.now += 1
    alarm.set("b")
    hand.now += 3.999
    alarm.ring()
    assert [] == hand.rung
    hand.now += 0.001
    alarm.ring()
    assert ["a"] == hand.rung
    hand.now += 10
    alarm.ring()
    alarm.ring()
    assert ["a", "b"] == hand.rung


def test_setting_again_begins_anew_and_clearing_ends() -> None:
    """Who is set anew waits the whole time anew, behind the others; who is cleared never rings."""
    hand = Hand()
    alarm = hand.alarm()
    for name in ("a", "b", "c"):
        alarm.set(name)
    hand.now += 4
    alarm.set("a")
    alarm.clear("b")
    alarm.clear("nobody")
    hand.now += 1
    alarm.ring()
    assert ["c"] == hand.rung
    hand.now += 4
    alarm.ring()
    assert ["c", "a"] == hand.rung
    assert 0 == len(alarm)


def test_overdue_is_exact_though_the_timer_is_not() -> None:
    """Whoever asks hears that the time is over, before it rings."""
    hand = Hand()
    alarm = hand.alarm()
    alarm.set("a")
    assert not alarm.overdue("a")
    hand.now += 5
    assert alarm.overdue("a")
    assert not alarm.overdue("nobody")
    assert [] == hand.rung


def test_what_rings_may_set_itself_again() -> None:
    """A ring that sets the same thing anew does not go on for ever."""
    hand = Hand()

    def again(item: str) -> None:
        hand.rung.append(item)
        alarm.set(item)

    alarm = Alarm(1.0, again, lambda: hand.now)
    alarm.set("a")
    hand.now += 1
    alarm.ring()
    alarm.ring()
    assert ["a"] == hand.rung
    hand.now += 1
    alarm.ring()
    assert ["a", "a"] == hand.rung


def test_what_rings_may_clear_another() -> None:
    """Of two that are due, one that the other clears or sets anew does not ring."""
    hand = Hand()

    def one_for_all(item: str) -> None:
        hand.rung.append(item)
        alarm.clear("b")
        alarm.set("c")

    alarm = Alarm(1.0, one_for_all, lambda: hand.now)
    for name in ("a", "b", "c"):
        alarm.set(name)
    hand.now += 1
    alarm.ring()
    assert ["a"] == hand.rung
    assert 1 == len(alarm)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["set", "clear", "wait"]), st.floats(0, 3))))
def test_it_rings_like_one_timer_for_each(steps: list[tuple[str, str, float]]) -> None:
    """Whatever is set and cleared, the same rings as with a timer for each."""
    hand = Hand()
    alarm = hand.alarm(2.0)
    due: dict[str, float] = {}
    expected: list[str] = []
    for item, step, wait_s in steps:
        if step == "set":
            alarm.set(item)
            due.pop(item, None)
            due[item] = hand.now + 2.0
        elif step == "clear":
            alarm.clear(item)
            due.pop(item, None)
        else:
            hand.now += wait_s
            alarm.ring()
            over = [name for name in due if due[name] <= hand.now]
            expected += over
            for name in over:
                del due[name]
    assert expected == hand.rung


async def test_clockwork_ticks_until_it_is_stopped() -> None:
    """One timer rings all alarms; after `stop` nothing rings."""
    loop = asyncio.get_running_loop()
    rung = asyncio.Event()
    first = Alarm[str](0.01, lambda _: None, loop.time)
    second = Alarm[str](0.02, lambda _: rung.set(), loop.time)
    clockwork = Clockwork(loop)
    clockwork.start(first, second)
    first.set("a")
    second.set("b")
    await rung.wait()
    assert 0 == len(first)
    clockwork.stop()
    second.set("c")
    await asyncio.sleep(0.1)
    assert 1 == len(second)
