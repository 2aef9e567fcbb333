"""Credential cracking (OAT-007): passwords of chosen accounts are guessed.

Naive ones try a dictionary on one account. Experts know names and birthdays from elsewhere, guess once in days, each
time from another home, and stop where the shop asks for more.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Adversary, Economics, Member
from floorwalker.simulation.shop.adversaries._market import THEFT_TACTICS
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.scenario import DAY, HOUR

_GUESSES = by_skill(14.0, 7.0, 2.5, 0.6)
"""Mean number of wrong guesses before the right one."""
_APART = by_skill(0, 0, 6 * HOUR, 2 * DAY)
"""Time between two guesses at one account."""


class CredentialCracking(Adversary):
    """Guesses the passwords of accounts that are worth it."""

    title = "credential cracking"
    owasp = "OAT-007"
    abuse_type = "account_takeover"
    harmful = frozenset({"login_succeeded"})
    economics = Economics(gain_minor=1_800)
    tactics = THEFT_TACTICS
    harmful_share = by_skill(0.06, 0.1, 0.12, 0.12)

    def act(self, member: Member, at: int) -> list[Entry]:
        """Guesses at one account; the last one fits."""
        entries: list[Entry] = []
        begin = at
        for _ in range(int(self.rng.poisson(_GUESSES[self.skill]))):
            apart = int(_APART[self.skill] * self.rng.lognormal(-0.1, 0.45))
            begin -= apart or self.hands.pause(member)
            if begin < self.brief.starts_at:
                break
            entries += self.hands.miss(member, begin)
        return [*entries, *self.hands.visit(member, at, "browse", fresh=True).entries]
