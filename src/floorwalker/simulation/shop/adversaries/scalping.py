"""Scalping (OAT-005): scarce goods are bought up to be sold on at a higher price.

Naive ones order ten pieces with one machine. Experts have strangers buy one piece each, among other things, at their
own homes.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class Scalping(Shopper):
    """Buys up what is scarce."""

    title = "scalping"
    owasp = "OAT-005"
    abuse_type = "inventory_abuse"
    harmful = frozenset({"order"})
    economics = Economics(gain_minor=2_800)
    harmful_share = by_skill(0.16, 0.095, 0.051, 0.052)

    def prepare(self) -> None:
        """Choose what will be worth more tomorrow."""
        super().prepare()
        few = by_skill(1, 3, 8, 30)[self.skill]
        self.wanted = self.targets.items(few, "scarce" if self.skill in ("naive", "skilled") else "dear")

    def act(self, member: Member, at: int) -> list[Entry]:
        """One order, of one piece where nobody shall notice."""
        items = [self.wanted[int(self.rng.integers(len(self.wanted)))]]
        if self.skill == "expert" and self.rng.random() < 0.5:
            items += self.targets.items(1)
            # What is wanted stands anywhere among the lines.
            items = [items[int(place)] for place in self.rng.permutation(len(items))]
        done = self.shop(member, at, "buy", items=tuple(items))
        pieces = by_skill(10, 4, 2, 1)[self.skill]
        self.hands.reprice(done, 1.0, pieces)
        return done.entries

    def loss(self, entry: Entry) -> int | None:
        """The margin that goes to somebody else, and the customers who found the shelf empty."""
        return (entry.event.amount_minor or 0) * 3 // 10 if entry.event.type in self.harmful else None
