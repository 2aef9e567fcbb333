"""Rate limits: a bucket of tokens an API key, refilled by the clock."""

from __future__ import annotations

from dataclasses import dataclass, field

_MICROSECONDS = 1_000_000


@dataclass
class RateLimits:
    """Token buckets by name; a bucket holds one second's worth, so that short bursts pass.

    Parameters
    ----------
    most_buckets : names remembered; beyond it the one unused longest is forgotten, which refills it.

    >>> limits = RateLimits()
    >>> [limits.take("till", 2, now=0) for _ in range(3)]
    [0.0, 0.0, 0.5]
    >>> limits.take("till", 2, now=500_000)
    0.0
    """

    most_buckets: int = 10_000
    _buckets: dict[str, tuple[float, int]] = field(default_factory=dict, init=False, repr=False)

    def take(self, name: str, rate_per_second: int, *, now: int, tokens: int = 1) -> float:
        """Take tokens; 0.0 where there were enough, else the seconds until there are.

        Parameters
        ----------
        rate_per_second : tokens refilled a second; 0 = no limit.
        now : µs, must not be the wall clock's jumps: a clock going back refills nothing.
        """
        if rate_per_second <= 0:
            return 0.0
        held, seen = self._buckets.pop(name, (float(rate_per_second), now))
        held = min(float(rate_per_second), held + max(0, now - seen) / _MICROSECONDS * rate_per_second)
        # One request larger than a whole second's worth passes when the bucket is full, and empties it below zero.
        needed = min(float(tokens), float(rate_per_second))
        wait = 0.0 if held >= needed else (needed - held) / rate_per_second
        self._buckets[name] = (held - tokens if wait == 0.0 else held, now)
        if len(self._buckets) > self.most_buckets:
            del self._buckets[next(iter(self._buckets))]
        return wait
