"""From what is known of events to the columns of models, and down their trees, in one call."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel
from floorwalker.models._packed_kernels import sum_packed

ABSENT, EVENT_TYPE, FURTHER, NUMBERS = -1, -2, -3, -4
"""Sources of a column that are no features: nobody gives it; the type; the further column; from here on downwards the
event's own numbers, -4 for the first."""


@kernel
def fill_columns(
    rows: NDArray[np.int64],
    sources: NDArray[np.int64],
    features: NDArray[np.float32],
    numbers: NDArray[np.float64],
    types: NDArray[np.int16],
    further: NDArray[np.float32],
    columns: NDArray[np.float32],
) -> None:
    """Fill `columns`, float32 [len(rows), len(sources)], each from its source.

    Parameters
    ----------
    rows : places of the events.
    sources : of each column the place of the feature, or one of the negative numbers above.
    features : float32 [n, F]; numbers : float64 [k, n]; types : int16 [n]; further : float32 [n].
    """
    for place in range(len(rows)):
        row = rows[place]
        for column in range(len(sources)):
            source = sources[column]
            if source >= 0:
                columns[place, column] = features[row, source]
            elif source <= NUMBERS:
                # A shop may send numbers beyond single precision: they become infinite.
                columns[place, column] = np.float32(numbers[NUMBERS - source, row])
            elif source == EVENT_TYPE:
                columns[place, column] = np.float32(types[row])
            elif source == FURTHER:
                columns[place, column] = further[row]
            else:
                columns[place, column] = np.float32(math.nan)


@kernel
def fill_and_sum(
    rows: NDArray[np.int64],
    sources: NDArray[np.int64],
    features: NDArray[np.float32],
    numbers: NDArray[np.float64],
    types: NDArray[np.int16],
    further: NDArray[np.float32],
    links: NDArray[np.uint32],
    value: NDArray[np.float64],
    trees: NDArray[np.int64],
    unheard: NDArray[np.float64],
    columns: NDArray[np.float32],
    sums: NDArray[np.float64],
) -> bool:
    """As `fill_columns`, then each model's sum of leaves: `sums`, float64 [len(rows), K].

    Parameters
    ----------
    links, value, trees : of all models, as `sum_packed` takes them.
    unheard : float64 [K], sums up to which a model says nothing.

    Returns whether a model says something of an event.
    """
    fill_columns(rows, sources, features, numbers, types, further, columns)
    sums[:] = 0.0
    count, width = columns.shape
    sum_packed(columns.reshape(count * width), width, links, value, trees, sums)
    for row in range(count):
        for model in range(sums.shape[1]):
            if sums[row, model] > unheard[model]:
                return True
    return False
