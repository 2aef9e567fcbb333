"""The monitoring econnoisseur of paper B: looks at the offers for long and rarely, and strikes when one is wrong.

Naive ones poll the page of offers by script, around the clock. Experts look in once or twice a day between other
things, and redeem only now and then.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._patterns import Redeemer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.scenario import HOUR


class MonitoringEconnoisseur(Redeemer):
    """Watches offers and takes what is too cheap."""

    title = "monitoring econnoisseur"
    harmful_share = by_skill(0.05, 0.053, 0.05, 0.037)
    looks = by_skill(12, 8, 2, 1)
    """Looks at the offers for each coupon that is used."""

    def act(self, member: Member, at: int) -> list[Entry]:
        """Looks, hours or seconds apart, and then the coupon."""
        entries: list[Entry] = []
        for _ in range(int(self.rng.poisson(self.looks[self.skill]))):
            if member.tactic.looks_human:
                if self.rng.random() < 0.35:
                    before = at - int(self.rng.uniform(0.5, 11.0) * HOUR)
                    entries += self.hands.visit(member, max(before, self.brief.starts_at), "browse").entries
                continue
            entries.append(self.hands.look(member, at, "/offers"))
            at += 60 * self.hands.pause(member)
        return [*entries, *self.redeem(member, at).entries]
