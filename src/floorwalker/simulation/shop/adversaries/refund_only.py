"""Refund-only abuse: the money back without the goods, for faults that are not there.

Naive ones claim everything they buy, with the same sentence. Experts are customers who claim once, after days, with a
picture of somebody else's broken cup.
"""

from __future__ import annotations

import numpy as np

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._patterns import Refunder
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class RefundOnly(Refunder):
    """Keeps goods and money."""

    title = "refund-only abuse"
    harmful_share = by_skill(0.062, 0.06, 0.045, 0.04)
    claims: tuple[tuple[str, float], ...] = (
        ("damaged", 0.3),
        ("not_as_described", 0.25),
        ("wrong_item", 0.15),
        ("changed_mind", 0.15),
        ("wrong_size", 0.15),
    )
    """What experts say, and how often; the others say the first. Some send goods back that are none: an empty box."""

    def act(self, member: Member, at: int) -> list[Entry]:
        """A purchase and, later, the claim."""
        items = self.targets.items(1, "dear") if self.skill in ("naive", "skilled") else None
        done = self.hands.visit(member, at, "buy", items=items, outcome="ok")
        reason = self.claims[0][0]
        if self.skill == "expert":
            edges = np.cumsum([share for _, share in self.claims])
            reason = self.claims[int(np.searchsorted(edges, self.rng.random() * edges[-1]))][0]
        empty_box = reason != "not_received" and self.rng.random() < by_skill(0.0, 0.1, 0.3, 0.6)[self.skill]
        return [*done.entries, *self.claim_back(done, reason, returned=bool(empty_box))]
