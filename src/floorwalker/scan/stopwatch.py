"""Seconds per stage, on a clock that is handed in."""

from __future__ import annotations

from collections.abc import Callable


class Stopwatch:
    """Laps by name; without a clock every lap is zero.

    >>> ticks = iter([0.0, 1.5, 2.0])
    >>> watch = Stopwatch(lambda: next(ticks))
    >>> watch.lap("read"); watch.lap("judge"); watch.laps
    {'read': 1.5, 'judge': 0.5}
    """

    def __init__(self, seconds: Callable[[], float] | None) -> None:
        self._seconds = seconds
        self._last = seconds() if seconds else 0.0
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """Close the running lap under this name."""
        now = self._seconds() if self._seconds else 0.0
        self.laps[name] = self.laps.get(name, 0.0) + now - self._last
        self._last = now
