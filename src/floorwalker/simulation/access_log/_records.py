"""What to generate, and what came out: the scenario, and the log with the truth beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from floorwalker.simulation._site import Site

KINDS = ("honest", "hunter", "machine", "scraper", "attacker")
"""What a visitor is: a customer, a hunter of offers, a machine that is no suspect, a copier of the catalogue.

An attacker breaks in or steals; a scraper only copies.
"""

ABUSIVE_KINDS = ("hunter", "scraper", "attacker")
"""The kinds of which a shop would want to know."""

SPLITS = ("choose", "report", "both")
"""`choose`: families for choosing detectors and thresholds. `report`: families for published numbers. `both`: all."""

SKILLS = ("naive", "careful", "skilled", "expert")
"""How well an abuser hides, by code."""

CATEGORIES = ("random", "monitoring", "normal", "activity")
"""Paper B's four categories of visitors."""

REQUEST_COLUMNS = {
    "at": pl.Int64, "client": pl.String, "user_agent": pl.String, "host": pl.String, "method": pl.String,
    "target": pl.String, "status": pl.Int16, "size": pl.Int64, "referrer": pl.String, "session": pl.String,
    "visitor": pl.Int32,
}  # fmt: skip
"""Columns of `GeneratedLog.requests`."""


@dataclass(frozen=True)
class Scenario:
    """One generated stretch of a shop's life.

    Parameters
    ----------
    site_family : id of the family of sites, as `floorwalker.simulation.sites` lists them.
    seed : the only source of chance; the same scenario gives the same bytes.
    days : length, whole local days.
    visitors_per_day : visits of honest people on an average day (a week has stronger and weaker days).
    first_day : the first local day.
    utc_offset_minutes : the shop's time zone.
    promotion_days : positions (0 = first day) of days with a promotion.
    surge : honest visits on a promotion day as a multiple of an average day; what is above 1 is mostly a flash-sale
        crowd.
    hunters : abusers at work on each day, all families of abusers together; a ring or a swarm counts once. On
        promotion days
        families that live off promotions come with up to as many again.
    adversaries : ids of the families of abusers that take part; None = all of the split.
    honest : ids of the families of honest visitors; None = all of the split.
    machines : whether machines that are no suspects visit too.
    items : number of products of the shop.
    split : which families and parameters are used, one of `SPLITS`; numbers that are published need `report`.
    skills : weights of the four `SKILLS` among abusers.
    """

    site_family: str
    seed: int
    days: int = 8
    visitors_per_day: int = 2000
    first_day: date = date(2021, 11, 4)
    utc_offset_minutes: int = 480
    promotion_days: tuple[int, ...] = ()
    surge: float = 1.0
    hunters: int = 0
    adversaries: tuple[str, ...] | None = None
    honest: tuple[str, ...] | None = None
    machines: bool = True
    items: int = 800
    split: str = "choose"
    skills: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.25)


@dataclass(frozen=True)
class GeneratedLog:
    """Requests, and who made them.

    Parameters
    ----------
    requests : one row a request in the order of the log; columns `REQUEST_COLUMNS`. `at` is in microseconds UTC with
        the
        millisecond resolution that servers have; `referrer` and `session` are null where the client sent none.
    truth : one row a visitor (address + user agent, as in paper B): `visitor` (int32, drawn at random), `client`,
        `user_agent`, `family` (the
        one behind most of its requests), `kind` (one of `KINDS`), `abusive` (at least half of its requests are an
        abuser's),
        `abusive_share` (0 to 1: addresses can be shared), `skill` (one of `SKILLS` or null), `campaign` (int32, null
        for honest people
        and machines), `category` (what paper B would call it, where the family makes that plain, else null),
        `first_at`, `last_at` (int64,
        microseconds UTC), `requests`.
    site : the shop's URLs by type.
    utc_offset_minutes : the shop's time zone.
    """

    requests: pl.DataFrame
    truth: pl.DataFrame
    site: Site
    utc_offset_minutes: int = 480
