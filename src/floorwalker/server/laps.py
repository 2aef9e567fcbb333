"""Where the time of a start goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Laps:
    """Seconds of one stage after the other.

    >>> laps = Laps()
    >>> laps.end("reading")
    >>> list(laps.seconds)
    ['reading']
    """

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def end(self, stage: str) -> None:
        """The stage that ends now, and began where the last one ended."""
        now = time.perf_counter()
        self.seconds[stage] = round(now - self._last, 3)
        self._last = now
