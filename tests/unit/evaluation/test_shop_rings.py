"""Rings among accounts at risk: crews are found, households beside them are not, and nothing later counts."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from floorwalker.detectors.relation.rings import Ring
from floorwalker.evaluation.tasks._shop_rings import campaigns_of, judge_rings, ring_pairs
from floorwalker.learning.shop.recording import record

START = 1_760_000_000_000_000
HOUR = 3_600_000_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Two crews of six on a device and an inviter each, a household of four, and strangers; everybody logs in twice."""
    people = [(f"crew{crew}-{number}", f"d{crew}", f"boss{crew}") for crew in range(2) for number in range(6)]
    people += [(f"home-{number}", "sofa", None) for number in range(4)]
    people += [(f"alone-{number}", f"own-{number}", None) for number in range(30)]
    rows = []
    for turn in range(2):
        for number, (account, device, inviter) in enumerate(people):
            row = {
                "id": f"e-{turn}-{number}", "type": "login_succeeded", "at": START + (turn * 100 + number) * HOUR,
                "account": account, "device": device,
            }  # fmt: skip
            rows.append(row | ({"inviter": inviter} if inviter else {}))
    recording = record([rows], tmp_path_factory.mktemp("rings") / "columns")
    names = recording.named()["account"]
    crew = names.str.starts_with("crew").to_numpy()
    truth = pl.DataFrame(
        {"phase": np.where(crew, "harmful", ""), "campaign": np.where(crew, names.str.slice(4, 1).to_numpy(), "-1")}
    ).with_columns(pl.col("campaign").cast(pl.Int64))
    return recording, truth, crew


def test_crews_at_risk_are_rings(shop):
    recording, truth, crew = shop
    start = len(recording) // 2
    found = ring_pairs(recording, truth, crew[start:], start, len(recording))
    assert found == {"pair_precision": 1.0, "pairs": 30, "rings": 2, "members": 12, "recall": 1.0}


def test_a_household_at_risk_is_no_broad_ring(shop):
    recording, truth, _ = shop
    start = len(recording) // 2
    everybody = np.ones(len(recording) - start, np.bool_)
    assert ring_pairs(recording, truth, everybody, start, len(recording))["rings"] == 2
    nobody = ring_pairs(recording, truth, ~everybody, start, len(recording))
    assert (nobody["rings"], nobody["pair_precision"], nobody["recall"]) == (0, None, 0.0)


def test_pairs_of_two_campaigns_and_of_honest_people_are_wrong():
    accounts = np.array([5, 5, 6, 7, 0], np.uint64)
    told = pl.DataFrame({"phase": ["harmful", "preparation", "harmful", "", "harmful"], "campaign": [1, 2, 2, 3, 1]})
    assert campaigns_of(accounts, told) == {5: {1, 2}, 6: {2}}
    rings = [Ring((5, 6, 7), (), 0.9), Ring((8, 9, 10), (), 0.9)]
    found = judge_rings(rings, {5: {1, 2}, 6: {2}})
    assert found["pair_precision"] == pytest.approx(1 / 6)
    assert found["recall"] is None
