"""Ledgers: what the one who takes in messages is told."""

import pickle

from loadtest.truth.ledger import Ledger
from loadtest.truth.stamp import Stamp


def stamp(number: int) -> Stamp:
    """Return a message of person 1."""
    return Stamp(1, number, 0)


def test_a_box_is_the_same_when_asked_for_again() -> None:
    """A person who comes back goes on with what they had, and is owed no less."""
    ledger = Ledger()
    inbox, outbox = ledger.inbox("chat", 2, from_seq=3), ledger.outbox("chat", 2)
    assert inbox is ledger.inbox("chat", 2, from_seq=9)
    assert outbox is ledger.outbox("chat", 2)
    assert (3, [1, 2, 3]) == (inbox.from_seq, [ledger.outbox("chat", 2).next() for _ in range(3)])


def test_only_the_first_live_copy_is_new() -> None:
    """The caller counts and times a delivery once."""
    inbox = Ledger().inbox("chat", 2, from_seq=0)
    assert [True, True, False, True, False] == [inbox.live(stamp(n), n) for n in (1, 3, 1, 2, 3)]


def test_a_live_copy_is_new_unless_its_own_connection_brought_it_in_a_snapshot() -> None:
    """What a snapshot of an earlier connection brought may come live over the next one."""
    inbox = Ledger().inbox("chat", 2, from_seq=0)
    assert inbox.caught_up(stamp(1), 1)
    assert not inbox.live(stamp(1), 1)
    inbox.caught_up(stamp(2), 2)
    inbox.reconnected()
    assert inbox.live(stamp(2), 2)
    assert 1 == inbox.duplicates


def test_what_is_asked_for_is_new_only_if_it_was_not_held() -> None:
    """By whatever way it came before."""
    inbox = Ledger().inbox("chat", 2, from_seq=0)
    inbox.live(stamp(1), 1)
    inbox.final(stamp(2), 2)
    assert [False, False, True, False] == [inbox.caught_up(stamp(n), n) for n in (1, 2, 3, 3)]
    assert [False, False, False, True] == [inbox.final(stamp(n), n) for n in (1, 2, 3, 4)]


def test_the_last_seq_is_the_highest_that_came_by_any_way() -> None:
    """From the place at which the person came in."""
    inbox = Ledger().inbox("chat", 2, from_seq=10)
    seen = [inbox.last_seq]
    for take, seq in ((inbox.live, 8), (inbox.live, 12), (inbox.caught_up, 14), (inbox.live, 13), (inbox.final, 15)):
        take(stamp(seq), seq)
        seen.append(inbox.last_seq)
    assert [10, 10, 12, 14, 14, 15] == seen


def test_order_is_judged_for_each_connection() -> None:
    """A new connection may begin with older messages than the last one ended with."""
    inbox = Ledger().inbox("chat", 2, from_seq=0)
    inbox.live(stamp(5), 5)
    inbox.reconnected()
    inbox.live(stamp(3), 3)
    assert 0 == inbox.disorder
    inbox.caught_up(stamp(7), 7)
    inbox.live(stamp(4), 4)
    assert 1 == inbox.disorder


def test_a_healthy_room_is_small_however_much_is_said() -> None:
    """A hundred listeners to twenty speakers cost the same to send after 10 and after 200 messages of each."""
    sizes = []
    for messages in (10, 200):
        ledger = Ledger()
        inboxes = [ledger.inbox("hall", person, from_seq=0) for person in range(100, 200)]
        for number in range(1, messages + 1):
            for sender in range(20):
                for inbox in inboxes:
                    inbox.live(Stamp(sender, number, 0), number * 20 + sender)
        data = ledger.export()
        assert {((1, messages),)} == {runs for inbox in data.inboxes for runs in inbox.live.values()}
        sizes.append(len(pickle.dumps(data.inboxes)))
    assert sizes[1] < 1.5 * sizes[0]
