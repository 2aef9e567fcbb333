"""Fake accounts (OAT-019): accounts in number, under invented names, with rented telephone numbers.

What is sold is the account; what does harm is its opening. Naive ones open hundreds from one server with numbers of
one block of an SMS-code platform; experts open two a day, each from a home of its own, and look round like anybody.
"""

from __future__ import annotations

from dataclasses import replace

from floorwalker.simulation.shop.adversaries._base import Adversary, Economics, Member
from floorwalker.simulation.shop.adversaries._market import Tactic
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry

OPENING = {
    "naive": (
        Tactic("one server", "hosting", "machine", "fresh", "headless", 80, 1.0, 1, 0.7),
        Tactic("emulators behind a tunnel", "vpn", "machine", "fresh", "emulator", 30, 1.0, 1, 0.7),
    ),
    "skilled": (
        Tactic("clones behind proxies", "proxy", "scripted", "fresh", "clone", 10, 1.0, 1, 0.7),
        Tactic("farm telephones", "carrier", "scripted", "fresh", "farm_phone", 8, 1.0, 1, 0.75),
    ),
    "advanced": (
        Tactic("reset telephones", "carrier", "replayed", "fresh", "spoofed_phone", 4, 0.7, 1, 0.75),
        Tactic("desktops behind proxies", "proxy", "replayed", "fresh", "spoofed_desktop", 4, 0.7, 1, 0.75),
    ),
    "expert": (
        Tactic("a telephone each, at homes", "proxy", "replayed", "fresh", "spoofed_phone", 2, 0.3, 1, 0.8),
        Tactic("a telephone each, on the road", "carrier", "replayed", "fresh", "spoofed_phone", 2, 0.3, 1, 0.8),
        Tactic("desktops at homes", "proxy", "replayed", "fresh", "spoofed_desktop", 2, 0.3, 1, 0.8),
    ),
}
"""Ways of opening accounts; who opens them has no use for those of others."""


class FakeAccounts(Adversary):
    """Opens accounts to sell them."""

    title = "fake accounts"
    owasp = "OAT-019"
    abuse_type = "fake_account"
    harmful = frozenset({"sign_up"})
    economics = Economics(gain_minor=300)
    tactics = OPENING
    sizes = by_skill(100, 70, 50, 40)
    harmful_share = by_skill(0.25, 0.2, 0.08, 0.07)
    ripens = False

    def act(self, member: Member, at: int) -> list[Entry]:
        """One account; the careful look round before or after."""
        if self.skill in ("naive", "skilled"):
            # Numbers of a platform come in blocks that were bought together.
            block = getattr(self, "_block", None) or member.persona.phone[:-3]
            self._block = block
            member.persona = replace(member.persona, phone=f"{block}{int(self.rng.integers(1000)):03d}")
            return self.hands.sign_up(member, at).entries
        return self.hands.visit(member, at, "browse").entries
