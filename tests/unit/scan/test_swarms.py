"""Cohorts of sparse visitors against chance."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from floorwalker.scan.swarms import find_swarms

START = datetime(2021, 11, 11, 10)  # noqa: DTZ001  local times carry no zone


def sparse_visitors(rng: np.random.Generator, count: int) -> pl.DataFrame:
    """Honest bounces: popular user agents and landing pages in independent combination, with assets."""
    seconds = np.sort(rng.uniform(0, 86_400, count))
    first = [START + timedelta(seconds=float(value)) for value in seconds]
    return pl.DataFrame(
        {
            "row": np.arange(count),
            "day": np.full(count, 18942, np.int64),
            "user_agent": [f"browser {kind}" for kind in rng.choice(4, count, p=[0.5, 0.3, 0.15, 0.05])],
            "client": [f"198.51.{row // 250}.{row % 250}" for row in range(count)],
            "network": [f"198.51.{row // 2}.0/24" for row in range(count)],
            "sequence": rng.choice(5, count, p=[0.4, 0.3, 0.15, 0.1, 0.05]).astype(np.int64),
            "routes": ["/"] * count,
            "requests": np.full(count, 2, np.int64),
            "assets": rng.poisson(12, count).astype(np.int64),
            "without_referrer": rng.choice([0.0, 1.0], count),
            "sensitive": rng.random(count) < 0.1,
            "first_at": first,
            "last_at": [moment + timedelta(seconds=20) for moment in first],
        }
    ).cast({"first_at": pl.Datetime("us"), "last_at": pl.Datetime("us")})


def swarm(size: int, every_seconds: float) -> pl.DataFrame:
    first = [START + timedelta(seconds=row * every_seconds) for row in range(size)]
    return pl.DataFrame(
        {
            "row": np.arange(10_000, 10_000 + size),
            "day": np.full(size, 18942, np.int64),
            "user_agent": ["browser 3"] * size,
            "client": [f"203.0.{row // 200}.{row % 200}" for row in range(size)],
            "network": [f"203.0.{row}.0/24" for row in range(size)],
            "sequence": np.full(size, 77, np.int64),
            "routes": ["/coupon/claim"] * size,
            "requests": np.ones(size, np.int64),
            "assets": np.zeros(size, np.int64),
            "without_referrer": np.ones(size),
            "sensitive": np.ones(size, bool),
            "first_at": first,
            "last_at": first,
        }
    ).cast({"first_at": pl.Datetime("us"), "last_at": pl.Datetime("us")})


def test_honest_bounces_are_no_swarm() -> None:
    for seed in range(5):
        visitors = sparse_visitors(np.random.default_rng(seed), 3000)
        found = find_swarms(visitors, min_clients=20, site_fetches_assets=True)
        assert not found.table["flagged"].any()
        assert found.members.is_empty()


def test_a_rotating_proxy_is_found_with_its_reasons() -> None:
    visitors = pl.concat([sparse_visitors(np.random.default_rng(1), 3000), swarm(120, 30.0)])
    swarms = find_swarms(visitors, min_clients=20, site_fetches_assets=True)
    assert sorted(swarms.members["row"]) == list(range(10_000, 10_120))
    found = swarms.table.filter(pl.col("flagged"))
    assert len(found) == 1
    assert found["clients"].to_list() == [120]
    assert found["routes"].to_list() == ["/coupon/claim"]
    sentences = " ".join(found["reasons"][0])
    assert "odds of chance" in sentences
    assert "steady beat" in sentences


def test_without_assets_in_the_log_bareness_proves_nothing() -> None:
    visitors = pl.concat([sparse_visitors(np.random.default_rng(1), 3000), swarm(120, 30.0)])
    found = find_swarms(visitors.with_columns(assets=pl.lit(0, pl.Int64)), min_clients=20, site_fetches_assets=False)
    flagged = found.table.filter(pl.col("flagged"))
    assert flagged["clients"].to_list() == [120]
    assert not any("browser fetches" in sentence for sentence in flagged["reasons"][0])


def test_a_small_cohort_is_left_alone_and_nobody_is_fine() -> None:
    few = swarm(10, 30.0)
    assert find_swarms(few, min_clients=20, site_fetches_assets=True).table.is_empty()
    assert find_swarms(few.clear(), min_clients=20, site_fetches_assets=True).table.is_empty()
