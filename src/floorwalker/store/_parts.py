"""Names of the history's files: `day=2026-11-22/00000000000000000000-00000000000000001000-0.parquet`.

The first two numbers are the records a part was made from: first, and one behind the last. The third counts how often
it was rewritten. A part whose records another part of the day covers, of a wider range or a later count, is obsolete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ENDING = ".parquet"
_NAME = re.compile(r"(\d{20})-(\d{20})-(\d{1,9})\.parquet")
_DAY = re.compile(r"day=(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True)
class Part:
    """One file of one day: rows of the records from `first` to before `stop`, rewritten `count` times."""

    path: Path
    day: str
    first: int
    stop: int
    count: int

    def is_covered_by(self, other: Part) -> bool:
        """Whether the other part holds this one's rows in a newer form."""
        if other.path == self.path or not (other.first <= self.first and self.stop <= other.stop):
            return False
        is_wider = (other.first, other.stop) != (self.first, self.stop)
        return is_wider or other.count > self.count


def name_part(folder: Path, day: str, first: int, stop: int, count: int = 0) -> Path:
    """The file of a part.

    >>> str(name_part(Path("history"), "2026-11-22", 0, 1000))
    'history/day=2026-11-22/00000000000000000000-00000000000000001000-0.parquet'
    """
    return folder / f"day={day}" / f"{first:020d}-{stop:020d}-{count}{ENDING}"


def list_parts(folder: Path) -> list[Part]:
    """Every part on the disk, obsolete ones too, by day and first record."""
    parts = []
    for path in folder.glob(f"day=*/*{ENDING}"):
        name, day = _NAME.fullmatch(path.name), _DAY.fullmatch(path.parent.name)
        if name and day:
            parts.append(Part(path, day[1], int(name[1]), int(name[2]), int(name[3])))
    return sorted(parts, key=lambda part: (part.day, part.first, part.stop, part.count))


def current_parts(parts: Iterable[Part]) -> list[Part]:
    """The parts that no other part covers: each row once.

    >>> folder = Path("history")
    >>> ranges = [(0, 10, 0), (10, 30, 0), (0, 30, 0), (30, 40, 0), (30, 40, 1)]
    >>> parts = [Part(name_part(folder, "2026-11-22", *each), "2026-11-22", *each) for each in ranges]
    >>> [(part.first, part.stop, part.count) for part in current_parts(parts)]
    [(0, 30, 0), (30, 40, 1)]
    """
    current: list[Part] = []
    # The widest first: a part can only be covered by one that comes before it, or by the last one kept of its day.
    for part in sorted(parts, key=lambda part: (part.day, part.first, -part.stop, -part.count)):
        if not (current and current[-1].day == part.day and part.is_covered_by(current[-1])):
            current.append(part)
    return current
