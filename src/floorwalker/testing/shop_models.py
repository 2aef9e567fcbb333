"""A small fusion whose mind is known, for tests of what serves models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from floorwalker.detectors.behaviour.live import OUTPUTS
from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.types import EVENT_TYPES, TYPE_CODES
from floorwalker.fusion.columns import column_names
from floorwalker.fusion.stacked import StackedFusion
from floorwalker.pipeline.models import UNUSUAL_COLUMN

TELLING = "account_events_1h"


def coupon_fusion(features: Sequence[str]) -> StackedFusion:
    """Holds more than ten events of an account within the hour for abuse of coupons, where a coupon is redeemed.

    Parameters
    ----------
    features : names of the live features.
    """
    names = column_names(features, (*OUTPUTS, UNUSUAL_COLUMN))
    abuse = ABUSE_TYPES.index("promotion_abuse")
    rows = np.full((800, len(names)), np.nan, np.float32)
    rows[:, names.index(TELLING)] = np.random.default_rng(0).integers(0, 20, 800)
    label = np.full((800, len(ABUSE_TYPES)), np.nan)
    label[:, abuse] = rows[:, names.index(TELLING)] > 10
    trees = BoostedTrees(rounds=5, rate=0.5, max_bin=63, threads=1, validation_share=0, blind_rounds=5)
    trees.fit(rows, label, names=names, outputs=ABUSE_TYPES)
    relevant = np.zeros((len(EVENT_TYPES) + 1, len(ABUSE_TYPES)), np.bool_)
    relevant[TYPE_CODES["coupon_redeem"], abuse] = True
    ordinary = np.linspace(0, 0.2, 5000)
    return StackedFusion(trees, relevant, {"promotion_abuse": StackedFusion.ranks_of(ordinary, len(ordinary))}, {})
