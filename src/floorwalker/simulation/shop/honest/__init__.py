"""Honest customers: what they do, in columns for the crowd and one by one for whoever wants to look like them."""

from floorwalker.simulation.shop.honest._common import common, link, signals, stay
from floorwalker.simulation.shop.honest.buying import Bought, after_order, buy
from floorwalker.simulation.shop.honest.errands import claim, group_buy, log_in, review, sign_up, support, watch_stream
from floorwalker.simulation.shop.honest.visiting import Visited, visit

__all__ = [
    "Bought",
    "Visited",
    "after_order",
    "buy",
    "claim",
    "common",
    "group_buy",
    "link",
    "log_in",
    "review",
    "sign_up",
    "signals",
    "stay",
    "support",
    "visit",
    "watch_stream",
]
