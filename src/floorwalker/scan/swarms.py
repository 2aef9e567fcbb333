"""Sparse visitors judged as cohorts: rotating proxies spread one visitor over hundreds of addresses.

One or two requests say nothing about a visitor. Hundreds of visitors with one user agent that ask for the same routes
in
the same order, from everywhere, fetching nothing that a browser fetches or arriving at a steady beat, say a lot.
A cohort is compared with what chance would make of the same user agents and the same sequences.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from floorwalker.scan.phrases import say_count

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

KEYS = ["day", "user_agent", "sequence", "bare"]

STEADY_VARIATION = 0.6
"""Gaps between independent arrivals vary as much as their mean (1.0); a scheduler's vary far less."""

FEWEST_ARRIVALS = 12
CHANCE_LIFT = 3.0
SIGNS_NEEDED = 2


@dataclass(frozen=True)
class Swarms:
    """Cohorts that act as one.

    Parameters
    ----------
    table : the table that `ScanResult.swarms` describes, most certain first.
    members : `row` (int64, as given) and `swarm` (int32) of the members of flagged swarms.
    """

    table: pl.DataFrame
    members: pl.DataFrame


def find_swarms(sparse: pl.DataFrame, *, min_clients: int, site_fetches_assets: bool) -> Swarms:
    """Cohorts of sparse visitors that act as one.

    Parameters
    ----------
    sparse : one row a sparse visitor-day: `row` (int64), `day`, `user_agent` (str), `client`, `network`, `sequence`
        (int64:
        the routes in their order), `routes` (str: the same for people), `requests`, `assets`, `without_referrer`
        (share),
        `sensitive` (bool: touches offers, sign-in, basket or checkout), `first_at`, `last_at` (datetime).
    min_clients : clients that a cohort must have.
    site_fetches_assets : whether browsers are seen to fetch assets in this log.

    A cohort shares day, user agent, sequence of routes and whether anything but pages was fetched. Its members are
    counted
    against chance by the odds ratio of user agent and sequence among the day's sparse visitors, which is one where
    the two
    are independent. It is flagged when that ratio is at least three and two of these agree, one of the first two among
    them: nothing fetched but pages; a beat steadier than independent arrivals; no referrers; offers, sign-in, basket or
    checkout as its aim.
    """
    nobody = Swarms(pl.DataFrame(schema=SCHEMA), pl.DataFrame(schema={"row": pl.Int64, "swarm": pl.Int32}))
    if sparse.is_empty():
        return nobody
    sparse = sparse.with_columns(
        pl.col("user_agent").fill_null(""), (pl.lit(site_fetches_assets) & (pl.col("assets") == 0)).alias("bare")
    )
    gap = pl.col("first_at").diff().dt.total_microseconds() / 1e6
    crowded = sparse.group_by(KEYS).len().filter(pl.col("len") >= min_clients).select(KEYS)
    cohorts = (
        sparse.join(crowded, on=KEYS, how="semi")
        .sort("first_at")
        .group_by(KEYS, maintain_order=True)
        .agg(
            pl.len().alias("members"),
            pl.col("client").n_unique().alias("clients"),
            pl.col("network").n_unique().alias("networks"),
            pl.col("requests").sum(),
            pl.col("without_referrer").mean(),
            pl.col("sensitive").any(),
            pl.col("routes").first(),
            pl.col("first_at").min(),
            pl.col("last_at").max(),
            gap.mean().alias("gap_mean"),
            gap.std().alias("gap_spread"),
        )
        .filter((pl.col("clients") >= min_clients) & (pl.col("networks") >= 0.5 * min_clients))
    )
    if cohorts.is_empty():
        return nobody
    by_sequence = ["day", "sequence", "bare"]
    cohorts = (
        cohorts.join(sparse.group_by("day").agg(pl.len().alias("everyone")), on="day")
        .join(sparse.group_by("day", "user_agent").agg(pl.len().alias("same_agent")), on=["day", "user_agent"])
        .join(sparse.group_by(by_sequence).agg(pl.len().alias("same_steps")), on=by_sequence)
        .with_columns(
            _odds_ratio().alias("lift"),
            (pl.col("gap_spread") / pl.col("gap_mean")).fill_null(float("inf")).fill_nan(0.0).alias("variation"),
        )
        .with_columns(
            ((pl.col("members") >= FEWEST_ARRIVALS) & (pl.col("variation") <= STEADY_VARIATION)).alias("steady"),
            (pl.col("without_referrer") >= 0.95).alias("blind"),
        )
        .with_columns(pl.sum_horizontal("bare", "steady", "blind", "sensitive").alias("signs"))
        .with_columns(
            (
                (pl.col("lift") >= CHANCE_LIFT)
                & (pl.col("signs") >= SIGNS_NEEDED)
                & (pl.col("bare") | pl.col("steady"))
            ).alias("flagged"),
            (1.0 - (-(pl.col("lift") / CHANCE_LIFT) * (pl.col("signs") / SIGNS_NEEDED)).exp())
            .cast(pl.Float32)
            .alias("score"),
        )
        .sort(["flagged", "score", "clients", "first_at"], descending=[True, True, True, False])
        .with_columns(pl.int_range(pl.len(), dtype=pl.Int32).alias("swarm"))
    )
    reasons = [_reasons(row) for row in cohorts.iter_rows(named=True)]
    members = sparse.join(cohorts.filter("flagged").select(*KEYS, "swarm"), on=KEYS).select("row", "swarm")
    table = cohorts.with_columns(pl.Series("reasons", reasons, dtype=pl.List(pl.String))).select(
        pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()
    )
    return Swarms(table, members)


def _odds_ratio() -> pl.Expr:
    """How far user agent and steps go together; half a visitor is added to each cell so that none is empty."""
    both = pl.col("members") + 0.5
    agent_only = pl.col("same_agent") - pl.col("members") + 0.5
    steps_only = pl.col("same_steps") - pl.col("members") + 0.5
    neither = pl.col("everyone") - pl.col("same_agent") - pl.col("same_steps") + pl.col("members") + 0.5
    return both * neither / (agent_only * steps_only)


def _reasons(cohort: dict[str, object]) -> list[str]:
    members = say_count(int(str(cohort["members"])), "sparse visitor")
    networks = say_count(int(str(cohort["networks"])), "network")
    lift = float(str(cohort["lift"]))
    reasons = [
        f"{members} from {networks} share one user agent and take the same steps, {lift:,.1f} times the odds of chance"
    ]
    if cohort["bare"]:
        reasons.append("none of them fetches what a browser fetches with a page")
    if cohort["steady"]:
        reasons.append(
            f"they arrive at a steady beat: gaps vary by {cohort['variation']:.2f} of their mean, chance gives 1"
        )
    if cohort["blind"]:
        reasons.append("they arrive without a referrer")
    if cohort["sensitive"]:
        reasons.append("they go for offers, sign-in, basket or checkout")
    return reasons
