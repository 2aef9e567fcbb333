"""Session hijacking, then takeover: cookies from infected machines open accounts without a password.

Naive ones use the session from wherever they sit and empty the account at once. Experts copy the whole browser, come
from the victim's country, look round as the victim does, and buy what can be sold, at prices that the victim pays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from floorwalker.simulation.shop.adversaries._base import Economics, Member
from floorwalker.simulation.shop.adversaries._market import THEFT_TACTICS, Tactic
from floorwalker.simulation.shop.adversaries._patterns import Shopper
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.diary import Entry

_STOLEN = {
    "naive": tuple(replace(tactic, account="hijacked", volume=1) for tactic in THEFT_TACTICS["naive"]),
    "skilled": tuple(replace(tactic, account="hijacked") for tactic in THEFT_TACTICS["skilled"]),
    "advanced": (
        Tactic("session behind a proxy", "proxy", "scripted", "hijacked", "profile", 5, 0.8, 1, 0.6),
        Tactic("session on another machine", "proxy", "human", "hijacked", "desktop", 4, 0.6, 1, 0.6),
    ),
    "expert": THEFT_TACTICS["expert"],
}


class SessionHijack(Shopper):
    """Uses sessions that were stolen from customers' machines."""

    title = "session hijack, then takeover"
    abuse_type = "account_takeover"
    harmful = frozenset({"order"})
    economics = Economics(gain_minor=6_000)
    tactics = _STOLEN
    harmful_share = by_skill(0.15, 0.11, 0.06, 0.056)

    def act(self, member: Member, at: int) -> list[Entry]:
        """One purchase in the victim's name, without a login where the session still lives."""
        wishes: dict[str, Any] = {}
        way = self.rng.random()
        if self.skill in ("naive", "skilled"):
            wishes["items"] = self.targets.items(1 + int(self.rng.integers(3)), "dear")
        elif way < 0.35:
            wishes["items"] = self.targets.items(1, "digital")
        elif way < 0.75:
            # Goods have to reach somebody who sells them on; few are found who let their door be used.
            wishes["ship_to"] = self.door(self.doors, member)
        return self.shop(member, at, "buy", **wishes).entries

    def prepare(self) -> None:
        """Find doors for the parcels."""
        super().prepare()
        count = max(1, round(self.brief.harmful / by_skill(60, 15, 6, 3)[self.skill]))
        self.doors = [self.crew.draw_customer()[0].home for _ in range(count)]

    def loss(self, entry: Entry) -> int | None:
        """The goods, paid with the victim's card."""
        return entry.event.amount_minor if entry.event.type in self.harmful else None
