"""Honest customers: what they do, in columns for the crowd and one by one for whoever wants to look like them."""

from floorwalker.simulation.shop.honest._common import common, signals
from floorwalker.simulation.shop.honest.buying import Bought, after_order, buy
from floorwalker.simulation.shop.honest.errands import claim, group_buy, review, sign_up, support, watch_stream
from floorwalker.simulation.shop.honest.visiting import Visited, visit

__all__ = [
    "Bought",
    "Visited",
    "after_order",
    "buy",
    "claim",
    "common",
    "group_buy",
    "review",
    "sign_up",
    "signals",
    "support",
    "visit",
    "watch_stream",
]
