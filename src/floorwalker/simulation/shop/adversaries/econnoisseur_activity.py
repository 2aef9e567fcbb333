"""The activity econnoisseur of paper B: applies and buys in bursts while a promotion runs.

Naive ones take every coupon with every account within minutes of its start. Experts come with few accounts, at the
hours at which everybody comes, on the days on which everybody buys.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._patterns import Redeemer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class ActivityEconnoisseur(Redeemer):
    """Buys in bursts during promotions, with several accounts."""

    title = "activity econnoisseur"
    harmful_share = by_skill(0.115, 0.1, 0.045, 0.05)
    hurry = True

    def act(self, member: Member, at: int) -> list[Entry]:
        """A coupon used, and again with the same account where nobody looks."""
        entries = self.redeem(member, at).entries
        if self.skill in ("naive", "skilled") and entries:
            again = entries[-1].event.at + self.hands.pause(member)
            entries += self.redeem(member, again, items=self.targets.items(1, "cheap")).entries
        return entries
