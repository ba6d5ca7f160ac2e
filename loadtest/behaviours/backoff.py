"""How long a client waits before it tries again."""

FIRST_S = 0.5
LONGEST_S = 10.0


def backoff_s(attempt: int, random: float) -> float:
    """Return the wait before retry number `attempt` (from 0): a jittered share of a ceiling that doubles.

    `random` is in [0, 1).
    """
    ceiling = min(LONGEST_S, FIRST_S * 2.0 ** min(attempt, 10))
    return ceiling * (0.25 + 0.75 * random)
