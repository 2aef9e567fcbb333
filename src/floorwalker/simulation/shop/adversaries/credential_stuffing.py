"""Credential stuffing (OAT-008): leaked pairs of name and password are tried; accounts that open are sold.

Naive ones run the list through from one server. Experts buy pairs that were checked elsewhere, together with the copy
of the victim's browser, and come once to each account, from the victim's own country, at the victim's hours.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Adversary, Economics, Member
from floorwalker.simulation.shop.adversaries._market import THEFT_TACTICS
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry

_MISSES = by_skill(9.0, 5.0, 1.5, 0.12)
"""Mean number of pairs that do not fit, before one that does."""


class CredentialStuffing(Adversary):
    """Takes accounts over with passwords that were used elsewhere."""

    title = "credential stuffing"
    owasp = "OAT-008"
    abuse_type = "account_takeover"
    harmful = frozenset({"login_succeeded"})
    economics = Economics(gain_minor=1_500)
    tactics = THEFT_TACTICS
    sizes = by_skill(40, 40, 40, 40)
    harmful_share = by_skill(0.09, 0.11, 0.13, 0.14)

    def act(self, member: Member, at: int) -> list[Entry]:
        """Misses on other accounts, then one that opens and what is looked at in it."""
        entries: list[Entry] = []
        begin = at
        for _ in range(int(self.rng.poisson(_MISSES[self.skill]))):
            begin -= self.hands.pause(member)
            entries += self.miss(member, begin)
        return [*entries, *self.loot(member, at)]

    def miss(self, member: Member, at: int) -> list[Entry]:
        """One pair of the list that does not fit."""
        other = self.crew.draw_customer()[0]
        return self.hands.miss(member, at, account=other.account)

    def loot(self, member: Member, at: int) -> list[Entry]:
        """What is done in an account that opened."""
        return self.hands.visit(member, at, "browse", fresh=True).entries
