"""Seckill scripts: at the second in which a flash sale begins, machines buy what people came for.

Naive ones send the order a thousand times from one place. Experts send each order from its own telephone, a human
moment after the start, for one piece.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class SeckillScripts(Shopper):
    """Wins flash sales by machine."""

    title = "seckill script"
    owasp = "OAT-013"
    abuse_type = "inventory_abuse"
    harmful = frozenset({"order"})
    economics = Economics(gain_minor=2_500)
    hurry = True
    harmful_share = by_skill(0.16, 0.1, 0.05, 0.055)

    def prepare(self) -> None:
        """Choose the drops."""
        super().prepare()
        few = by_skill(1, 2, 5, 16)[self.skill]
        self.drops = self.targets.items(few, "scarce" if self.skill != "expert" else "dear")

    def act(self, member: Member, at: int) -> list[Entry]:
        """One order of one drop."""
        return self.shop(member, at, "buy", items=(self.drops[int(self.rng.integers(len(self.drops)))],)).entries
