"""Fake-review rings: praise that is bought, filled into a template, or written by a machine; and praise in camouflage.

Naive voices praise one item in the same words within an hour. Expert voices are customers who bought the item, write
as they write about everything, wait for the parcel, and give four stars now and then.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Member
from floorwalker.simulation.shop.adversaries._patterns import Voice
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry

STYLES = by_skill("template", "bought", "machine", "camouflaged")
"""Skill -> how the text comes about, as `World.reviews` understands it."""


class FakeReviews(Voice):
    """Praises for money."""

    title = "fake-review ring"
    owasp = "OAT-017"
    harmful_share = by_skill(0.38, 0.16, 0.06, 0.036)

    def act(self, member: Member, at: int) -> list[Entry]:
        """One review; the camouflaged review other things as well, honestly enough."""
        item = self.subject()
        blames = self.rng.random() < 0.1
        stars = 1 if blames else 5 if self.rng.random() < by_skill(1.0, 0.97, 0.85, 0.62)[self.skill] else 4
        style = STYLES[self.skill]
        if self.rng.random() >= by_skill(0.0, 0.15, 0.6, 1.0)[self.skill]:
            return self.hands.review(member, at, item=item, stars=stars, style=style).entries
        # A verified purchase, paid back by the seller; the review comes with the parcel.
        done = self.hands.visit(member, at, "buy", items=(item,), outcome="ok")
        return [*done.entries, *self.later(done, "review", review=(stars, style), refund=False)]
