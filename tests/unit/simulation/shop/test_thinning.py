"""Less abuse in the same traffic, campaign by campaign."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from floorwalker.errors import UsageError
from floorwalker.simulation.shop.thinning import thin


@pytest.fixture(scope="module")
def truth() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    campaign = np.where(rng.random(40_000) < 0.026, rng.integers(0, 60, 40_000), -1)
    kinds = np.array(["payment_fraud", "scraping", "content_abuse"])[campaign % 3]
    bad = campaign >= 0
    letters = bad & (rng.random(40_000) < 0.02)
    return pl.DataFrame(
        {
            "campaign": campaign,
            "adversary": np.where(bad & ~letters, "somebody", ""),
            "abuse_type": np.where(bad & ~letters, kinds, ""),
        }
    )


def test_campaigns_stay_or_go_whole_with_their_letters(truth: pl.DataFrame) -> None:
    stays = thin(truth, 0.003, 1)
    kept, gone = set(truth.filter(stays)["campaign"]), set(truth.filter(~stays)["campaign"])
    assert kept & gone == set()
    assert -1 in kept
    assert len(kept) > 3
    assert set(truth.filter(stays)["abuse_type"]) == {"", "payment_fraud", "scraping", "content_abuse"}


@pytest.mark.parametrize("share", [0.0, 0.001, 0.003, 0.02, 1.0])
def test_no_more_than_asked_for_is_left(truth: pl.DataFrame, share: float) -> None:
    stays = truth.filter(thin(truth, share))
    left = (stays["adversary"] != "").mean()
    assert left <= share
    assert left >= 0.6 * min(share, 0.025)


def test_the_seed_draws_the_campaigns(truth: pl.DataFrame) -> None:
    assert np.array_equal(thin(truth, 0.003, 1), thin(truth, 0.003, 1))
    assert not np.array_equal(thin(truth, 0.003, 1), thin(truth, 0.003, 2))


def test_shares_are_shares(truth: pl.DataFrame) -> None:
    with pytest.raises(UsageError, match=r"1\.2"):
        thin(truth, 1.2)
    empty = thin(truth.clear())
    assert len(empty) == 0
