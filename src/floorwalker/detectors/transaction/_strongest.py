"""Kernel: which columns raised a score most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel
from floorwalker.models._sums import add_up


@kernel
def find_strongest(given: NDArray[np.float64], places: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    """Of each row the columns that raised the score most, the strongest first; of equals the first.

    Parameters
    ----------
    given : float64 [n, d], what each column changed.
    places : int64 [n, most], filled with columns; -1 where no more raised the score.
    shares : float64 [n, most], filled with their part of all that raised it.
    """
    most = places.shape[1]
    raised = np.empty(given.shape[1], np.float64)
    for row in range(len(given)):
        places[row, :] = -1
        count = 0
        for column in range(given.shape[1]):
            change = given[row, column]
            if not change > 0:
                continue
            raised[count] = change
            count += 1
            at = most
            while at > 0 and (places[row, at - 1] < 0 or shares[row, at - 1] < change):
                if at < most:
                    places[row, at] = places[row, at - 1]
                    shares[row, at] = shares[row, at - 1]
                at -= 1
            if at < most:
                places[row, at] = column
                shares[row, at] = change
        total = add_up(raised[:count])
        for at in range(most):
            if places[row, at] >= 0:
                shares[row, at] = min(max(shares[row, at] / total, 1e-6), 1.0)
