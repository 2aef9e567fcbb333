"""Bought aged accounts: opened or collected long ago, sold with history, used under new hands.

The buyer's first login is what does harm: from then on the account lends its good name to whatever is planned. Naive
buyers change everything at once; experts get the browser with the account and change nothing for days.
"""

from __future__ import annotations

from dataclasses import replace

from floorwalker.simulation.shop.adversaries._base import Adversary, Economics, Member
from floorwalker.simulation.shop.adversaries._market import Tactic
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.honest.shelf import HOST

_BOUGHT = {
    "naive": (
        Tactic("a bundle on one server", "hosting", "machine", "aged", "headless", 40, 1.0, 2, 0.7),
        Tactic("a bundle behind a tunnel", "vpn", "machine", "aged", "emulator", 20, 1.0, 2, 0.7),
    ),
    "skilled": (
        Tactic("a bundle behind proxies", "proxy", "scripted", "aged", "clone", 8, 1.0, 2, 0.7),
        Tactic("a bundle on farm telephones", "carrier", "scripted", "aged", "farm_phone", 8, 1.0, 2, 0.7),
    ),
    "advanced": (
        Tactic("customers' accounts, own machine", "proxy", "human", "lived", "desktop", 4, 0.6, 1, 0.75),
        Tactic("aged accounts, own telephones", "carrier", "human", "aged", "phone", 4, 0.6, 1, 0.75),
    ),
    "expert": (
        Tactic("customers' accounts with their browser", "proxy", "human", "lived", "profile", 3, 0.3, 1, 0.8),
        Tactic("customers' accounts, a telephone each", "carrier", "human", "lived", "phone", 2, 0.2, 1, 0.8),
        Tactic("customers' accounts on the road", "carrier", "human", "lived", "profile", 3, 0.3, 1, 0.8),
    ),
}


class AgedAccounts(Adversary):
    """Takes accounts with a good name into new hands."""

    title = "bought aged accounts"
    owasp = "OAT-019"
    abuse_type = "fake_account"
    harmful = frozenset({"login_succeeded", "contact_change"})
    economics = Economics(gain_minor=900)
    tactics = _BOUGHT
    harmful_share = by_skill(0.47, 0.3, 0.11, 0.11)

    def act(self, member: Member, at: int) -> list[Entry]:
        """The first visit under new hands; who cannot wait makes the account his own at once."""
        done = self.hands.visit(member, at, "browse", fresh=True)
        hasty = by_skill(0.95, 0.7, 0.25, 0.08)[self.skill]
        if self.rng.random() >= hasty:
            return done.entries
        new = self.world.new_person(self.rng, country=member.persona.country, style="plausible", at=at)
        changed = self.hands.errand(
            member, done.end_at + self.hands.pause(member), "contact_change", "/account", email=new.email,
            url=f"{HOST}/api/account/contact",
        )  # fmt: skip
        member.persona = replace(member.persona, email=new.email)
        return [*done.entries, *changed.entries]
