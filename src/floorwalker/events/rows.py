"""Keys and numbers of events as one array each: what kernels over whole events read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.batch import KEY_PLACES, NUMBER_PLACES, Columns, EventBatch


def key_rows(batch: EventBatch) -> NDArray[np.uint64]:
    """uint64 [len(KEY_PLACES), n], the keys of the events in the order of `KEY_PLACES`; 0 where there is none.

    Of a batch that is made of such rows they are the rows themselves, and no copy.

    >>> from floorwalker.events.batch import make_batch
    >>> from floorwalker.events.entities import EntityKeyer
    >>> from floorwalker.events.event import Event
    >>> batch = make_batch([Event(id="e-1", type="login_failed", at=7, account="a-1")], EntityKeyer(bytes(16)))
    >>> bool(key_rows(batch)[KEY_PLACES["account"], 0] == batch.keys["account"][0])
    True
    """
    if isinstance(batch.keys, Columns):
        return np.ascontiguousarray(batch.keys.rows)
    rows = np.zeros((len(KEY_PLACES), len(batch)), np.uint64)
    for name, place in KEY_PLACES.items():
        if name in batch.keys:
            rows[place] = batch.keys[name]
    return rows


def number_rows(batch: EventBatch) -> NDArray[np.float64]:
    """float64 [len(NUMBER_PLACES), n], the numbers of the events in the order of `NUMBER_PLACES`; NaN where missing."""
    if isinstance(batch.numbers, Columns):
        return np.ascontiguousarray(batch.numbers.rows)
    rows = np.full((len(NUMBER_PLACES), len(batch)), np.nan)
    for name, place in NUMBER_PLACES.items():
        if name in batch.numbers:
            rows[place] = batch.numbers[name]
    return rows
