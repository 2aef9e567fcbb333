"""Coupon farming rings: one person, many accounts, and every new-customer coupon that the shop gives.

Naive rings run emulators and clones behind one address and write one door in ten spellings. Expert rings are split:
each account has a telephone, a home and a card of its own, buys an ordinary basket, and shares one thing with two
others at the most.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._patterns import Redeemer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class CouponFarming(Redeemer):
    """Redeems once-per-customer coupons with accounts of its own."""

    title = "coupon farming ring"
    harmful_share = by_skill(0.12, 0.085, 0.045, 0.05)

    def act(self, member: Member, at: int) -> list[Entry]:
        """One coupon on one account: scripts buy the cheapest thing, people an ordinary basket."""
        items = self.targets.items(1, "cheap") if self.skill in ("naive", "skilled") else None
        return self.redeem(member, at, items=items).entries
