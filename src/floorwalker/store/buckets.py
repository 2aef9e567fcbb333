"""Rows found by key in buckets of a few ways: memory that stays as large as it is, and forgets who is longest silent.

A key belongs into one bucket; whoever asks says which, by the key's own bits. Rows are never emptied one by one, so the
empty ways of a bucket are its last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel

_NOBODY = np.uint64(0)


@kernel
def find_row(
    keys: NDArray[np.uint64],
    apart: int,
    first: Any,
    ways: int,
    key: Any,
    heard: NDArray[Any],
    width: int,
    at: int,
    room: bool,
) -> Any:
    """The row of a key; with `room` the one that it may take: an empty one of its bucket, else the longest unheard of.

    -1 where the key is not there and no room is asked for. A row that is only room for the key has another, or none.

    Parameters
    ----------
    keys : uint64, of all rows, each so many places `apart`; 0 in rows that nobody has.
    first : the first row of the bucket.
    ways : rows of a bucket.
    key : not 0.
    heard : when rows were heard of: ``heard[row * width + at]``.

    >>> keys, heard = np.array([7, 8, 9, 0], np.uint64), np.array([3, 1, 2, 0])
    >>> asked = ((8, True), (5, True), (5, False))
    >>> [int(find_row(keys, 1, 0, 4, np.uint64(key), heard, 1, 0, room)) for key, room in asked]
    [1, 3, -1]
    >>> keys[3] = 4
    >>> heard[3] = 9
    >>> int(find_row(keys, 1, 0, 4, np.uint64(5), heard, 1, 0, True))
    1
    """
    for row in range(first, first + ways):
        if keys[row * apart] == key:
            return row
    if not room:
        return -1
    oldest: Any = first
    for row in range(first, first + ways):
        if keys[row * apart] == _NOBODY:
            return row
        if heard[row * width + at] < heard[oldest * width + at]:
            oldest = row
    return oldest
