"""How much live features may keep, and how late an event may come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from floorwalker.errors import UsageError
from floorwalker.features.live._rows import MOST_ROWS

_MOST_PAGES = 1 << 24

DEFAULT_ROWS: Mapping[str, int] = {
    "account": 400_000,
    "session": 300_000,
    "device": 300_000,
    "ip": 300_000,
    "ip_network": 100_000,
    "payment": 200_000,
    "bin": 20_000,
    "email": 200_000,
    "email_domain": 20_000,
    "phone": 200_000,
    "phone_prefix": 50_000,
    "delivery_point": 200_000,
    "coupon": 50_000,
    "promotion": 10_000,
    "item": 100_000,
    "seller": 20_000,
    "inviter": 50_000,
}
"""Most rows of each table; pairs have `Limits.other_rows`."""


@dataclass(frozen=True)
class Limits:
    """Hard caps.

    Parameters
    ----------
    rows : most rows of a table by its name (`account`, `device*promotion`); beyond it the oldest of eight goes.
    other_rows : most rows of each table that `rows` does not name.
    sketches : most pages of 4 KiB for distinct counts beyond the exact sets.
    lateness_seconds : how far behind the newest event one may lie and still be counted.

    Memory is asked for at once and taken from the system only as rows come into use.
    """

    rows: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_ROWS))
    other_rows: int = 400_000
    sketches: int = 65_536
    lateness_seconds: int = 86_400

    def __post_init__(self) -> None:
        faults = [
            f"{name} may have {count!r} rows, allowed: 1 to {MOST_ROWS}"
            for name, count in {**self.rows, "another table": self.other_rows}.items()
            if not isinstance(count, int) or not 1 <= count <= MOST_ROWS
        ]
        if not 0 <= self.sketches <= _MOST_PAGES:
            faults.append(f"sketches is {self.sketches}, allowed: 0 to {_MOST_PAGES}")
        if not 0 <= self.lateness_seconds <= 366 * 86_400:
            faults.append(f"lateness_seconds is {self.lateness_seconds}, allowed: 0 to {366 * 86_400}")
        if faults:
            raise UsageError("; ".join(faults))
