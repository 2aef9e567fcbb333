"""The whole small shop: customers and campaigns in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np

from floorwalker.simulation.small_shop._campaigns import CAMPAIGNS
from floorwalker.simulation.small_shop._customers import moments, population, visits
from floorwalker.simulation.small_shop._writing import DAY, HOUR, TracedEvent

__all__ = ["SmallShop", "TracedEvent", "generate_events"]


@dataclass(frozen=True)
class SmallShop:
    """What is generated.

    Parameters
    ----------
    first_at : microseconds since 1970-01-01 UTC when it begins.
    days : how long it runs; a sale begins on the last day but one.
    customers : honest customers.
    visits : their visits.
    campaigns : whether anybody preys on the shop; all of them come on the last day.
    seed : the only source of chance.
    """

    first_at: int
    days: int = 7
    customers: int = 1000
    visits: int = 4000
    campaigns: bool = True
    seed: int = 1


def generate_events(shop: SmallShop) -> list[TracedEvent]:
    """Its events in the order of time; nothing happens after the last day.

    >>> traced = generate_events(SmallShop(first_at=1_700_000_000_000_000, days=2, customers=20, visits=30))
    >>> all(one.event.at <= other.event.at for one, other in zip(traced, traced[1:]))
    True
    >>> sorted({one.abuse_type for one in traced if one.abuse_type})[:2]
    ['account_takeover', 'inventory_abuse']
    """
    rng = np.random.default_rng(shop.seed)
    people = population(rng, shop.customers)
    end = shop.first_at + shop.days * DAY
    sale_day = max(shop.days - 2, 0)
    starts = moments(rng, shop.first_at, shop.days, shop.visits, sale_day)
    scripts = list(visits(rng, people, starts, (shop.first_at + sale_day * DAY, end)))
    if shop.campaigns:
        victims = [who for who, _ in people]
        evening = end - 5 * HOUR
        scripts += [campaign(rng, victims, evening + int(rng.uniform(0, HOUR))) for campaign in CAMPAIGNS]
    traced = chain.from_iterable(script.traced for script in scripts)
    return sorted((one for one in traced if one.event.at <= end), key=lambda one: (one.event.at, one.event.id))
