"""Fast scraping (OAT-011): prices, stock and reviews are copied as quickly as the shop lets them go.

Naive ones ask for page after page from one server. Experts send a thousand homes for a dozen pages each, so that no
address and no session shows how much is taken together.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._market import Tactic
from floorwalker.simulation.shop.adversaries._patterns import Watcher
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry

FETCHING = {
    "naive": (
        Tactic("one server", "hosting", "machine", "none", "headless", 80, 1.0, 50, 0.7),
        Tactic("a tunnel", "vpn", "machine", "none", "headless", 40, 1.0, 50, 0.7),
    ),
    "skilled": (
        Tactic("browsers behind tunnels", "vpn", "scripted", "none", "emulator", 12, 1.0, 10, 0.7),
        Tactic("browsers behind proxies", "proxy", "scripted", "none", "headless", 10, 1.0, 10, 0.75),
    ),
    "advanced": (
        Tactic("driven browsers behind proxies", "proxy", "scripted", "none", "desktop", 5, 0.7, 4, 0.75),
        Tactic("replayed visits behind proxies", "proxy", "replayed", "none", "spoofed_desktop", 4, 0.6, 3, 0.8),
    ),
    "expert": (
        Tactic("customers' browsers with an extension", "own", "replayed", "extension", "own", 1, 0.0, 2, 0.8),
        Tactic("such browsers on the road", "carrier", "replayed", "extension", "own", 1, 0.0, 2, 0.8),
        Tactic("such browsers behind proxies", "proxy", "replayed", "extension", "own", 2, 0.2, 2, 0.8),
    ),
}
"""Ways of asking for pages; nobody needs an account for it, though experts' borrowed browsers have one."""


class ScrapingFast(Watcher):
    """Copies the catalogue in hours."""

    title = "fast scraping"
    harmful_share = by_skill(0.98, 0.98, 0.78, 0.6)
    owasp = "OAT-011"
    tactics = FETCHING
    hurry = True
    pages = by_skill(120, 40, 12, 0)
    """Pages that a machine asks for in one session; people's visits have their own length."""

    def act(self, member: Member, at: int) -> list[Entry]:
        """One session's share of the catalogue."""
        if member.tactic.looks_human:
            return self.fetch(member, at, self.mixed(2 + int(self.rng.poisson(4.0))))
        count = max(3, int(self.rng.poisson(self.pages[self.skill])))
        return self.fetch(member, at, self.targets.items(count))
