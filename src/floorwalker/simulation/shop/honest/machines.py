"""Verified crawlers and price comparison: machines that may come, and make a few of a hundred events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from floorwalker.simulation.shop.honest import facts
from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.shelf import shelf_of
from floorwalker.simulation.shop.naming import names
from floorwalker.simulation.shop.scenario import DAY, SECOND

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World

_AGENTS = (
    ("verified_crawler", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 15169, "US"),
    ("verified_crawler", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", 8075, "US"),
    ("verified_crawler", "Mozilla/5.0 (compatible; Applebot/0.1; +http://www.apple.com/go/applebot)", 714, "US"),
    ("verified_crawler", "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", 13238, "RU"),
    ("price_comparison", "IdealoBot/3.1 (+https://www.idealo.de/)", 34086, "DE"),
    ("price_comparison", "Mozilla/5.0 (compatible; PriceWatch/2.4; +https://prices.example.org/bot)", 24940, "DE"),
)
_SHARES = np.array([0.36, 0.2, 0.08, 0.06, 0.18, 0.12])
_SPREAD = 24
"""Addresses of one operator, in one /27 each."""


def make_machines(world: World, count: int) -> pl.DataFrame:
    """So many page views of machines, spread over the run.

    Each operator fetches item after item at its own even pace, from few addresses, without cookies.
    """
    scenario, shelf = world.scenario, shelf_of(world)
    rng = world.chance.generator("honest/machines")
    kind = rng.choice(len(_AGENTS), size=count, p=_SHARES / _SHARES.sum())
    at = np.empty(count, dtype=np.int64)
    item = np.empty(count, dtype=np.int64)
    for one in range(len(_AGENTS)):
        rows = np.flatnonzero(kind == one)
        # Waves of a few hours with pauses, each at an even pace.
        bursts = max(1, len(rows) // 180)
        begin = rng.uniform(0, scenario.days * DAY - 4 * 3_600 * SECOND, bursts)
        burst = rng.integers(bursts, size=len(rows))
        pace = rng.lognormal(2.6, 0.5, bursts)
        turn = np.empty(len(rows))
        order = np.argsort(burst, kind="stable")
        counts = np.bincount(burst, minlength=bursts)
        turn[order] = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        at[rows] = (
            scenario.first_at + begin[burst] + (turn * pace[burst] + rng.random(len(rows)) * pace[burst] * 0.4) * SECOND
        ).astype(np.int64)
        item[rows] = (rng.integers(len(shelf), size=bursts)[burst] + turn.astype(np.int64) * 7) % len(shelf)
    at = np.minimum(at, scenario.end_at - 1)
    act = np.where(rng.random(count) < 0.12, Act.CATEGORY, Act.ITEM)
    pages = facts.Pages(shelf, [])
    place = pages.places(
        act, item, rng.integers(1 << 40, size=count).astype(np.uint64), np.zeros(count, dtype=np.int64)
    )
    network = world.networks
    own = rng.integers(_SPREAD, size=count)
    address = network.addresses(network.codes(6, kind * 100 + own // 8, own + 1), at)
    asn = np.array([one[2] for one in _AGENTS])
    seen = act == Act.ITEM
    goods = facts.take(facts.table_of_items(shelf), np.where(seen, item, -1))
    labels = pl.Series([one[0] for one in _AGENTS])
    # A machine's "session" is what the shop's own cookie-less counting makes of an address and an hour.
    visit = at // (3_600 * SECOND) * 1_000 + kind * 100 + own
    return pl.DataFrame(
        {
            "at": at,
            "type": pl.Series(["page_view"]).new_from_index(0, count),
            "session": names(world.chance, "machine", visit % (1 << 43)),
            "ip": address,
            "user_agent": pl.Series([one[1] for one in _AGENTS]).gather(kind),
            "channel": pl.Series(["web"]).new_from_index(0, count),
            "network.asn": asn[kind],
            "network.kind": pl.Series(["hosting"]).new_from_index(0, count),
            "network.country": pl.Series([one[3] for one in _AGENTS]).gather(kind),
            "url": pages.urls.gather(place),
            "method": pl.Series(["GET"]).new_from_index(0, count),
            "status": np.where(rng.random(count) < 0.01, 404, 200),
            "truth.segment": labels.gather(kind),
        }
    ).hstack(goods.get_columns())
