"""Reshipping: goods bought with stolen cards go to people who send them on and think that it is a job.

Naive ones send everything to one door. Experts have reshippers in every country, two or three parcels each, and
cards of the same country.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Payer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class Reshipping(Payer):
    """Buys with stolen cards for doors that are not its own."""

    title = "reshipping with stolen cards"
    harmful_share = by_skill(0.14, 0.093, 0.052, 0.05)
    owasp = "OAT-012"
    economics = Economics(gain_minor=6_000, extra_minor=300)

    def prepare(self) -> None:
        """Hire the reshippers."""
        super().prepare()
        self.mules = [
            self.crew.draw_customer()[0].home
            for _ in range(max(1, round(self.brief.harmful / by_skill(60, 15, 5, 2)[self.skill])))
        ]

    def act(self, member: Member, at: int) -> list[Entry]:
        """One card, one parcel to a reshipper; half of an expert's parcels go where the account's parcels always go."""
        self.arm(member)
        items = self.targets.items(1, "dear") if self.skill in ("naive", "skilled") else None
        ship_to = self.door(self.mules, member)
        if self.skill == "expert" and self.rng.random() < 0.55:
            ship_to = member.persona.home
        return self.shop(member, at, "buy", items=items, ship_to=ship_to).entries
