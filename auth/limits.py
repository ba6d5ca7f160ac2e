"""Rate limits: token buckets, alone and by key. Pure; time is a parameter, in seconds that never run backwards."""

import math
from collections import OrderedDict
from collections.abc import Hashable

from core.errors import ErrorCode, HomeroomError

# A caller that waits exactly as long as `take` said must get through, though floats round. What is lent is owed.
_ROUNDING = 1e-6


class TokenBucket:
    """Lets `burst` events through at once, and `rate_per_s` in the long run: in t seconds at most burst + rate * t."""

    __slots__ = ("_burst", "_rate", "_tokens", "_updated")

    def __init__(self, rate_per_s: float, burst: float) -> None:
        _check(rate_per_s, burst)
        self._rate = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._updated = -math.inf

    def take(self, now: float) -> float:
        """Take one token: return 0.0, or the seconds until there is one. A refused call takes nothing."""
        self._fill(now)
        if self._tokens >= 1 - _ROUNDING:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate

    def is_full(self, now: float) -> bool:
        """Return whether a new bucket would be no different."""
        self._fill(now)
        return self._tokens >= self._burst

    def _fill(self, now: float) -> None:
        if now > self._updated:
            self._tokens = min(self._burst, self._tokens + (now - self._updated) * self._rate)
            self._updated = now


class KeyedBuckets:
    """One bucket per key, all with the same limit, in bounded memory. O(1) amortised.

    A full bucket is forgotten, as a new one would be no different. Beyond `max_keys` the bucket that was idle longest
    goes even if it is not full, so a flood of keys costs precision and never memory.
    """

    __slots__ = ("_buckets", "_burst", "_max_keys", "_rate")

    def __init__(self, rate_per_s: float, burst: float, *, max_keys: int = 100_000) -> None:
        _check(rate_per_s, burst)
        if max_keys < 1:
            raise ValueError("max_keys must be at least 1")
        self._rate = rate_per_s
        self._burst = burst
        self._max_keys = max_keys
        self._buckets: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: Hashable, now: float) -> float:
        """Take one token of `key`'s bucket: return 0.0, or the seconds until there is one."""
        bucket = self._buckets.get(key)
        if bucket is None:
            self._sweep(now)
            bucket = self._buckets[key] = TokenBucket(self._rate, self._burst)
        else:
            self._buckets.move_to_end(key)
        return bucket.take(now)

    def _sweep(self, now: float) -> None:
        # Two for every key that comes in: the idle ones are gone sooner than new ones arrive.
        for _ in range(2):
            if not self._buckets or not next(iter(self._buckets.values())).is_full(now):
                break
            self._buckets.popitem(last=False)
        if len(self._buckets) >= self._max_keys:
            self._buckets.popitem(last=False)


def rate_limited(wait_s: float, message: str | None = None) -> HomeroomError:
    """Return the `rate.limited` of a `take` that answered `wait_s`."""
    return HomeroomError(ErrorCode.RATE_LIMITED, message, retry_after_ms=max(1, math.ceil(wait_s * 1000)))


def _check(rate_per_s: float, burst: float) -> None:
    if not (0 < rate_per_s < math.inf and 1 <= burst < math.inf):
        raise ValueError("a rate must be above 0 and a burst at least 1")
