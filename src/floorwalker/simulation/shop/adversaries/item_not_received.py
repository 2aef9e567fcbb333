"""Item-not-received abuse: the parcel came, the customer says that it did not.

Naive ones say it before the carrier could have come. Experts wait until the parcel could be late, have it sent to
doors where parcels do get lost, and never twice under one name.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.adversaries.refund_only import RefundOnly


class ItemNotReceived(RefundOnly):
    """Denies that parcels came."""

    title = "item-not-received abuse"
    harmful_share = by_skill(0.065, 0.058, 0.042, 0.042)
    claims = (
        ("not_received", 0.24),
        ("late", 0.16),
        ("wrong_item", 0.15),
        ("damaged", 0.2),
        ("not_as_described", 0.25),
    )
