"""What is simulated: how much, how long, from when, and where the parts for learning and judging meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from floorwalker.errors import UsageError

SECOND = 1_000_000
"""Microseconds."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

SKILLS: tuple[str, ...] = ("naive", "skilled", "advanced", "expert")
"""Crafts of adversaries: from those who run somebody else's script to those who study the shop."""
SPLITS: tuple[str, ...] = ("train", "validation", "test")
"""Parts in the order of time."""
SPLIT_SHARES: tuple[float, ...] = (0.55, 0.15, 0.30)
"""How much of the days each part gets."""


@dataclass(frozen=True)
class Scenario:
    """One run of the shop.

    Parameters
    ----------
    events : about how many events are written, honest and malicious ones together.
    seed : the only source of chance: the same scenario gives the same bytes.
    days : local days, at least 3: each split has one.
    first_day : the first of them.
    shop : its name in every event.
    malicious_share : of all events, at most .03.
    only : ids of adversaries (`credential_stuffing`); empty means all of them.
    skills : of the adversaries (`expert`); empty means all four.
    """

    events: int = 100_000
    seed: int = 1
    days: int = 30
    first_day: date = date(2025, 10, 27)
    shop: str = "default"
    malicious_share: float = 0.026
    only: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, least, most in (("events", 1_000, 500_000_000), ("days", 3, 400)):
            if not least <= getattr(self, name) <= most:
                raise UsageError(f"{name} is {getattr(self, name)}", allowed=f"{least} to {most}")
        if not 0.0 <= self.malicious_share <= 0.03:
            raise UsageError(f"malicious_share is {self.malicious_share}", allowed="0 to 0.03")
        for skill in self.skills:
            if skill not in SKILLS:
                raise UsageError(f"unknown skill {skill!r}", allowed=", ".join(SKILLS))

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Scenario:
        """The scenario that `as_plain` gave, as it stands in a run's `manifest.json`.

        >>> Scenario.of(Scenario(seed=3, only=("carding",)).as_plain()) == Scenario(seed=3, only=("carding",))
        True
        """
        first_day = date.fromisoformat(plain["first_day"])
        several = {name: tuple(plain.get(name, ())) for name in ("only", "skills")}
        return cls(**{**plain, "first_day": first_day, **several})

    def as_plain(self) -> dict[str, Any]:
        """All of it as values that JSON knows."""
        return {
            **asdict(self),
            "first_day": self.first_day.isoformat(),
            "only": list(self.only),
            "skills": list(self.skills),
        }

    @property
    def first_at(self) -> int:
        """When it begins, microseconds since 1970-01-01 UTC."""
        start = datetime(self.first_day.year, self.first_day.month, self.first_day.day, tzinfo=UTC)
        return int(start.timestamp()) * SECOND

    @property
    def end_at(self) -> int:
        """When it is over; nothing happens at or after it."""
        return self.first_at + self.days * DAY

    @property
    def split_edges(self) -> tuple[int, int]:
        """When validation and when test begin; both at midnight, and each part has a day at least.

        >>> scenario = Scenario(days=30)
        >>> [(edge - scenario.first_at) // DAY for edge in scenario.split_edges]
        [16, 21]
        """
        first = min(max(1, int(self.days * SPLIT_SHARES[0])), self.days - 2)
        second = min(max(first + 1, int(self.days * (SPLIT_SHARES[0] + SPLIT_SHARES[1]))), self.days - 1)
        return self.first_at + first * DAY, self.first_at + second * DAY

    def split_of(self, at: int) -> str:
        """The part that this time falls into."""
        validation, test = self.split_edges
        return SPLITS[(at >= validation) + (at >= test)]

    def span_of(self, split: str) -> tuple[int, int]:
        """From when (included) until when (excluded) a part lasts."""
        edges = (self.first_at, *self.split_edges, self.end_at)
        place = SPLITS.index(split)
        return edges[place], edges[place + 1]
