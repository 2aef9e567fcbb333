"""Where to cut a score so that a stated share of honest visitors is flagged by chance.

A fixed share of visitors ("the top 1 %") flags as many people on a quiet day as on a day full of hunters. The cut-off
is taken from the body of the distribution instead: two quantiles that hunters, being few, hardly move, and the
normal tail that runs through them. Twice the hunters is then twice the flags, and none is none.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LOWER, UPPER = 0.50, 0.80
"""The quantiles that the tail is drawn through; hunters, a few percent of the visitors, leave both nearly in place."""


def tail_cutoff(values: NDArray[np.floating], budget: float) -> float:
    """The value that honest visitors exceed with probability `budget`.

    Parameters
    ----------
    values : float [n], scores or strengths of training visitors, abusers among them; finite.
    budget : share of honest visitors, in (0, 0.2].

    Returns
    -------
    The cut-off; minus infinity where there are no values, since then nothing is known of the honest.

    >>> body = np.random.default_rng(0).normal(size=20_000)
    >>> hunters = np.full(400, 9.0)
    >>> round(tail_cutoff(np.concatenate([body, hunters]), 0.001), 1)
    3.3
    """
    if len(values) == 0:
        return float("-inf")
    normal = NormalDist()
    low, high = np.quantile(values, [LOWER, UPPER])
    z_low, z_high, z_cut = (normal.inv_cdf(share) for share in (LOWER, UPPER, 1.0 - budget))
    slope = (high - low) / (z_high - z_low)
    return float(high + slope * (z_cut - z_high))
