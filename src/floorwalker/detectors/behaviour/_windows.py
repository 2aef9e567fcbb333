"""Long sequences as overlapping windows, so that every event is judged by the events before it and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of at most `context` events.

    Parameters
    ----------
    starts, stops : int64 [m], rows of the events of each window.
    counted : int64 [m], the first row whose answer comes from this window; those before it are only looked at.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    counted: NDArray[np.int64]


def cut_windows(starts: NDArray[np.int64], context: int) -> Windows:
    """Windows of each sequence: the first has `context` events, every further one half of them new.

    Parameters
    ----------
    starts : int64 [n + 1], of the sequences.
    context : even.

    >>> found = cut_windows(np.array([0, 5, 5, 7]), 4)
    >>> [each.tolist() for each in (found.starts, found.stops, found.counted)]
    [[0, 2, 5], [4, 5, 7], [0, 4, 5]]
    """
    half = context // 2
    lengths = np.diff(starts)
    counts = np.where(lengths > 0, 1 + np.maximum(-(-(lengths - context) // half), 0), 0)
    owner = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    first = starts[owner] + number * half
    stop = np.minimum(first + context, starts[owner + 1])
    counted = np.where(number > 0, first + half, first)
    return Windows(first.astype(np.int64), stop.astype(np.int64), counted.astype(np.int64))
