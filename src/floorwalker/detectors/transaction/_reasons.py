"""Sentences for what a feature did to a score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.signal import Contribution, Reason
from floorwalker.detectors.transaction._strongest import find_strongest
from floorwalker.events.types import EVENT_TYPES

_LENGTHS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def say_value(name: str, value: float) -> str:
    """A number as an analyst reads it; times in their largest unit, a code of a type of event by its name.

    >>> say_value("account_idle_seconds", 7200.0), say_value("shop_orders_7d", 12345.678), say_value("x", float("nan"))
    ('2 h', '12,346', 'missing')
    >>> say_value("event_type", 0.0), say_value("event_type", -1.0)
    ('sign_up', 'unknown')
    """
    if math.isnan(value):
        return "missing"
    if name == "event_type":
        return EVENT_TYPES[int(value)].name if 0 <= value < len(EVENT_TYPES) else "unknown"
    if name.endswith("_seconds"):
        size, unit = next((pair for pair in _LENGTHS if abs(value) >= pair[0]), _LENGTHS[-1])
        return f"{value / size:.3g} {unit}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def name_contributions(
    contributions: NDArray[np.float64],
    rows: NDArray[np.floating[Any]],
    names: Sequence[str],
    usual: NDArray[np.float32],
    *,
    most: int,
    meanings: Mapping[str, str],
) -> list[list[Contribution]]:
    """The features that raised each row's score, the strongest first: n lists.

    Parameters
    ----------
    contributions : float64 [n, d]; what is not above 0 is no reason.
    rows : [n, d]; names : of the d features; usual : float32 [d], the usual values.
    most : most reasons a row.
    meanings : what features are, in a phrase, by their names; others are called by their names.
    """
    places = np.empty((len(contributions), most), np.int64)
    shares = np.empty((len(contributions), most))
    find_strongest(np.ascontiguousarray(contributions), places, shares)
    return [
        [
            Contribution(
                names[place],
                f"{meanings.get(names[place]) or names[place].replace('_', ' ')} is "
                f"{say_value(names[place], float(row[place]))}, "
                f"usually {say_value(names[place], float(usual[place]))}",
                share,
            )
            for place, share in zip(strongest, parts, strict=True)
            if place >= 0
        ]
        for row, strongest, parts in zip(rows, places.tolist(), shares.tolist(), strict=True)
    ]


def as_reasons(prefix: str, told: Sequence[Sequence[Contribution]]) -> list[list[Reason]]:
    """Contributions as reasons, whose codes begin with this prefix, such as ``transaction.payment_fraud``."""
    return [[Reason(f"{prefix}.{each.column}", each.text, each.share) for each in several] for several in told]
