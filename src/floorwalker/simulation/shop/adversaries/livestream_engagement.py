"""Livestream engagement: viewers, hearts and comments that a streamer pays for.

Naive ones send hearts by script. Experts are telephones in many hands that watch for a while, write something
ordinary, and buy once in a while.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.honest.shelf import shelf_of


class LivestreamEngagement(Shopper):
    """Fills streams with viewers who are none."""

    title = "livestream engagement"
    owasp = "OAT-016"
    abuse_type = "ranking_manipulation"
    harmful = frozenset({"livestream"})
    economics = Economics(gain_minor=150, per_deed=3)
    sizes = by_skill(200, 120, 80, 60)
    harmful_share = by_skill(0.75, 0.36, 0.36, 0.68)

    def prepare(self) -> None:
        """The streams that pay: those that are on while the campaign lasts."""
        super().prepare()
        low, high = self.brief.starts_at, self.brief.ends_at
        shown = shelf_of(self.world).by_rank
        on = [
            # What is shown where the programme names nothing: one of what sells best.
            (one, one.item if one.item >= 0 else int(shown[(number * 13) % min(60, len(shown))]))
            for number, one in enumerate(self.world.calendar.of_kind("livestream"))
            if one.starts_at < high and one.ends_at > low
        ]
        few = by_skill(1, 2, 4, 10)[self.skill]
        self.streams = [on[int(place)] for place in self.rng.permutation(len(on))[:few]]
        self.pushed = self.targets.items(few)

    def act(self, member: Member, at: int) -> list[Entry]:
        """One viewer of one stream."""
        item = self.pushed[int(self.rng.integers(len(self.pushed)))]
        if self.streams:
            stream, item = self.streams[int(self.rng.integers(len(self.streams)))]
            low, high = max(stream.starts_at, self.brief.starts_at), min(stream.ends_at, self.brief.ends_at)
            at = low + int((high - low) * 0.9 * float(self.rng.beta(1.2, 2.2)))
        return self.hands.watch_stream(member, at, item=item, end_at=self.brief.ends_at).entries
