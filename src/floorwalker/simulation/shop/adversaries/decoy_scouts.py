"""Decoy-aware scouts: before anything is stolen somebody finds out what the shop watches, and which links are traps.

Naive scouts follow every link and touch the traps. Experts compare what two strangers are shown, ask only for what
both have seen, and touch nothing.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._patterns import Watcher
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.adversaries.scraping_fast import FETCHING
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.honest.acts import TRAPS
from floorwalker.simulation.shop.honest.shelf import HOST

_TOUCHES = by_skill(0.5, 0.12, 0.015, 0.0)
"""Share of sessions that end in a trap."""


class DecoyScouts(Watcher):
    """Maps the shop's traps for those who come later."""

    title = "decoy-aware scout"
    harmful_share = by_skill(0.98, 0.98, 0.6, 0.6)
    owasp = "OAT-018"
    tactics = FETCHING
    sizes = by_skill(200, 150, 120, 100)
    harmful = frozenset({"page_view", "search", "decoy_touched"})

    def act(self, member: Member, at: int) -> list[Entry]:
        """One look round."""
        if member.tactic.looks_human:
            entries = self.fetch(member, at, self.mixed(2 + int(self.rng.poisson(3.5))))
        else:
            entries = self.fetch(member, at, self.targets.items(by_skill(40, 20, 8, 5)[self.skill]))
        if entries and self.rng.random() < _TOUCHES[self.skill]:
            last = entries[-1].event
            trap = HOST + TRAPS[int(self.rng.integers(len(TRAPS)))]
            touched = self.hands.write(
                member, "decoy_touched", last.at + self.hands.pause(member), session=last.session or "", login=False,
                url=trap, method="GET", status=200,
            )  # fmt: skip
            entries += self.taken([touched])
        return entries
