"""Triangulation: an honest buyer orders at a false shop; the goods are bought here with a stolen card and sent to him.

Name and door belong to an honest person who knows nothing. Naive ones order all parcels from one account; experts
use many, and most of their parcels go to the door at which the account lives.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Payer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class Triangulation(Payer):
    """Fulfils a false shop's orders with stolen cards."""

    title = "triangulation"
    harmful_share = by_skill(0.14, 0.1, 0.045, 0.05)
    owasp = "OAT-012"
    economics = Economics(gain_minor=5_000)

    def act(self, member: Member, at: int) -> list[Entry]:
        """One parcel to somebody who paid elsewhere."""
        self.arm(member)
        buyer = self.crew.draw_customer()[0]
        ship_to = buyer.home
        if self.skill == "expert" and self.rng.random() < 0.65:
            ship_to = member.persona.home
        return self.shop(member, at, "buy", ship_to=ship_to).entries
