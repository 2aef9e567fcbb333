"""How rare a score is, and what rarities come to: the steps around one logarithm, for one event as for many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel


@kernel
def rank_scores(
    scores: NDArray[np.floating[Any]],
    ranks: NDArray[np.float64],
    starts: NDArray[np.int64],
    least: float,
    found: NDArray[np.float64],
) -> None:
    """Rank of each score, `least` where it is less: as `np.interp` with ``left=1.0`` to the bit.

    Parameters
    ----------
    scores : [n, m] of floats, a column for each model.
    ranks : float64 [2, k], of each model rising scores and the share of ordinary events whose score is at least that,
        the models' behind one another.
    starts : int64 [m + 1], where those of each model begin.
    found : float64 [n, m], filled.
    """
    edges, shares = ranks[0], ranks[1]
    for row in range(len(scores)):
        for model in range(len(starts) - 1):
            score = float(scores[row, model])
            low, last = starts[model], starts[model + 1] - 1
            if score != score:
                rank = score
            elif score < edges[low]:
                rank = 1.0
            elif score >= edges[last]:
                rank = shares[last]
            else:
                high = last
                while high - low > 1:
                    middle = (low + high) >> 1
                    if edges[middle] <= score:
                        low = middle
                    else:
                        high = middle
                rank = shares[low]
                if score != edges[low]:
                    slope = (shares[high] - shares[low]) / (edges[high] - edges[low])
                    rank = slope * (score - edges[low]) + shares[low]
            found[row, model] = least if rank < least else rank


@kernel
def mean_rarity(logs: NDArray[np.float64], common: float, rare: float, found: NDArray[np.float32]) -> None:
    """Mean over the models of how far each rank lies between common and rare, 0 to 1: float32 [n].

    Parameters
    ----------
    logs : float64 [n, m], decimal logarithms of ranks.
    common, rare : powers of ten.
    """
    models = logs.shape[1]
    for row in range(len(logs)):
        total = 0.0
        for model in range(models):
            total += min(max((-logs[row, model] - common) / (rare - common), 0.0), 1.0)
        found[row] = total / models


@kernel
def share_of_rarest(logs: NDArray[np.float64], rarest: float, found: NDArray[np.float32]) -> None:
    """How far each rank lies between 1 and the rarest, 0 to 1: float32 [n].

    Parameters
    ----------
    logs : float64 [n, 1], decimal logarithms of ranks; `rarest`, that of the rarest.
    """
    for row in range(len(logs)):
        found[row] = min(max(logs[row, 0] / rarest, 0.0), 1.0)
