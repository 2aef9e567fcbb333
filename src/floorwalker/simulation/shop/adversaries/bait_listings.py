"""Bait listings: what is offered does not exist; whoever asks is led elsewhere, to pay outside the shop.

Naive ones write the same message to hundreds. Experts answer only who has asked, in words that any seller would use.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class BaitListings(Shopper):
    """Leads buyers away by message."""

    title = "bait listings"
    abuse_type = "content_abuse"
    harmful = frozenset({"message"})
    economics = Economics(gain_minor=2_500)
    harmful_share = by_skill(0.36, 0.26, 0.14, 0.2)

    def act(self, member: Member, at: int) -> list[Entry]:
        """A word to somebody who might pay elsewhere."""
        many = 1 + int(self.rng.poisson(by_skill(12.0, 3.0, 0.5, 0.05)[self.skill]))
        return self.hands.message(member, at, count=many, item=self.targets.item(), style="spam")
