"""Coupon stacking: discounts that were never meant to meet are put on one order.

Naive ones throw five codes at each checkout. Experts know which two go together, use them on baskets that look
ordinary, and as often as not use one alone.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._patterns import Redeemer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.scenario import DAY


class CouponStacking(Redeemer):
    """Stacks codes."""

    title = "coupon stacking"
    harmful_share = by_skill(0.08, 0.07, 0.04, 0.045)

    def act(self, member: Member, at: int) -> list[Entry]:
        """One order with more codes than meant."""
        count = by_skill(5, 4, 3, 2)[self.skill]
        if self.skill == "expert" and self.rng.random() < 0.55:
            count = 1
        codes: list[str] = []
        for _ in range(3 * count):
            promotion = self.targets.promotion(at, at + DAY)
            if promotion is not None and promotion.coupons[0] not in codes:
                codes.append(promotion.coupons[0])
        if not codes:
            return self.redeem(member, at).entries
        return self.redeem(member, at, coupons=tuple(codes[:count])).entries
