"""Counterfeit listings: copies of brands, in texts that say almost what the original says.

Naive sellers write in capitals and name a tenth of the price. Experts take the original's text, change a few words,
and stay a quarter below the usual price.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry

PRICES = by_skill(0.12, 0.4, 0.7, 0.85)
"""Skill -> share of the usual price that is asked for."""


class CounterfeitListings(Shopper):
    """Offers copies."""

    title = "counterfeit listings"
    abuse_type = "content_abuse"
    harmful = frozenset({"listing"})
    economics = Economics(gain_minor=3_000)
    harmful_share = by_skill(0.34, 0.18, 0.18, 0.2)
    style = "counterfeit"

    def act(self, member: Member, at: int) -> list[Entry]:
        """One offer."""
        item = self.targets.item("dear" if self.skill in ("naive", "skilled") else "any")
        return self.hands.listing(member, at, item=item, share=PRICES[self.skill], style=self.style)
