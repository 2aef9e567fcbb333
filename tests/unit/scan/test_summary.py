"""The sentence a report begins with, and the counts behind it."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from floorwalker.scan.result import CATEGORIES, TIERS, ScanResult
from floorwalker.scan.summary import CATEGORY_NOTES, TIER_NOTES, headline, summarise
from floorwalker.testing.scan_results import make_scan_result


def _result(**options: object) -> ScanResult:
    return make_scan_result(np.random.default_rng(3), **options)  # type: ignore[arg-type]


def test_tiers_and_categories_add_up_to_the_flagged() -> None:
    found = summarise(_result(visitors=500))
    assert found.flagged == 25
    assert sum(found.tiers.values()) == sum(found.categories.values()) == sum(found.patterns.values()) == 25
    assert list(found.tiers) == list(TIERS)
    assert list(found.categories) == list(CATEGORIES)


def test_a_visitor_flagged_on_two_days_counts_once_by_its_best_tier() -> None:
    result = _result(visitors=60)
    row = result.visitors.filter(pl.col("flagged")).head(1)
    weaker = row.with_columns(
        pl.lit(TIERS[2]).alias("tier"), pl.lit(0.1, pl.Float32).alias("rank"), pl.col("day").dt.offset_by("-1d")
    )
    stronger = row.with_columns(pl.lit(TIERS[0]).alias("tier"))
    others = result.visitors.filter(~pl.col("flagged"))
    found = summarise(dataclasses.replace(result, visitors=pl.concat([weaker, others, stronger])))
    assert found.flagged == 1
    assert dict(found.tiers) == {TIERS[0]: 1, TIERS[1]: 0, TIERS[2]: 0}


def test_impostors_are_not_counted_among_the_machines_set_apart() -> None:
    found = summarise(_result())
    assert (found.machines, found.impostors) == (4, 1)


@pytest.mark.parametrize(
    ("visitors", "share", "words"),
    [
        (0, 0.0, "There was no visitor to judge on 11 November 2021."),
        (1, 0.0, "The only visitor on 11 November 2021 does not look like one that preys on the shop."),
        (1, 1.0, "1 of 1 visitor on 11 November 2021 looks like it preys on the shop: 1 "),
        (1500, 0.0, "None of the 1,500 visitors on 11 November 2021 looks like it preys on the shop."),
        (1500, 0.01, "15 of 1,500 visitors on 11 November 2021 look like they prey on the shop: "),
    ],
)
def test_headline_fits_the_numbers(visitors: int, share: float, words: str) -> None:
    assert headline(_result(visitors=visitors, flagged_share=share)).startswith(words)


def test_headline_of_several_days_and_of_swarms() -> None:
    result = _result(judge_all=True)
    text = headline(result)
    assert "between 5 November 2021 and 11 November 2021" in text
    assert text.endswith("1 swarm of 340 addresses with few visits acts as one.")
    calm = dataclasses.replace(result, swarms=result.swarms.with_columns(pl.lit(False).alias("flagged")))
    assert "swarm" not in headline(calm)


def test_every_tier_and_category_is_explained() -> None:
    assert set(TIER_NOTES) == set(TIERS)
    assert set(CATEGORY_NOTES) == set(CATEGORIES)
