"""Click farms: walls of telephones look at an item and put it into carts, so that it seems wanted.

Naive farms tap the same item every few seconds. Experts let each telephone stroll like a customer, and come past the
item once.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class ClickFarms(Shopper):
    """Makes items seem wanted."""

    title = "click farm"
    owasp = "OAT-016"
    abuse_type = "ranking_manipulation"
    harmful = frozenset({"page_view", "add_to_cart"})
    economics = Economics(gain_minor=150, per_deed=3)
    sizes = by_skill(250, 150, 80, 60)
    harmful_share = by_skill(0.98, 0.98, 0.22, 0.2)

    def prepare(self) -> None:
        """The items to push."""
        super().prepare()
        each = by_skill(120, 40, 12, 6)[self.skill]
        self.pushed = self.targets.items(max(1, round(self.brief.harmful / each)))
        self.names = {self.targets.name(item) for item in self.pushed}

    def act(self, member: Member, at: int) -> list[Entry]:
        """A stroll that comes past what is pushed."""
        item = self.pushed[int(self.rng.integers(len(self.pushed)))]
        if not member.tactic.looks_human:
            return self.hands.crawl(member, at, (item,) * {"naive": 12, "skilled": 5}.get(self.skill, 2), login=True)
        if self.rng.random() < 0.5:
            # Whoever is paid by the click comes by the link that he was sent, and goes again.
            kind = "add_to_cart" if self.rng.random() < 0.5 else "page_view"
            return self.hands.click(member, at, kind, item=item).entries
        intent = "hold" if self.rng.random() < 0.5 else "browse"
        return self.hands.visit(member, at, intent, items=(item,)).entries

    def loss(self, entry: Entry) -> int | None:
        """A false signal, where it is about what is pushed."""
        event = entry.event
        named = event.item in self.names or any(line.item in self.names for line in event.lines)
        return self.economics.gain_minor if event.type in self.harmful and named else None
