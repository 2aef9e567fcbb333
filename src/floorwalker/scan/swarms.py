"""Sparse visitors judged as cohorts: rotating proxies spread one visitor over hundreds of addresses.

One or two requests say nothing about a visitor. Hundreds of visitors with one user agent that ask for the same routes
in
the same order, from everywhere, fetching nothing that a browser fetches or arriving at a steady beat, say a lot.
A cohort is compared with what chance would make of the same user agents and the same sequences.
"""

from __future__ import annotations

import numpy as np
import polars as pl

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "swarm": pl.Int32,
    "user_agent": pl.String,
    "networks": pl.Int32,
    "clients": pl.Int32,
    "requests": pl.Int64,
    "routes": pl.String,
    "first_at": pl.Datetime("us"),
    "last_at": pl.Datetime("us"),
    "score": pl.Float32,
    "flagged": pl.Boolean,
    "reasons": pl.List(pl.String),
}

STEADY_VARIATION = 0.6
"""Gaps between independent arrivals vary as much as their mean (1.0); a scheduler's vary far less."""

FEWEST_ARRIVALS = 20
CHANCE_LIFT = 3.0
SIGNS_NEEDED = 2


def find_swarms(sparse: pl.DataFrame, *, min_clients: int, site_fetches_assets: bool) -> pl.DataFrame:
    """Cohorts of sparse visitors that act as one.

    Parameters
    ----------
    sparse : one row a sparse visitor-day: `day`, `user_agent` (str), `client`, `network`, `sequence` (int64: the
        routes in their
        order), `routes` (str: the same for people), `requests`, `assets`, `without_referrer` (share), `sensitive`
        (bool: touches
        offers, sign-in, basket or checkout), `first_at`, `last_at` (datetime).
    min_clients : clients that a cohort must have.
    site_fetches_assets : whether browsers are seen to fetch assets in this log.

    Returns
    -------
    The table that `ScanResult.swarms` describes, most certain first. A cohort is flagged when it is at least three
    times
    what chance would make of it and two of these agree: nothing fetched but pages, a beat steadier than independent
    arrivals,
    no referrers on pages that are reached by links, offers or sign-in or checkout as its aim.
    """
    if sparse.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    sparse = sparse.with_columns(pl.col("user_agent").fill_null(""))
    keys = ["day", "user_agent", "sequence"]
    cohorts = (
        sparse.sort("first_at")
        .group_by(keys, maintain_order=True)
        .agg(
            pl.len().alias("members"),
            pl.col("client").n_unique().alias("clients"),
            pl.col("network").n_unique().alias("networks"),
            pl.col("requests").sum().alias("requests"),
            pl.col("assets").sum().alias("assets"),
            pl.col("without_referrer").mean().alias("without_referrer"),
            pl.col("sensitive").any().alias("sensitive"),
            pl.col("routes").first().alias("routes"),
            pl.col("first_at").min().alias("first_at"),
            pl.col("last_at").max().alias("last_at"),
            (pl.col("first_at").diff().dt.total_microseconds() / 1e6).mean().alias("gap_mean"),
            (pl.col("first_at").diff().dt.total_microseconds() / 1e6).std().alias("gap_spread"),
        )
        .filter((pl.col("clients") >= min_clients) & (pl.col("networks") >= 0.5 * min_clients))
    )
    if cohorts.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    by_day = sparse.group_by("day").agg(pl.len().alias("day_members"))
    by_agent = sparse.group_by("day", "user_agent").agg(pl.len().alias("agent_members"))
    by_sequence = sparse.group_by("day", "sequence").agg(pl.len().alias("sequence_members"))
    cohorts = (
        cohorts.join(by_day, on="day")
        .join(by_agent, on=["day", "user_agent"])
        .join(by_sequence, on=["day", "sequence"])
        .with_columns(
            (pl.col("agent_members") * pl.col("sequence_members") / pl.col("day_members")).alias("expected"),
            (pl.col("gap_spread") / pl.col("gap_mean")).fill_null(float("inf")).fill_nan(0.0).alias("variation"),
        )
        .with_columns((pl.col("members") / pl.col("expected")).alias("lift"))
    )
    bare = pl.lit(site_fetches_assets) & (pl.col("assets") < 0.05 * pl.col("requests"))
    steady = (pl.col("members") >= FEWEST_ARRIVALS) & (pl.col("variation") <= STEADY_VARIATION)
    blind = pl.col("without_referrer") >= 0.95
    cohorts = cohorts.with_columns(bare.alias("bare"), steady.alias("steady"), blind.alias("blind")).with_columns(
        pl.sum_horizontal("bare", "steady", "blind", "sensitive").alias("signs")
    )
    likely = (pl.col("lift") >= CHANCE_LIFT) & (pl.col("signs") >= SIGNS_NEEDED) & (pl.col("bare") | pl.col("steady"))
    cohorts = cohorts.with_columns(
        likely.alias("flagged"),
        (1.0 - (-(pl.col("lift") / CHANCE_LIFT) * (pl.col("signs") / SIGNS_NEEDED)).exp())
        .cast(pl.Float32)
        .alias("score"),
    ).sort(["flagged", "score", "clients"], descending=True)
    reasons = [_reasons(row, site_fetches_assets) for row in cohorts.iter_rows(named=True)]
    return cohorts.select(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("swarm"),
        "user_agent",
        pl.col("networks").cast(pl.Int32),
        pl.col("clients").cast(pl.Int32),
        pl.col("requests").cast(pl.Int64),
        "routes",
        pl.col("first_at").cast(pl.Datetime("us")),
        pl.col("last_at").cast(pl.Datetime("us")),
        "score",
        "flagged",
        pl.Series("reasons", reasons, dtype=pl.List(pl.String)),
    )


def _reasons(cohort: dict[str, object], site_fetches_assets: bool) -> list[str]:
    members, expected, lift = (float(str(cohort[name])) for name in ("members", "expected", "lift"))
    reasons = [
        f"{members:,.0f} sparse visitors with one user agent take the same steps; chance would make {expected:,.1f} "
        f"({lift:.1f} times as many as expected)"
    ]
    if cohort["bare"] and site_fetches_assets:
        reasons.append("none of them fetches what a browser fetches with a page")
    if cohort["steady"]:
        variation = float(str(cohort["variation"]))
        if np.isfinite(variation):
            reasons.append(f"they arrive at a steady beat: gaps vary by {variation:.2f} of their mean, chance gives 1")
    if cohort["blind"]:
        reasons.append("they arrive on inner pages without a referrer")
    if cohort["sensitive"]:
        reasons.append("they go for offers, sign-in, basket or checkout")
    return reasons
