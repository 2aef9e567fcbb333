"""The payment service is down: a storm of refused cards, second and third tries, and people who give up.

The refusals themselves come from `Crowd.outage`; this scene says whom they hit, and brings back those who try again
when it is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.browsing import BUY
from floorwalker.simulation.shop.honest.calling import errands
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import HOUR

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

COME_BACK = 0.55
"""Share of those refused who order later."""


def add(crowd: Crowd) -> None:
    """Label the visits that the outages hit, and let people come back."""
    rng = crowd.rng
    moments = crowd.world.calendar.of_kind("payment_outage")
    label = label_of("payment_outage")
    again: list[tuple[int, int]] = []
    for orders in list(crowd.orders):
        for moment in moments:
            hit = np.flatnonzero((orders.at >= moment.starts_at) & (orders.at < moment.ends_at))
            crowd.relabel(orders.visit[hit], label)
            lost = hit[~orders.payments.paid[hit]]
            back = lost[rng.random(len(lost)) < COME_BACK]
            again += [(int(who), moment.ends_at) for who in orders.person[back]]
    if again:
        who = np.array([one for one, _ in again])
        at = np.array([one for _, one in again]) + (rng.lognormal(0.8, 1.0, len(who)) * HOUR).astype(np.int64)
        first = crowd.ordered
        calls = errands(crowd.world, rng, crowd.people, who, at)
        _, _, orders = crowd.visit(calls, label=label, intent=np.full(len(who), BUY))
        crowd.after(orders, first)
