"""Gift-card cash-out (OAT-012): stolen cards buy balance, which is moved and spent before the bank notices.

Naive ones fill one account with card after card. Experts fill an account once, with what people give as a present,
and spend it on an ordinary basket.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Payer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class GiftCardCashOut(Payer):
    """Turns stolen cards into balance."""

    title = "gift-card cash-out"
    owasp = "OAT-012"
    harmful = frozenset({"top_up", "transfer", "withdrawal"})
    economics = Economics(gain_minor=4_500)
    harmful_share = by_skill(0.36, 0.22, 0.13, 0.22)

    def act(self, member: Member, at: int) -> list[Entry]:
        """Fill and empty."""
        self.arm(member)
        big = self.skill in ("naive", "skilled")
        amount = self.amount(big)
        entries = self.hands.balance(member, at, "top_up", amount_minor=amount).entries
        if self.rng.random() < by_skill(0.9, 0.8, 0.4, 0.25)[self.skill]:
            later = entries[-1].event.at + (
                self.hands.pause(member) if big else int(self.rng.uniform(0.5, 20) * 3_600_000_000)
            )
            kind = "transfer" if big or self.rng.random() < 0.3 else "withdrawal"
            recipient = self.drop.account if kind == "transfer" else ""
            spent = amount if big else int(amount * self.rng.uniform(0.4, 1.0))
            entries += self.hands.balance(member, later, kind, amount_minor=spent, recipient=recipient).entries
        return entries

    def prepare(self) -> None:
        """Find where the balance goes."""
        super().prepare()
        self.drop = self.crew.draw_customer()[0]

    def amount(self, big: bool) -> int:
        """What a card is charged with: as much as it gives, or what people give as a present."""
        presents, large = (1_000, 1_000, 1_500, 2_000, 2_500, 2_500, 5_000, 10_000), (20_000, 25_000, 50_000)
        among = large if big else presents
        return among[int(self.rng.integers(len(among)))]
