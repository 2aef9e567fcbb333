"""A coupon that was meant for few is found by thousands of honest people, who use it as any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.browsing import BUY
from floorwalker.simulation.shop.honest.calling import errands
from floorwalker.simulation.shop.honest.labels import label_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

SHARE = 0.012
"""Of the customers come because of one leak; bargain hunters most."""


def add(crowd: Crowd) -> None:
    """Those who come to use the leaked codes while they work."""
    people, rng = crowd.people, crowd.rng
    for moment in crowd.world.calendar.of_kind("coupon_leak"):
        chance = SHARE * (0.4 + 3.0 * people.bargain)
        who = np.flatnonzero((people.joined_at < moment.starts_at) & (rng.random(len(people)) < chance))
        if not len(who):
            continue
        # It spreads: few at first, most after some hours.
        spread = rng.beta(2.0, 2.6, len(who))
        at = moment.starts_at + (spread * 0.95 * (moment.ends_at - moment.starts_at)).astype(np.int64)
        first = crowd.ordered
        calls = errands(crowd.world, rng, people, who, at)
        _, _, orders = crowd.visit(calls, label=label_of("leaked_coupon"), intent=np.full(len(who), BUY))
        crowd.after(orders, first)
