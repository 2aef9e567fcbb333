"""The same traffic with less abuse in it: whole campaigns are left out until only so much is left."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.simulation.shop.chance import Chance

RARE = 0.003
"""Share of malicious events in the thinned test part."""


def thin(truth: pl.DataFrame, share: float = RARE, seed: int = 0) -> NDArray[np.bool_]:
    """Which events stay when abuse is made rarer: bool [n].

    Honest events all stay. A campaign stays whole, or goes whole with the letters that banks wrote about its orders:
    half of one would be a smaller one, and no harder to see. Kinds of abuse take turns in staying, so each keeps one
    campaign where there is room; which of its campaigns is drawn.

    Parameters
    ----------
    truth : a row an event with `campaign`, `adversary` and `abuse_type`, as in `truth.parquet`; most often of one
        split: `truth.filter(split="test")`.
    share : malicious events of all that stay, at the most; 0 to 1.
    seed : draws the campaigns.

    >>> truth = pl.DataFrame({"campaign": [-1] * 98 + [0, 1], "adversary": [""] * 98 + ["carding"] * 2,
    ...                       "abuse_type": [""] * 98 + ["payment_fraud"] * 2})
    >>> int(thin(truth, 0.011).sum()), int(thin(truth, 0.5).sum())
    (99, 100)
    """
    if not 0.0 <= share <= 1.0:
        raise UsageError(f"share is {share}", allowed="0 to 1")
    bad = (truth["adversary"] != "").to_numpy()
    campaign = truth["campaign"].to_numpy()
    numbers, first, counts = np.unique(campaign[bad], return_index=True, return_counts=True)
    kinds = truth["abuse_type"].to_numpy()[bad][first]
    lot = Chance(seed).uniform("thin", numbers)
    # The first of each kind, then the second of each, and so on.
    turn = np.zeros(len(numbers), np.int64)
    for kind in np.unique(kinds):
        mine = np.flatnonzero(kinds == kind)
        turn[mine[np.argsort(lot[mine], kind="stable")]] = np.arange(len(mine))
    others = int((~bad & (campaign < 0)).sum())
    kept: list[int] = []
    size = 0
    for place in np.lexsort((lot, turn)).tolist():
        if size + counts[place] <= share * (others + size + counts[place]):
            kept.append(int(numbers[place]))
            size += int(counts[place])
    return np.asarray((campaign < 0) | np.isin(campaign, kept))
