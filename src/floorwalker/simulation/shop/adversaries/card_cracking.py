"""Card cracking (OAT-010): missing digits, dates and codes of cards are found by trying.

Naive ones count through one BIN. Experts try each candidate once, weeks apart, on another account and another basket,
over many BINs, and let honest declines hide theirs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Payer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class CardCracking(Payer):
    """Finds out what belongs to a card by trying."""

    title = "card cracking"
    owasp = "OAT-010"
    harmful = frozenset({"payment_declined", "payment_authorised"})
    economics = Economics(gain_minor=2_200)
    origin = "virtual"
    needs_minor = 40
    cards_last = by_skill(1, 1, 1, 2)
    harmful_share = by_skill(0.28, 0.21, 0.1, 0.07)
    misses = by_skill(0.93, 0.85, 0.6, 0.35)
    """Share of the tries that do not fit."""

    def prepare(self) -> None:
        """Choose the BIN to count through; the careful have none."""
        super().prepare()
        self.series: Any = self.world.new_card(self.rng, country="DE", origin="stolen")

    def act(self, member: Member, at: int) -> list[Entry]:
        """One candidate, one purchase."""
        self.arm(member)
        if self.rng.random() < by_skill(1.0, 0.85, 0.4, 0.0)[self.skill]:
            card = replace(member.persona.cards[0], bin=self.series.bin, facts=self.series.facts)
            member.persona = replace(member.persona, cards=(card,))
        outcome = "declined" if self.rng.random() < self.misses[self.skill] else "ok"
        items = self.targets.items(1, "cheap") if self.skill in ("naive", "skilled") else None
        return self.shop(member, at, "buy", items=items, outcome=outcome).entries

    def loss(self, entry: Entry) -> int | None:
        """The goods where a try fitted; the fee where it did not."""
        if entry.event.type not in self.harmful:
            return None
        return (entry.event.amount_minor or 0) if entry.event.type == "payment_authorised" else 15
