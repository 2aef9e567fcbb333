"""Refund-only abuse: the money back without the goods, for faults that are not there.

Naive ones claim everything they buy, with the same sentence. Experts are customers who claim once, after days, with a
picture of somebody else's broken cup.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._patterns import Refunder
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class RefundOnly(Refunder):
    """Keeps goods and money."""

    title = "refund-only abuse"
    harmful_share = by_skill(0.062, 0.06, 0.045, 0.04)
    claim = "damaged"

    def act(self, member: Member, at: int) -> list[Entry]:
        """A purchase and, later, the claim."""
        items = self.targets.items(1, "dear") if self.skill in ("naive", "skilled") else None
        done = self.hands.visit(member, at, "buy", items=items, outcome="ok")
        return [*done.entries, *self.claim_back(done, self.claim)]
