"""Where a kernel finds the values of the event it is working on: one row for each field of the schema."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.bulk._schema import FIELDS

ABSENT, SENT, NUMBER, TRUE, FALSE, MADE, BORROWED, REAL_NUMBER = range(8)
"""What a value is: not there; a text in the body; a whole number; a statement; bytes already packed in `made`; bytes
already packed in the arena of known values; a number that may have a fraction."""

TYPE, START, STOP, FLAGS = range(4)
"""Columns of `Values.spans`; a whole number stands in `START`, the number of parts of a list in `FLAGS`."""


class Values(NamedTuple):
    """The values of one event.

    Parameters
    ----------
    spans : int64 [f, 4].
    reals : float64 [f].
    bits : uint64 [f], the same memory.
    made : uint8, the packed records and lists of the event.
    mark : int64 [8], what helpers answer beside their result.
    """

    spans: NDArray[np.int64]
    reals: NDArray[np.float64]
    bits: NDArray[np.uint64]
    made: NDArray[np.uint8]
    mark: NDArray[np.int64]


def make_values(room: int) -> Values:
    """Room for the values of events of up to `room` bytes."""
    reals = np.zeros(FIELDS, np.float64)
    # A number of one digit may take nine bytes; nothing grows more than that.
    made = np.zeros(4 * room + 64, np.uint8)
    return Values(np.zeros((FIELDS, 4), np.int64), reals, reals.view(np.uint64), made, np.zeros(8, np.int64))
