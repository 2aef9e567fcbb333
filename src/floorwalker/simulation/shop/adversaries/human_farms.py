"""Human farms: real people on their own telephones who follow a message in a group chat for a few cents.

No automation, no shared device, no rented network: what gives a farm away is that strangers do the same thing. Naive
organisers send everybody at the same minute for the same item; experts give each worker two days and a choice.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._market import Tactic
from floorwalker.simulation.shop.adversaries._patterns import Redeemer
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry

_HOME = Tactic("workers at home", "own", "human", "lived", "own", 3, 0.3, 1, 0.85)
_ROAD = Tactic("workers on the road", "carrier", "human", "lived", "own", 3, 0.3, 1, 0.85)
_EAGER = Tactic("eager workers at home", "own", "human", "lived", "own", 8, 0.7, 3, 0.85)


class HumanFarms(Redeemer):
    """Directs paid people to redeem for their employer."""

    title = "human farm"
    economics = Economics(gain_minor=900)
    tactics = by_skill((_EAGER,), (_EAGER, _HOME), (_HOME, _ROAD), (_HOME, _ROAD))
    harmful_share = by_skill(0.05, 0.045, 0.06, 0.05)

    def prepare(self) -> None:
        """Write the message that goes to the workers: what to buy."""
        super().prepare()
        self.wanted = self.targets.items(by_skill(1, 3, 12, 40)[self.skill])

    def act(self, member: Member, at: int) -> list[Entry]:
        """One worker does as told; under an expert half of them buy what they like."""
        told = self.rng.random() < by_skill(1.0, 0.9, 0.6, 0.3)[self.skill]
        items = (self.wanted[int(self.rng.integers(len(self.wanted)))],) if told else None
        return self.redeem(member, at, items=items).entries
