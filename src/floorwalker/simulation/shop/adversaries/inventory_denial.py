"""Denial of inventory (OAT-021): goods lie in carts that nobody will ever pay for, so that others find them sold out.

Naive ones fill one cart after the other by script. Experts are people who put one piece into their cart, look at
other things, and buy something else now and then.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class InventoryDenial(Shopper):
    """Holds a competitor's goods in carts."""

    title = "denial of inventory"
    owasp = "OAT-021"
    abuse_type = "inventory_abuse"
    harmful = frozenset({"add_to_cart"})
    economics = Economics(gain_minor=900)
    sizes = by_skill(150, 80, 50, 40)
    harmful_share = by_skill(0.78, 0.36, 0.14, 0.1)

    def prepare(self) -> None:
        """Choose the seller who is to be hurt."""
        super().prepare()
        first = self.targets.item()
        few = by_skill(1, 3, 10, 40)[self.skill]
        self.held = self.targets.of_seller(first, few) or (first,)
        self.names = {self.targets.name(item) for item in self.held}

    def loss(self, entry: Entry) -> int | None:
        """What is held; what else lies in the cart only hides it."""
        return super().loss(entry) if entry.event.item in self.names else None

    def act(self, member: Member, at: int) -> list[Entry]:
        """A cart that is left; under an expert every fourth visit ends in an honest purchase."""
        item = self.held[int(len(self.held) * float(self.rng.random()) ** 2)]
        if self.skill == "expert" and self.rng.random() < 0.25:
            return self.shop(member, at, "buy", items=(item,)).entries
        done = self.hands.visit(member, at, "hold", items=(item,))
        entries = done.entries
        if self.skill in ("naive", "skilled"):
            held = [entry for entry in entries if entry.event.type == "add_to_cart"]
            for _ in range({"naive": 8, "skilled": 3}[self.skill] if held else 0):
                entries.append(self.hands.again(held[-1], entries[-1].event.at + self.hands.pause(member)))
        return entries
