"""Price-error raids: items stand there for a tenth of their price, and are bought up before anybody mends it.

A raid waits for a `price_error` of the calendar and strikes while it lasts. Naive raiders take twelve pieces of the
greatest mistake with each account within minutes. Experts, whose accounts have been kept warm for days, take one or two
of what is a little too cheap among other things, like the honest people who saw the price as well.
"""

from __future__ import annotations

from floorwalker.events.event import Event
from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Raider
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.honest.shelf import RATES, in_currency
from floorwalker.simulation.shop.scenario import MINUTE

_LAST = 15 * MINUTE
"""Before the end nobody begins a visit any more: the price would be right again at the checkout."""
_LEAST = by_skill(0.0, 0.0, 0.3, 0.7)
"""Skill -> share of the right price below which a mistake is left alone: what is sold for nothing is cancelled."""


class PriceErrorRaids(Raider):
    """Buys at prices that are mistakes."""

    title = "price-error raid"
    abuse_type = "promotion_abuse"
    harmful = frozenset({"order"})
    economics = Economics(gain_minor=3_000)
    waits_for = "price_error"
    harmful_share = by_skill(0.15, 0.095, 0.04, 0.052)

    def prepare(self) -> None:
        """Wait for the first mistake within the campaign's time, and choose what to take of it."""
        super().prepare()
        brief = self.brief
        found = [
            one
            for one in self.world.wrong_prices
            if one.starts_at < brief.ends_at and one.ends_at - _LAST > max(one.starts_at, brief.starts_at)
        ]
        self.wrong: list[int] = []
        if not found:
            return
        self.windows = self.found(found[:1], _LAST)
        few = by_skill(1, 3, 12, 120)[self.skill]
        worth = [
            item
            for item, share in zip(found[0].items.tolist(), found[0].shares.tolist(), strict=True)
            if share >= _LEAST[self.skill]
        ]
        self.wrong = worth or found[0].items.tolist()
        if self.skill == "expert":
            self.rng.shuffle(self.wrong)
        self.wrong = self.wrong[:few]
        self.named = {self.targets.name(item): int(self.world.items.price_minor[item]) for item in self.wrong}

    def opening(self) -> tuple[int, int] | None:
        """Until the mistake is mended; nothing where none happens."""
        return super().opening() if self.windows else None

    def act(self, member: Member, at: int) -> list[Entry]:
        """One order; the careful put other things beside it."""
        items = [self.wrong[int(self.rng.integers(len(self.wrong)))]]
        if self.skill in ("advanced", "expert"):
            items += self.targets.items(int(self.rng.integers(0, 3)))
            self.rng.shuffle(items)
        pieces = by_skill(12, 5, 2, 0)[self.skill] if len(items) == 1 else 0
        return self.shop(member, at, "buy", items=tuple(items), quantity=pieces, pace=0.6).entries

    def loss(self, entry: Entry) -> int | None:
        """What is missing to the right price; nothing is lost where it was right again."""
        event = entry.event
        if event.type not in self.harmful:
            return None
        return _missing(event, self.named) or None


def _missing(event: Event, named: dict[str, int]) -> int:
    """What lines of these items are short of their right prices (euro cents by name), in the order's currency."""
    rate = RATES.get(event.currency or "EUR", 1.0)
    short = 0
    for line in event.lines:
        right = named.get(line.item or "")
        if right is not None:
            short += max(0, int(in_currency(right, rate)) - (line.price_minor or 0)) * (line.quantity or 1)
    return short
