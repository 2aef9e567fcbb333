"""Livestream engagement: viewers, hearts and comments that a streamer pays for.

Naive ones send hearts by script. Experts are telephones in many hands that watch for a while, write something
ordinary, and buy once in a while.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry


class LivestreamEngagement(Shopper):
    """Fills streams with viewers who are none."""

    title = "livestream engagement"
    abuse_type = "ranking_manipulation"
    harmful = frozenset({"livestream"})
    economics = Economics(gain_minor=150, per_deed=3)
    sizes = by_skill(200, 120, 80, 60)
    harmful_share = by_skill(0.6, 0.31, 0.25, 0.33)

    def prepare(self) -> None:
        """The stream that pays."""
        super().prepare()
        self.pushed = self.targets.items(by_skill(1, 2, 4, 10)[self.skill])

    def act(self, member: Member, at: int) -> list[Entry]:
        """One viewer."""
        item = self.pushed[int(self.rng.integers(len(self.pushed)))]
        return self.hands.watch_stream(member, at, item=item).entries
