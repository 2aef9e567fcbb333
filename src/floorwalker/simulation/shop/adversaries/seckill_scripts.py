"""Seckill scripts: at the second in which a flash sale begins, machines buy what people came for.

Campaigns wait for a `flash_sale` of the calendar. Naive ones send orders for what is on sale from the first second on,
all within the first minute. Experts, whose accounts have been kept warm for days, come to one sale after the other with
each account from its own telephone, when the crowd comes, and mostly leave what everybody looks at for what is dear.
"""

from __future__ import annotations

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._patterns import Raider
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.honest.shelf import shelf_of
from floorwalker.simulation.shop.scenario import MINUTE

_LAST = 15 * MINUTE
"""Before the end of a sale nobody begins a visit any more."""
_FIRST = by_skill(0.01, 0.08, 1.0, 1.0)
"""Skill -> share of a sale in which orders begin: whoever has machines alone is there first, or not at all."""


class SeckillScripts(Raider):
    """Wins flash sales by machine."""

    title = "seckill script"
    owasp = "OAT-013"
    abuse_type = "inventory_abuse"
    harmful = frozenset({"order"})
    economics = Economics(gain_minor=2_500)
    waits_for = "flash_sale"
    comes = by_skill((1.0, 1.0), (1.0, 1.0), (0.7, 3.0), (0.6, 2.0))
    harmful_share = by_skill(0.16, 0.1, 0.05, 0.055)

    def prepare(self) -> None:
        """Choose the sales, and what to buy beside what is on sale."""
        super().prepare()
        few = by_skill(1, 2, 5, 10)[self.skill]
        self.drops = self.targets.items(few, "scarce" if self.skill != "expert" else "dear")
        if self.skill == "expert":
            self.drops += self.targets.items(6)
        self.on_sale: dict[tuple[int, int], int] = {}
        for number, sale in enumerate(self.world.calendar.of_kind("flash_sale")):
            for low, high in self.found((sale,), _LAST):
                window = low, low + int((high - low) * _FIRST[self.skill])
                self.on_sale[window] = shelf_of(self.world).on_sale(number)
        self.windows = tuple(self.on_sale)
        if _FIRST[self.skill] < 1.0:
            self.windows = self.windows[:1]

    def act(self, member: Member, at: int) -> list[Entry]:
        """One order in the hurry of a sale; the careful put other things beside what they came for."""
        place = int(self.rng.integers(len(self.drops)))
        items = [self.drops[place]]
        if place == 0:
            items = [one for (low, high), one in self.on_sale.items() if low <= at < high] or items
        if self.skill in ("advanced", "expert"):
            items += self.targets.items(int(self.rng.integers(0, 3)))
            self.rng.shuffle(items)
        return self.shop(member, at, "buy", items=tuple(items), pace=0.6 if self.windows else 1.0).entries
