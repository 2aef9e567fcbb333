"""First-party disputes: the buyer tells his bank that it was not he.

The claim is made at the bank, weeks later, so what can be seen in the shop is the purchase. Naive ones buy what is
dear from new accounts; experts are good customers who do it once.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class FirstPartyDisputes(Shopper):
    """Disputes its own purchases."""

    title = "first-party disputes"
    abuse_type = "return_abuse"
    harmful = frozenset({"order"})
    economics = Economics(gain_minor=5_000)
    harmful_share = by_skill(0.14, 0.1, 0.047, 0.052)

    def act(self, member: Member, at: int) -> list[Entry]:
        """One purchase that will be denied."""
        # What is denied at the bank is sold on: dear things, even where the careful buy others beside them.
        dear = self.rng.random() < by_skill(1.0, 1.0, 0.6, 0.45)[self.skill]
        items = self.targets.items(1 + int(self.rng.random() < 0.3), "dear") if dear else None
        return self.shop(member, at, "buy", items=items).entries

    def loss(self, entry: Entry) -> int | None:
        """The goods and the bank's fee."""
        return (entry.event.amount_minor or 0) + 1_500 if entry.event.type in self.harmful else None
