"""Carding (OAT-001): lists of stolen cards are tried with small purchases, to see which still work.

Naive ones run through the list on one machine. Experts pay for an ordinary basket with each card, under an account of
its own, and stop after the first answer: a decline looks like anybody's.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Payer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class Carding(Payer):
    """Tests stolen cards at the checkout."""

    title = "carding"
    owasp = "OAT-001"
    harmful = frozenset({"payment_authorised", "payment_declined"})
    economics = Economics(gain_minor=2_500)
    cards_last = by_skill(1, 1, 1, 2)
    harmful_share = by_skill(0.28, 0.18, 0.085, 0.055)
    dead = by_skill(0.8, 0.65, 0.35, 0.12)
    """Share of the cards that no longer work: experts buy fresh ones."""

    def act(self, member: Member, at: int) -> list[Entry]:
        """One card, one purchase."""
        self.arm(member)
        outcome = "declined" if self.rng.random() < self.dead[self.skill] else "ok"
        items = self.targets.items(1, "cheap") if self.skill in ("naive", "skilled") else None
        return self.shop(member, at, "buy", items=items, outcome=outcome).entries

    def loss(self, entry: Entry) -> int | None:
        """The goods where the card still worked; the fee of the attempt where it did not."""
        if entry.event.type not in self.harmful:
            return None
        return (entry.event.amount_minor or 0) if entry.event.type == "payment_authorised" else 15
