"""Price-error raids: an item stands there for a tenth of its price, and is bought up before anybody wakes.

Naive raiders take twenty pieces with each account within minutes. Experts take one or two among other things, like the
honest people who saw the price as well.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class PriceErrorRaids(Shopper):
    """Buys at prices that are mistakes."""

    title = "price-error raid"
    abuse_type = "promotion_abuse"
    harmful = frozenset({"order"})
    economics = Economics(gain_minor=3_000)
    hurry = True
    harmful_share = by_skill(0.15, 0.095, 0.04, 0.052)

    def prepare(self) -> None:
        """Find what is wrongly priced."""
        super().prepare()
        few = by_skill(1, 2, 4, 8)[self.skill]
        self.wrong = self.targets.items(few, "dear")

    def act(self, member: Member, at: int) -> list[Entry]:
        """One order; the careful put other things beside it."""
        items = [self.wrong[int(self.rng.integers(len(self.wrong)))]]
        if self.skill in ("advanced", "expert"):
            items += self.targets.items(int(self.rng.integers(0, 3)))
        done = self.shop(member, at, "buy", items=tuple(items))
        least = by_skill(0.1, 0.2, 0.4, 0.55)[self.skill]
        pieces = by_skill(12, 5, 2, 1)[self.skill]
        share = float(self.rng.uniform(least, least + 0.25))
        self.hands.reprice(done, share, pieces)
        return done.entries

    def loss(self, entry: Entry) -> int | None:
        """What is missing to the true price."""
        event = entry.event
        if event.type not in self.harmful:
            return None
        return max((event.list_price_minor or 0) - (event.amount_minor or 0), 500)
