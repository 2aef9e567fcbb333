"""What a named pattern of abuse is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.visitors import Facts

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What is known of `n` visitor-days.

    Parameters
    ----------
    features : name to float64 [n], every feature there is, whatever the detector was told to see.
    facts : the running statistics beneath them.
    medians : name to the site's median over ordinary visitors.
    site_fetches_assets : whether the log shows browsers fetching assets; where it does not (assets on another
        host), a visitor without assets proves nothing.
    span_hours : length of the log on each row's day, in hours, float64 [n].
    """

    features: Mapping[str, Values]
    facts: Facts
    medians: Mapping[str, float]
    site_fetches_assets: bool
    span_hours: Values

    def __len__(self) -> int:
        return len(self.span_hours)


@dataclass(frozen=True)
class Pattern:
    """A way of preying on a shop that a log shows.

    Parameters
    ----------
    code : stable reason code, `family.pattern`.
    tier : `proven` or `strong pattern`.
    category : the category of visitors (paper B) that it makes of a visitor, or None to leave it.
    floor : the least strength that is ever flagged: what no customer does, on any site.
    adaptive : whether the cut-off rises above the floor with what the site's own visitors do.
    strength : evidence to float64 [n], 0 where the pattern does not apply.
    sentence : evidence and row to what a person reads, with the numbers.
    specificity : 2 where it names the deed (coupons, sign-ins, payments), 1 where it names an aim, 0 for a habit that
        other patterns explain better; of several in one tier the most specific is named first.
    """

    code: str
    tier: str
    category: str | None
    floor: float
    adaptive: bool
    strength: Callable[[Evidence], Values]
    sentence: Callable[[Evidence, int], str]
    specificity: int = 1


def count_text(value: float, noun: str) -> str:
    """A count with its noun.

    >>> count_text(1, "request"), count_text(12345, "request")
    ('1 request', '12,345 requests')
    """
    return f"{value:,.0f} {noun}" + ("" if round(value) == 1 else "s")


def duration_text(seconds: float) -> str:
    """A span of time in the unit a person would use.

    >>> duration_text(0.5), duration_text(50), duration_text(1500), duration_text(50_000)
    ('0.5 s', '50 s', '25 min', '13.9 h')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
