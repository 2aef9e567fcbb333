"""The finding in short: counts over visitors, and the sentence that a report begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from floorwalker.scan.phrases import say_count, say_days
from floorwalker.scan.result import CATEGORIES, TIERS, ScanResult

CATEGORY_NOTES: Mapping[str, str] = {
    "monitoring": "low and slow on offer or stock pages",
    "activity": "bursts on few pages",
    "normal": "scattered pages, ordinary pace",
    "random": "few, short visits",
}
"""What each of paper B's categories looks like."""

TIER_NOTES: Mapping[str, str] = {
    "proven": "caught in the act: only a machine or a lie explains it",
    "strong pattern": "does what offer hunters do, well beyond the site's customers",
    "only unusual": "unlike the other visitors; look before you act",
}
"""How far each tier of evidence may be trusted."""


@dataclass(frozen=True)
class Summary:
    """Counts of a scan, over visitors rather than visitor-days.

    Parameters
    ----------
    visitors : visitors judged.
    flagged : visitors flagged on at least one day.
    tiers : flagged visitors by their best tier, every tier named.
    categories : flagged visitors by the category of their strongest flag, every category named.
    patterns : flagged visitors by the reason code of their strongest flag, commonest first.
    swarms : cohorts flagged.
    swarm_clients : addresses in them.
    machines : visitors set apart as machines that are no suspects.
    impostors : visitors that only claim to be such a machine.
    """

    visitors: int
    flagged: int
    tiers: Mapping[str, int]
    categories: Mapping[str, int]
    patterns: Mapping[str, int]
    swarms: int
    swarm_clients: int
    machines: int
    impostors: int


def summarise(result: ScanResult) -> Summary:
    """Count a scan's findings; a visitor flagged on several days counts once, by its strongest flag."""
    order = {tier: place for place, tier in enumerate(TIERS)}
    strongest = (
        result.visitors.filter(pl.col("flagged"))
        .select("visitor", "category", "tier", "pattern", "rank")
        .with_columns(pl.col("tier").replace_strict(order, default=len(TIERS)).alias("order"))
        .sort(["order", "rank", "visitor"], descending=[False, True, False])
        .unique("visitor", keep="first", maintain_order=True)
    )
    tiers = dict(strongest.group_by("tier").len().iter_rows())
    categories = dict(strongest.group_by("category").len().iter_rows())
    patterns = strongest.drop_nulls("pattern").group_by("pattern").len()
    swarms = result.swarms.filter(pl.col("flagged"))
    impostors = int(result.machines["impostor"].sum()) if result.machines.height else 0
    return Summary(
        visitors=result.visitors["visitor"].n_unique() if result.visitors.height else 0,
        flagged=strongest.height,
        tiers={tier: tiers.get(tier, 0) for tier in TIERS},
        categories={category: categories.get(category, 0) for category in CATEGORIES},
        patterns=dict(patterns.sort(["len", "pattern"], descending=[True, False]).iter_rows()),
        swarms=swarms.height,
        swarm_clients=int(swarms["clients"].sum()) if swarms.height else 0,
        machines=result.machines.height - impostors,
        impostors=impostors,
    )


def headline(result: ScanResult, summary: Summary | None = None) -> str:
    """The finding in one or two sentences that need no glossary.

    >>> import numpy as np
    >>> from floorwalker.testing.scan_results import make_scan_result
    >>> print(headline(make_scan_result(np.random.default_rng(7), visitors=300)).split(". ")[0])
    15 of 300 visitors on 11 November 2021 look like they prey on the shop: 9 proven, 6 by a strong pattern
    """
    found = summary or summarise(result)
    when = say_days(result.judged_days) or "in this log"
    if not found.visitors:
        text = f"There was no visitor to judge {when}."
    elif not found.flagged:
        few = "The only visitor" if found.visitors == 1 else f"None of the {say_count(found.visitors)} visitors"
        verb = "does not look like one that preys" if found.visitors == 1 else "looks like it preys"
        text = f"{few} {when} {verb} on the shop."
    else:
        verb = "looks like it preys" if found.flagged == 1 else "look like they prey"
        known = [
            (found.tiers["proven"], "proven"),
            (found.tiers["strong pattern"], "by a strong pattern"),
            (found.tiers["only unusual"], "only unusual"),
        ]
        parts = ", ".join(f"{say_count(number)} {words}" for number, words in known if number)
        whole = f"{say_count(found.flagged)} of {say_count(found.visitors, 'visitor')}"
        text = f"{whole} {when} {verb} on the shop{': ' + parts if parts else ''}."
    if found.swarms:
        verb = "acts as one" if found.swarms == 1 else "each act as one"
        of = say_count(found.swarm_clients, "address", "addresses")
        text += f" {say_count(found.swarms, 'swarm')} of {of} with few visits {verb}."
    return text
