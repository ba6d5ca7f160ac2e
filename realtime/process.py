"""The process around a server: its event loop, how many files it may open, and when its garbage is collected."""

import contextlib
import gc
import sys

if sys.platform == "win32":
    from asyncio import new_event_loop
else:
    import resource

    from uvloop import new_event_loop

__all__ = ["COMFORTABLE_OPEN_FILES", "GC_THRESHOLDS", "new_event_loop", "open_files", "raise_open_files", "settle"]

COMFORTABLE_OPEN_FILES = 4096
"""With fewer, a school may run out of them."""

_PLAIN_OPEN_FILES = 10_240
"""What macOS allows when it names no highest number."""

GC_THRESHOLDS = (2_000, 10, 200)
"""When to look for garbage that refers to itself. A connection is 43 objects that the collector looks at.

While 9,000 connections came, passes over the youngest took 0.6 ms at most, those over the young 6 ms, all of them 17 µs
for each connection; with fewer and longer ones people waited up to 0.2 s. A pass over everything takes 0.25 s with all
of them there, so it comes after 4.4 million objects more than were freed, for which a full processor takes minutes.
"""


def open_files() -> int | None:
    """Return how many files this process may open; None where the system does not say."""
    if sys.platform == "win32":
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def raise_open_files() -> int | None:
    """Let this process open as many files as it may let itself; return how many, None where the system does not say.

    Each connection is an open file, and shells start programs with 1,024.
    """
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        for limit in (hard, _PLAIN_OPEN_FILES):
            if soft == limit or (resource.RLIM_INFINITY not in {soft, limit} and soft >= limit):
                break
            with contextlib.suppress(ValueError, OSError):  # a system may refuse its own highest number
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                break
    return open_files()


def settle() -> None:
    """Set the garbage collector up for a server. Call when everything that lives as long as the process is there.

    What is there by then is never looked at again. A connection that ends leaves nothing that refers to itself (a test
    holds it to that), so reference counts free it; the collector is for what exceptions and libraries leave behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
