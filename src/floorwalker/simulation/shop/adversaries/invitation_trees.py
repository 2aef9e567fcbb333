"""Invitation trees: accounts that invite each other, for the reward that each newcomer brings.

Naive ones hang hundreds of newcomers on one inviter within an hour. Experts grow crooked trees, two or three under
each branch, and let the newcomers live a little.
"""

from __future__ import annotations

from dataclasses import dataclass

from floorwalker.simulation.shop.adversaries._base import Adversary, Economics, Member
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.adversaries.fake_accounts import OPENING
from floorwalker.simulation.shop.diary import Entry

_BRANCHES = by_skill(200, 12, 4, 2)
"""Newcomers under one inviter, at the most."""


@dataclass
class Branch:
    """An account of the tree, and how many it has invited."""

    account: str
    newcomers: int = 0


class InvitationTrees(Adversary):
    """Invites itself."""

    title = "invitation tree"
    owasp = "OAT-019"
    abuse_type = "promotion_abuse"
    harmful = frozenset({"invitation_accepted"})
    economics = Economics(gain_minor=1_000)
    tactics = OPENING
    harmful_share = by_skill(0.2, 0.17, 0.08, 0.08)
    ripens = False

    def prepare(self) -> None:
        """Find a real customer to hang the tree on."""
        self.promotion = next((one.id for one in self.world.promotions if one.kind == "invitation"), None)
        self.branches: list[Branch] = [Branch(self.crew.draw_customer()[0].account)]

    def act(self, member: Member, at: int) -> list[Entry]:
        """One newcomer, invited by one of those who came before."""
        open_ones = [branch for branch in self.branches if branch.newcomers < _BRANCHES[self.skill]]
        if not open_ones or (self.skill == "expert" and self.rng.random() < 0.3):
            open_ones = [Branch(self.crew.draw_customer()[0].account)]
            self.branches += open_ones
        branch = open_ones[int(self.rng.integers(len(open_ones)))]
        branch.newcomers += 1
        if self.skill in ("advanced", "expert"):
            done = self.hands.visit(member, at, "browse", invited=(branch.account, self.promotion))
        else:
            done = self.hands.sign_up(member, at, inviter=branch.account, promotion=self.promotion)
        if member.persona.account:
            self.branches.append(Branch(member.persona.account))
        return done.entries
