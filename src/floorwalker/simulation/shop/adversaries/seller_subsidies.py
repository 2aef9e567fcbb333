"""Seller collusion: a seller's friends buy with the platform's coupons, the goods never move, the subsidy is shared.

Naive sellers let three accounts buy all day. Experts spread it over friends who buy elsewhere too, below every limit.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._patterns import Redeemer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class SellerSubsidies(Redeemer):
    """Harvests the platform's subsidies with a seller's help."""

    title = "seller collusion for subsidies"
    harmful_share = by_skill(0.12, 0.1, 0.045, 0.045)

    def prepare(self) -> None:
        """The sellers in it."""
        super().prepare()
        each = by_skill(60, 20, 8, 4)[self.skill]
        self.sellers = self.targets.items(max(1, round(self.brief.harmful / each)))

    def act(self, member: Member, at: int) -> list[Entry]:
        """One subsidised purchase from a friend."""
        first = self.sellers[int(self.rng.integers(len(self.sellers)))]
        return self.redeem(
            member, at, items=self.targets.of_seller(first, 1 + int(self.rng.random() < 0.2)) or (first,)
        ).entries
