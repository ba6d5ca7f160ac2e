"""core.ids: ids that sort by the time they were made."""

import threading
import time
import uuid

from core.ids import uuid7


def test_ids_increase_and_never_repeat() -> None:
    """Ids made one after the other are in order as text, also within one millisecond."""
    made = [uuid7() for _ in range(20_000)]
    assert sorted(set(made)) == made


def test_ids_are_version_7_of_now() -> None:
    """An id is a UUID of RFC 9562, version 7, whose first 48 bits are the time in milliseconds."""
    before = time.time_ns() // 1_000_000
    made = uuid7()
    parsed = uuid.UUID(made)
    assert (made, 7, uuid.RFC_4122) == (str(parsed), parsed.version, parsed.variant)
    assert before <= parsed.int >> 80 <= time.time_ns() // 1_000_000


def test_threads_make_different_ids() -> None:
    """Ids made at the same moment on several threads do not collide."""
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend([uuid7() for _ in range(2000)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 8000 == len(set(made))
