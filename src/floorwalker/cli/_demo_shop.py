"""The shop of the demonstration: simulated days whose end is near, every event with the truth about it.

Honest customers come as `floorwalker simulate` makes them. Who preys on them is put together for the show: each kind of
campaign once by somebody clumsy and once by an expert, all of them within the hours that the server is asked about.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from floorwalker.events.event import Event
from floorwalker.events.frames import read_events
from floorwalker.simulation.shop.scenario import DAY, HOUR, Scenario

SHOP = Scenario(events=100_000, days=12, seed=11, first_day=date(2025, 11, 1), malicious_share=0.0)
"""11 November, the day of the great sale, is the day before the last."""
LIVE_HOURS = 24
SHOWN = (
    "credential_stuffing", "fake_accounts", "coupon_farming", "carding", "inventory_denial", "scraping_fast",
    "refund_only", "fake_reviews", "livestream_engagement",
)  # fmt: skip
"""One kind of campaign for each type of abuse."""
SKILLS = ("naive", "expert")


@dataclass(frozen=True)
class Traced:
    """An event, and who is behind it.

    Parameters
    ----------
    event : as the shop sends it.
    adversary, skill : who wants what, and how well they can; "" for honest people.
    campaign : its number, -1 for honest people.
    segment : the kind of honest customer, "" for adversaries.
    """

    event: Event
    adversary: str
    skill: str
    campaign: int
    segment: str

    @property
    def who(self) -> str:
        """The account, or the session of somebody who has none."""
        return self.event.account or self.event.session or self.event.id


def make_shop(
    folder: Path, scenario: Scenario, now: int, *, hours: int = LIVE_HOURS, kinds: Sequence[str] = SHOWN
) -> list[Traced]:
    """Simulate the shop into a folder, made anew; answers its events in the order of time.

    Parameters
    ----------
    folder : gets `events.parquet` and `truth.parquet`, campaigns included.
    now : microseconds; times are moved by whole weeks so that the shop's last day ends less than a week before.
    hours : at the end of the run, in which campaigns are at work.
    kinds : of campaigns, each played with every one of `SKILLS`.
    """
    from floorwalker.simulation.shop.run import simulate

    if folder.exists():
        shutil.rmtree(folder)
    simulate(scenario, folder)
    events, truth = _with_campaigns(folder, scenario, hours, kinds)
    week = 7 * DAY
    move = (now - scenario.end_at) // week * week
    facts = truth.select("adversary", "skill", "campaign", "segment").iter_rows()
    return [
        Traced(msgspec.structs.replace(event, at=event.at + move), *about)
        for event, about in zip(read_events(events), facts, strict=True)
    ]


def _with_campaigns(
    folder: Path, scenario: Scenario, hours: int, kinds: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Play the campaigns of the show and write them among the honest events; answers events and truth."""
    from floorwalker.simulation.shop.adversaries import load_adversary
    from floorwalker.simulation.shop.campaigns import Planned, run
    from floorwalker.simulation.shop.naming import names
    from floorwalker.simulation.shop.schema import TRUTH, TRUTH_COLUMNS, frame_of
    from floorwalker.simulation.shop.world import World

    world = World(scenario)
    begin = scenario.end_at - hours * HOUR
    entries = []
    for number, (adversary, skill) in enumerate((name, skill) for name in kinds for skill in SKILLS):
        family = load_adversary(adversary)
        # A copied page is little; whoever copies without care takes hundreds.
        harmful = 400 if (adversary, skill) == ("scraping_fast", "naive") else family.sizes[skill]
        most = int(2 * harmful / family.harmful_share[skill]) + 60
        planned = Planned(
            number, adversary, adversary, skill, "test", begin, scenario.end_at, 10**9, harmful, most,
        )  # fmt: skip
        entries += run(world, planned).entries
    added = frame_of(entries, scenario.shop)
    added = added.filter(pl.col("at").is_between(begin, scenario.end_at, closed="left"))
    events, truth = pl.read_parquet(folder / "events.parquet"), pl.read_parquet(folder / "truth.parquet")
    # Numbers far above those of the honest events', so that no name is given twice.
    ids = names(world.chance, "event", np.arange(1 << 40, (1 << 40) + len(added)))
    added = added.with_columns(ids.alias("id"), pl.lit("test").alias(f"{TRUTH}split"))
    bare = [pl.col(name).alias(name.removeprefix(TRUTH)) for name in (*TRUTH_COLUMNS, f"{TRUTH}split")]
    kept = [name for name in added.columns if not name.startswith(TRUTH)]
    events = pl.concat([events, added.select(kept)], how="diagonal_relaxed")
    truth = pl.concat([truth, added.select("id", "account", "session", *bare)], how="diagonal_relaxed")
    order = events["at"].arg_sort()
    events, truth = events[order], truth[order]
    events.write_parquet(folder / "events.parquet")
    truth.write_parquet(folder / "truth.parquet")
    return events, truth
