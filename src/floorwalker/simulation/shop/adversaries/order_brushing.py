"""Order brushing: a seller's own people buy his goods, and empty parcels travel, so that the item climbs.

Naive sellers let one telephone order a hundred times. Experts pay customers back for one purchase each; the parcel
really comes, with nothing worth the postage in it, and a rating follows.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class OrderBrushing(Shopper):
    """Buys rank with orders that are none."""

    title = "order brushing"
    owasp = "OAT-016"
    abuse_type = "ranking_manipulation"
    harmful = frozenset({"order"})
    economics = Economics(gain_minor=900, extra_minor=30)
    harmful_share = by_skill(0.16, 0.1, 0.06, 0.05)

    def prepare(self) -> None:
        """The sellers who pay."""
        super().prepare()
        each = by_skill(60, 15, 6, 3)[self.skill]
        self.pushed = self.targets.items(max(1, round(self.brief.harmful / each)))

    def act(self, member: Member, at: int) -> list[Entry]:
        """One order of what shall climb, and its parcel."""
        item = self.pushed[int(self.rng.integers(len(self.pushed)))]
        items = (item,) if self.rng.random() < 0.8 else (item, self.targets.item())
        return self.shop(member, at, "buy", items=items).entries
