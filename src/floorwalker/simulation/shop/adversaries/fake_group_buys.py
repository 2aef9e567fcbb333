"""Fake group buys: the group that makes the price is one person with several accounts, or a shill who fills up groups.

Naive ones fill a group from one telephone in a minute. Experts fill it over a day, from two or three homes, beside
customers who really wanted to buy.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry

_SIZE = by_skill(8, 5, 3, 2)
"""Own accounts in one group."""
_OTHERS = by_skill(0.1, 0.4, 1.2, 1.8)
"""Customers who come upon the group, take it for one, and join."""


class FakeGroupBuys(Shopper):
    """Fills group purchases with itself."""

    title = "fake group buys"
    abuse_type = "promotion_abuse"
    harmful = frozenset({"group_buy_joined", "group_buy_opened"})
    economics = Economics(gain_minor=900)
    harmful_share = by_skill(0.33, 0.16, 0.11, 0.25)

    def prepare(self) -> None:
        """Nothing is open yet."""
        super().prepare()
        self.group: tuple[str, int, str] | None = None
        self.joined = 0

    def act(self, member: Member, at: int) -> list[Entry]:
        """Open a group, or join the one that is open; the careful leave places to customers who know nothing."""
        if self.group is None or self.joined >= _SIZE[self.skill]:
            item = self.targets.item()
            self.group, self.joined = (self.hands.session(), item, member.persona.account), 1
            done = self.hands.group_buy(member, at, item=item, group=self.group[0], inviter=None)
            others = int(self.rng.poisson(_OTHERS[self.skill]))
            return [*done.entries, *self.hands.join_by_chance(done.end_at, others, item=item, group=self.group)]
        self.joined += 1
        name, item, opener = self.group
        return self.hands.group_buy(member, at, item=item, group=name, inviter=opener).entries
