"""A small fusion whose mind is known, for tests of what serves models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from floorwalker.detectors.behaviour.live import OUTPUTS
from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.types import EVENT_TYPES, TYPE_CODES
from floorwalker.fusion.columns import column_names
from floorwalker.fusion.stacked import ANY, StackedFusion
from floorwalker.pipeline.models import UNUSUAL_COLUMN

TELLING = "account_events_1h"


def coupon_fusion(features: Sequence[str]) -> StackedFusion:
    """Holds more than ten events of an account within the hour for abuse of coupons, where a coupon is redeemed.

    Parameters
    ----------
    features : names of the live features.
    """
    return telling_fusion(features, OUTPUTS, TELLING, above=10, at="coupon_redeem", abuse="promotion_abuse")


def telling_fusion(
    features: Sequence[str], outputs: Sequence[str], telling: str, *, above: float, at: str, abuse: str
) -> StackedFusion:
    """Holds high values of one column for abuse, at one type of event.

    Parameters
    ----------
    features : names of the live features.
    outputs : names of the columns that detectors add.
    telling : the column.
    above : the value from which on it is abuse; values up to twice it are usual.
    at, abuse : type of event, type of abuse.
    """
    names = column_names(features, (*outputs, UNUSUAL_COLUMN))
    place = ABUSE_TYPES.index(abuse)
    rows = np.full((800, len(names)), np.nan, np.float32)
    rows[:, names.index(telling)] = np.random.default_rng(0).integers(0, 20, 800) * (above / 10)
    label = (rows[:, names.index(telling)] > np.float32(above)).astype(np.float64)
    trees = BoostedTrees(rounds=5, rate=0.5, max_bin=63, threads=1, validation_share=0, blind_rounds=5)
    trees.fit(rows, label[:, None], names=names, outputs=(ANY,))
    relevant = np.zeros((len(EVENT_TYPES) + 1, len(ABUSE_TYPES)), np.bool_)
    relevant[TYPE_CODES[at], place] = True
    ordinary = np.linspace(0, 0.2, 5000)
    return StackedFusion(trees, relevant, StackedFusion.ranks_of(ordinary, len(ordinary)), {})
