"""What fusion reads of an event: its live features, its own numbers, its type, and what the detectors say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.batch import NUMBER_FIELDS, Columns

EVENT_TYPE = "event_type"

SILENT: tuple[str, ...] = ("latitude", "longitude", "network_asn", "amount_base_minor")
"""Numbers of an event that name a place or a network: a model learns them by heart and forgets to look elsewhere."""

NUMBERS: tuple[str, ...] = tuple(name for name in NUMBER_FIELDS if name not in SILENT)
_PLACES = np.array([NUMBER_FIELDS.index(name) for name in NUMBERS])


def column_names(features: Sequence[str], outputs: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of the columns that `fusion_columns` makes.

    >>> column_names(["account_events_1h"], ["behaviour.surprise"])[-2:]
    ('event_type', 'behaviour.surprise')
    """
    return (*features, *NUMBERS, EVENT_TYPE, *outputs)


def fusion_columns(
    features: NDArray[np.float32],
    numbers: NDArray[np.float32] | Mapping[str, NDArray[np.float64]],
    types: NDArray[np.int16],
    signals: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """float32 [n, columns], NaN where missing.

    Parameters
    ----------
    features : float32 [n, F], live features.
    numbers : [n, len(NUMBER_FIELDS)], the events' own numbers in the order of `NUMBER_FIELDS`; or the columns by name.
    types : int16 [n], codes of event types.
    signals : float32 [n, S], what detectors say; NaN where one could not.
    """
    own: NDArray[Any]
    if isinstance(numbers, Columns):
        own = numbers.rows[_PLACES].T
    elif isinstance(numbers, Mapping):
        own = np.array([numbers[name] for name in NUMBERS]).T
    else:
        own = numbers[:, _PLACES]
    first, kind = features.shape[1], features.shape[1] + len(NUMBERS)
    said = 0 if signals is None else signals.shape[1]
    found = np.empty((len(features), kind + 1 + said), np.float32)
    found[:, :first] = features
    # A shop may send numbers beyond single precision: they become infinite.
    with np.errstate(over="ignore"):
        found[:, first:kind] = own
    found[:, kind] = types
    if signals is not None:
        found[:, kind + 1 :] = signals
    return found
