"""Sequences of like length together, as padded blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def make_batches(
    lengths: NDArray[np.int64], *, events: int, chunk: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Places of the sequences of each batch, in random order; those of one batch are about as long.

    Parameters
    ----------
    lengths : int64 [n]; empty sequences are left out.
    events : of one batch's widest block.
    chunk : longest block; longer sequences are taken block by block.
    """
    places = np.flatnonzero(lengths)
    # Lengths are blurred, so that batches are not the same in each epoch.
    order = places[np.argsort(np.log(lengths[places]) + 0.1 * rng.standard_normal(len(places)), kind="stable")]
    batches, first = [], 0
    while first < len(order):
        room = max(events // int(min(lengths[order[first : first + 1]].max(), chunk)), 1)
        last = min(first + room, len(order))
        # The longest of them decides how many there is room for.
        room = max(events // int(min(lengths[order[first:last]].max(), chunk)), 1)
        batches.append(order[first : min(first + room, len(order))])
        first += len(batches[-1])
    mixed: Sequence[int] = rng.permutation(len(batches)).tolist()
    return [batches[place] for place in mixed]


def lay_block(
    starts: NDArray[np.int64], lengths: NDArray[np.int64], first: int, width: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows of a block of `width` events from each sequence's event `first` on: int64 [n, width], and which exist."""
    steps = first + np.arange(width)
    exists: NDArray[np.bool_] = steps[None, :] < lengths[:, None]
    rows = np.where(exists, starts[:, None] + steps[None, :], 0)
    return rows, exists
