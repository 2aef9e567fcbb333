"""Low-and-slow scraping (OAT-011): the same few hundred pages, day after day, never many at once.

What it takes is small in every window. Experts replay visits of people whom they pay for it, and skip a day.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._patterns import Watcher
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.adversaries.scraping_fast import FETCHING
from floorwalker.simulation.shop.diary import Entry


class ScrapingSlow(Watcher):
    """Follows prices for weeks."""

    title = "low-and-slow scraping"
    harmful_share = by_skill(0.98, 0.98, 0.6, 0.6)
    owasp = "OAT-011"
    tactics = FETCHING
    pages = by_skill(25, 10, 5, 3)

    def prepare(self) -> None:
        """Choose the prices to follow."""
        super().prepare()
        self.followed = self.mixed(200)

    def act(self, member: Member, at: int) -> list[Entry]:
        """A few of the pages that are followed."""
        some = tuple(
            self.followed[int(place)]
            for place in self.rng.integers(len(self.followed), size=4 + int(self.rng.poisson(self.pages[self.skill])))
        )
        return self.fetch(member, at, tuple(dict.fromkeys(some)) if member.tactic.looks_human else some)
