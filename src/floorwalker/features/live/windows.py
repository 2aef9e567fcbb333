"""The windows that live features look back over, and the buckets behind them.

A window is kept as a ring of buckets whose edges stand at whole multiples of the bucket's width since 1970-01-01 UTC.
The current bucket is always part of the window, so a window of B buckets reaches back between (B - 1) / B of its length
and its whole length. Windows of one level share one ring.

>>> WINDOWS["1d"].level, WINDOWS["1d"].buckets, LEVELS[WINDOWS["1d"].level].seconds
(3, 12, 7200)
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

MICROSECONDS = 1_000_000
TICK_SECONDS = 10
"""Width of the finest bucket. Every other width is a multiple of it."""


@dataclass(frozen=True)
class Level:
    """One width of bucket: `seconds` long, at most `buckets` of them in a ring."""

    seconds: int
    buckets: int


LEVELS: tuple[Level, ...] = (
    Level(10, 6),
    Level(60, 10),
    Level(300, 12),
    Level(7_200, 12),
    Level(43_200, 14),
    Level(172_800, 15),
    Level(2_628_000, 12),
    Level(0, 1),
)
"""The widths, finest first; the last has one bucket without edges, for a lifetime. `_buckets.bucket_numbers` knows them
by heart, so that it divides by constants."""

LIFETIME_LEVEL = len(LEVELS) - 1


@dataclass(frozen=True)
class Window:
    """How far back a feature looks.

    Parameters
    ----------
    name : as it stands at the end of a feature's name.
    level : index of `LEVELS`.
    buckets : how many buckets of that level, with the current one.
    seconds : nominal length; 0 for a lifetime.
    """

    name: str
    level: int
    buckets: int
    seconds: int

    @property
    def least_seconds(self) -> int:
        """The shortest stretch that the window covers: just after a bucket's edge."""
        return 0 if self.level == LIFETIME_LEVEL else (self.buckets - 1) * LEVELS[self.level].seconds

    @property
    def most_seconds(self) -> int:
        """The longest stretch that the window covers: just before a bucket's edge."""
        return self.buckets * LEVELS[self.level].seconds


WINDOWS = MappingProxyType(
    {
        window.name: window
        for window in (
            Window("1m", 0, 6, 60),
            Window("10m", 1, 10, 600),
            Window("1h", 2, 12, 3_600),
            Window("1d", 3, 12, 86_400),
            Window("7d", 4, 14, 7 * 86_400),
            Window("30d", 5, 15, 30 * 86_400),
            Window("90d", 6, 3, 90 * 86_400),
            Window("180d", 6, 6, 180 * 86_400),
            Window("365d", 6, 12, 365 * 86_400),
            Window("life", LIFETIME_LEVEL, 1, 0),
        )
    }
)
"""Every window by its name."""
