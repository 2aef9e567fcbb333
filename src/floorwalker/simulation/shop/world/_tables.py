"""Tables of words with weights, and how columns of text are put together from them.

Columns of text are NumPy arrays of `str` objects: a row taken from a table costs a few nanoseconds and shares its text,
and `+` joins two columns row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Texts = NDArray[np.object_]
"""A column of `str`, shape [k]."""


def texts(values: Sequence[str | None]) -> Texts:
    """A column of these values."""
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def full(count: int, value: str | None) -> Texts:
    """The same value in every row."""
    made = np.empty(count, dtype=object)
    made[:] = value
    return made


def _numbers(width: int) -> Texts:
    return texts([f"{number:0{width}d}" for number in range(10**width)])


_PADDED = {width: _numbers(width) for width in (1, 2, 3, 4)}
_PLAIN = texts([str(number) for number in range(10_000)])


def digits(values: NDArray[Any], width: int) -> Texts:
    """Numbers as text with leading zeros; only their last `width` digits count.

    >>> digits(np.array([7, 123456]), 5).tolist()
    ['00007', '23456']
    """
    left = np.asarray(values).astype(np.uint64)
    made: Texts | None = None
    while width > 0:
        step = min(width, 4)
        part = _PADDED[step][(left % np.uint64(10**step)).astype(np.int64)]
        made = part if made is None else part + made
        left = left // np.uint64(10**step)
        width -= step
    return full(len(left), "") if made is None else made


def plain(values: NDArray[Any]) -> Texts:
    """Numbers from 0 to 9999 as text without leading zeros."""
    return _PLAIN[np.asarray(values).astype(np.int64)]


def pick(table: Texts, uniform: NDArray[np.float64], tilt: float = 1.0) -> Texts:
    """A row of the table for each draw in [0, 1); with a `tilt` above 1 the first rows come more often.

    A tilt of 2 gives row r of n the share of about 1 / (2 sqrt(r n)): names and streets are unequal like that.
    """
    return table[(len(table) * uniform**tilt).astype(np.int64)]


def pick_by(tables: Sequence[Texts], which: NDArray[Any], uniform: NDArray[np.float64], tilt: float = 1.0) -> Texts:
    """As `pick`, from the table that `which` names in each row."""
    sizes = np.array([len(table) for table in tables], dtype=np.float64)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    joined = np.concatenate(list(tables))
    which = np.asarray(which)
    return np.asarray(joined[starts[which] + (sizes[which] * uniform**tilt).astype(np.int64)], dtype=object)


def choose(weights: NDArray[np.float64], which: NDArray[Any], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """A column of `weights` [rows, m] for each draw, by the weights of the row that `which` names."""
    edges = np.cumsum(weights, axis=1)
    edges /= edges[:, -1:]
    found = (edges[which] <= uniform[:, None]).sum(axis=1)
    return np.asarray(np.minimum(found, weights.shape[1] - 1), dtype=np.int64)
