"""Where to cut a score so that a stated share of honest visitors is flagged by chance.

A fixed share of visitors ("the top 1 %") flags as many people on a quiet day as on a day full of hunters. The cut-off
is taken from the body of the distribution instead: two quantiles that hunters, being few, hardly move, and the
normal tail that runs through them. Twice the hunters is then twice the flags, and none is none.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LOWER, UPPER = 0.50, 0.80
"""The quantiles that the tail is drawn through; hunters, a few percent of the visitors, leave both nearly in place."""


WEEK = 7
LONGER_TAIL = 0.22
"""How much longer than a normal tail the honest visitors' is where a single day teaches itself; nothing after a week.
Chosen on the generator's `choose` half: without it, 1.1 % of the visitors of a day without any abuser were flagged."""


def budget_for(days: int, budget: float) -> float:
    """The budget to draw a normal tail to, where so many days teach.

    A day holds few of the visitors who are rare but honest (a tab left open for hours, a page reloaded), so its
    tail is longer than the one that its body foretells. The fewer days, the farther out the cut-off is set.

    Parameters
    ----------
    days : days that teach, 1 or more.
    budget : share of honest visitors that may be flagged by chance.

    >>> budget_for(7, 0.001), round(budget_for(1, 0.001), 5)
    (0.001, 8e-05)
    """
    normal = NormalDist()
    missing = (WEEK - min(max(days, 1), WEEK)) / (WEEK - 1)
    return budget if missing == 0 else 1.0 - normal.cdf(normal.inv_cdf(1.0 - budget) * (1.0 + LONGER_TAIL * missing))


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
    return _tail(lambda share: float(np.quantile(values, share)), budget)


def score_cutoff(scores: NDArray[np.floating], budget: float) -> float:
    """`tail_cutoff` for scores in [0, 1], which never leaves that range.

    Scores that are places among the training rows, or bounded ratios, spread so evenly that a straight tail ends beyond
    1, where no score can reach it: nobody would ever be flagged. The tail is then drawn on the normal scale of the
    scores, on which even places are a normal distribution.

    Parameters
    ----------
    scores : float [n] in [0, 1].
    budget : share of honest visitors, in (0, 0.2].

    >>> places = np.linspace(0, 1, 20_001)
    >>> round(tail_cutoff(places, 0.001), 2), round(score_cutoff(places, 0.001), 3)
    (1.6, 0.999)
    """
    straight = tail_cutoff(scores, budget)
    if straight < 1.0:
        return straight
    normal = NormalDist()

    def on_normal_scale(share: float) -> float:
        # A quantile stays a quantile on any rising scale, so only the quantiles need to be moved.
        return normal.inv_cdf(min(max(float(np.quantile(scores, share)), 1e-6), 1 - 1e-6))

    return normal.cdf(_tail(on_normal_scale, budget))


def _tail(quantile: Callable[[float], float], budget: float) -> float:
    """Where the normal tail through the two quantiles ends."""
    normal = NormalDist()
    z_low, z_high, z_cut = (normal.inv_cdf(share) for share in (LOWER, UPPER, 1.0 - budget))
    low, high = quantile(LOWER), quantile(UPPER)
    return high + (high - low) / (z_high - z_low) * (z_cut - z_high)
