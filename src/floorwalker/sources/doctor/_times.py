"""What the times of events say: gaps, order, clocks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_MOST_HOURS = 400_000
_LATE = 600_000_000
_SKEW_STEP = 1_000_000
_SKEW_SPAN = 15 * 3600


@dataclass(frozen=True)
class Gap:
    """A stretch without an event: from, to (microseconds since 1970-01-01 UTC) and its length in hours."""

    start: int
    end: int
    hours: int


class TimeProfile:
    """Collects times in the order in which events come; memory is bounded by the hours that they span."""

    def __init__(self) -> None:
        self.first = 2**62
        self.last = -(2**62)
        self.count = 0
        self.out_of_order = 0
        self.late = 0
        self.worst_lateness = 0
        self.at_midnight = 0
        self.whole_seconds = 0
        self.received = 0
        self.ahead = 0
        self.received_late = 0
        self._newest = -(2**62)
        self._hours: Counter[int] = Counter()
        self._skew: Counter[int] = Counter()

    def add(self, at: NDArray[np.int64], received_at: NDArray[np.int64], now: int) -> None:
        """Count events in their order; a receipt of 0 or of `now` says nothing."""
        self.count += len(at)
        self.first, self.last = min(self.first, int(at.min())), max(self.last, int(at.max()))
        newest = np.maximum.accumulate(np.concatenate([[self._newest], at]))[:-1]
        behind = newest - at
        if self._newest < -(2**61):
            behind[0] = 0
        behind = np.maximum(behind, 0)
        self._newest = self.last
        self.out_of_order += int(np.count_nonzero(behind > 0))
        self.late += int(np.count_nonzero(behind > _LATE))
        self.worst_lateness = max(self.worst_lateness, int(behind.max()))
        self.at_midnight += int(np.count_nonzero(at % _DAY == 0))
        self.whole_seconds += int(np.count_nonzero(at % 1_000_000 == 0))
        hours, counts = np.unique(at // _HOUR, return_counts=True)
        if len(self._hours) < _MOST_HOURS:
            self._hours.update(dict(zip(hours.tolist(), counts.tolist(), strict=True)))
        known = (received_at > 0) & (received_at != now)
        if known.any():
            skew = received_at[known] - at[known]
            self.received += len(skew)
            self.ahead += int(np.count_nonzero(skew < 0))
            self.received_late += int(np.count_nonzero(skew > _LATE))
            steps = np.clip(np.rint(skew / _SKEW_STEP), -_SKEW_SPAN, _SKEW_SPAN).astype(np.int64)
            places, counts = np.unique(steps, return_counts=True)
            self._skew.update(dict(zip(places.tolist(), counts.tolist(), strict=True)))

    def skew_quantile(self, share: float) -> float | None:
        """Seconds from an event to its receipt, capped at 15 hours; None where no receipt is known."""
        seen = 0
        for place in sorted(self._skew):
            seen += self._skew[place]
            if seen >= share * self.received:
                return float(place)
        return None

    @property
    def zone_fault_hours(self) -> float:
        """Hours by which the clock seems to be in another time zone: the middle receipt is a whole number of half
        hours away, to a minute; 0 where it is not."""
        middle = self.skew_quantile(0.5)
        if middle is None or abs(middle) < 1740:
            return 0.0
        halves = round(middle / 1800)
        return halves / 2 if abs(middle - halves * 1800) <= 60 else 0.0

    def gaps(self, most: int = 5) -> list[Gap]:
        """The longest stretches of whole hours without an event that are no usual night.

        A stretch counts when the events of a typical week would have put at least 10 into it: with that many expected,
        an empty stretch comes by chance once in 20,000.
        """
        hours = sorted(self._hours)
        if len(hours) < 2:
            return []
        usual = self._usual_week(hours)
        found = []
        for before, after in pairwise(hours):
            length = after - before - 1
            if length < 1:
                continue
            whole, part = divmod(length, 168)
            expected = whole * float(usual.sum()) + sum(float(usual[(before + 1 + step) % 168]) for step in range(part))
            if expected >= 10:
                found.append(Gap((before + 1) * _HOUR, after * _HOUR, length))
        return sorted(found, key=lambda gap: (-gap.hours, gap.start))[:most]

    def _usual_week(self, hours: list[int]) -> NDArray[np.float64]:
        """Events in each hour of a week: the median over the weeks, for gaps and rushes must not count."""
        weeks = max(1, (hours[-1] - hours[0] + 167) // 168)
        usual = np.zeros(168)
        by_hour: dict[int, list[int]] = {}
        for hour, count in self._hours.items():
            by_hour.setdefault(hour % 168, []).append(count)
        for hour, counts in by_hour.items():
            padded = counts + [0] * max(0, weeks - len(counts))
            usual[hour] = float(np.median(padded))
        return usual

    @property
    def days_with_events(self) -> int:
        """Days (UTC) with at least one event."""
        return len({hour // 24 for hour in self._hours})

    @property
    def days_spanned(self) -> int:
        """Days (UTC) from the first event to the last."""
        return self.last // _DAY - self.first // _DAY + 1 if self.count else 0
