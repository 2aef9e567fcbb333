"""What nobody proved is guessed from what was; honest people are left alone, and own labels give nothing away."""

from pathlib import Path

import numpy as np
import pytest

from floorwalker.events.batch import NUMBER_FIELDS
from floorwalker.events.types import TYPE_CODES
from floorwalker.learning.shop.drawing import draw_rows, first_opinions
from floorwalker.learning.shop.recording import KEYS, Recording
from floorwalker.learning.shop.signals import Modality, Signals
from floorwalker.learning.shop.unproven import (
    FACTS,
    FEWEST,
    MOST,
    PERSONAL,
    SHARED,
    abuse_of_proof,
    company,
    further_proofs,
    guess_unproven,
    is_company,
)

pytest.importorskip("lightgbm")

COUNT = 6000
ACCOUNT, DEVICE = KEYS.index("account"), KEYS.index("device")


def history(seed: int = 0) -> tuple[Recording, np.ndarray]:
    """Orders of accounts with three each; rings share a device, and one feature tells a little of who is bad."""
    rng = np.random.default_rng(seed)
    account = np.arange(COUNT) % (COUNT // 3)
    bad = account % 8 == 0
    keys = np.zeros((COUNT, len(KEYS)), np.uint64)
    keys[:, ACCOUNT] = account + 1
    keys[:, DEVICE] = np.where(bad, 900_000 + account // 80, account + 1)
    features = rng.normal(size=(COUNT, 4)).astype(np.float32)
    features[:, 2] += bad
    recording = Recording(
        folder=Path("nowhere"), names=tuple("abcd"), features=features,
        numbers=np.full((COUNT, len(NUMBER_FIELDS)), np.nan, np.float32), keys=keys,
        type=np.full(COUNT, TYPE_CODES["order"], np.int16), at=np.arange(COUNT, dtype=np.int64),
        received_at=np.arange(COUNT, dtype=np.int64), left_out=0, first_fault="", _parts={},
    )  # fmt: skip
    return recording, bad


def guessed(recording: Recording, proven: np.ndarray, most_rows: int = COUNT) -> np.ndarray:
    odd = np.clip(recording.features[:, 2] / 3, 0, 1).astype(np.float32)
    every = np.ones(COUNT, bool)
    return guess_unproven(recording, Signals(), proven, proven, every, odd, most_rows=most_rows, seed=1, threads=1)


def test_the_unproven_half_of_a_ring_is_guessed_and_honest_people_are_not():
    recording, bad = history()
    proven = bad & (np.random.default_rng(2).random(COUNT) < 0.5)
    found = guessed(recording, proven)
    assert not found[proven].any()
    assert np.nan_to_num(found[bad & ~proven]).mean() > 0.5
    assert np.nan_to_num(found[~bad], nan=1.0).mean() < 0.05


def test_where_more_is_likely_than_may_count_no_time_comes_first(monkeypatch):
    monkeypatch.setattr("floorwalker.learning.shop.unproven.MOST", 0.3)
    recording, bad = history()
    proven = bad & (np.random.default_rng(2).random(COUNT) < 0.5)
    sure = np.nan_to_num(guessed(recording, proven)) > 0
    assert 0.25 * proven.sum() < sure.sum() <= 0.3 * proven.sum()
    assert min(third.sum() for third in np.array_split(sure, 3)) > 0.25 * sure.sum()


def test_labels_by_chance_condemn_few():
    recording, _ = history()
    proven = np.random.default_rng(3).random(COUNT) < 0.06
    assert np.nansum(guessed(recording, proven)) <= MOST * proven.sum()


def test_where_all_abuse_is_proven_nobody_else_is_condemned():
    recording, bad = history()
    assert np.nansum(guessed(recording, bad)) < 0.1 * bad.sum()


def test_what_only_follows_from_a_proof_is_abuse_where_it_looks_so():
    recording, bad = history()
    proofs = bad & (np.random.default_rng(2).random(COUNT) < 0.5)
    follows = ~proofs & (np.random.default_rng(3).random(COUNT) < 0.1)
    odd = np.clip(recording.features[:, 2] / 3, 0, 1).astype(np.float32)
    every = np.ones(COUNT, bool)
    found = guess_unproven(
        recording, Signals(), proofs, proofs | follows, every, odd, most_rows=COUNT, seed=1, threads=1
    )
    assert np.nan_to_num(found[follows & bad]).mean() > 0.4
    assert np.isnan(found[follows & ~bad]).mean() > 0.9


def test_too_few_proofs_are_no_ground_for_guesses():
    recording, bad = history()
    few = bad & (np.cumsum(bad) < FEWEST)
    assert not guessed(recording, few).any()


def test_other_proofs_of_the_same_hands_are_counted_without_the_event_itself():
    recording, _ = history()
    recording.keys[:4, ACCOUNT] = [1, 1, 1, 2]
    recording.keys[:4, DEVICE] = [7, 7, 8, 8]
    found = further_proofs(recording, np.arange(4), np.array([True, True, False, True]))
    assert found[:, 0].tolist() == [1, 1, 2, 0]
    device = 2 * (1 + PERSONAL.index("device"))
    assert found[:, device].tolist() == [1, 1, 1, 0]
    assert found[:, 2 * (1 + PERSONAL.index("payment"))].tolist() == [0, 0, 0, 0]


def test_company_is_of_other_hands_and_the_own_proof_is_not_told():
    recording, _ = history()
    recording.keys[:6, ACCOUNT], recording.keys[:6, DEVICE] = [1, 1, 2, 2, 3, 4], [7, 7, 7, 7, 7, 8]
    odd = np.array([1, 0.5, 0.2, 0, 0.6, 0] + [0] * (COUNT - 6), np.float32)
    proven = np.zeros(COUNT, bool)
    proven[[0, 2, 5]] = True
    rows = np.arange(6)
    found = company(recording, rows, rows, odd, proven)
    assert found.shape == (6, len(SHARED) * len(FACTS))
    first = SHARED.index("device") * len(FACTS)
    told = dict(zip(FACTS, found[0, first : first + len(FACTS)].tolist(), strict=True))
    assert told == {
        "others": pytest.approx(np.log1p(3)), "mean": pytest.approx(0.8 / 3), "often": pytest.approx(1 / 3),
        "proven": pytest.approx(1 / 3), "hands": 1.0, "hands_share": pytest.approx(0.5),
        "own_mean": pytest.approx(0.75), "own_often": 2.0,
    }  # fmt: skip
    # Whose own event alone was proven is told nothing; who has no such entity neither.
    np.testing.assert_array_equal(found[5, first : first + 6], 0)
    assert np.isnan(found[:, SHARED.index("coupon") * len(FACTS)]).all()


def test_company_is_added_up_exactly_so_that_no_order_shows():
    recording, _ = history()
    rng = np.random.default_rng(6)
    recording.keys[:, ACCOUNT], recording.keys[:, DEVICE] = np.arange(COUNT) + 1, rng.integers(1, 5, COUNT)
    odd, rows = rng.random(COUNT).astype(np.float32), np.arange(COUNT)
    found = company(recording, rows, rows, odd, odd > 0.9)[:, SHARED.index("device") * len(FACTS) + FACTS.index("mean")]
    device = recording.keys[:, DEVICE].astype(np.int64)
    whole, count = np.bincount(device, odd.astype(np.float64)), np.bincount(device)
    expected = (whole[device] - odd) / (count[device] - 1)
    np.testing.assert_array_equal(found, expected.astype(np.float32))


def test_who_is_always_proven_leaves_nothing_to_guess():
    said, proven = np.array([1.0, 1.0, 0.5]), np.array([True, True, False])
    assert abuse_of_proof(said, proven)[2] == 0.0


def test_odd_events_are_drawn_first_and_the_rest_stands_for_all():
    rng = np.random.default_rng(4)
    proven, judged = rng.random(1000) < 0.05, rng.random(1000) < 0.9
    odd = np.where(rng.random(1000) < 0.1, 0.3, 0.0).astype(np.float32)
    rows, weights = draw_rows(proven & judged, judged, odd, 200, rng)
    assert (np.diff(rows) > 0).all()
    assert judged[rows].all()
    strange = judged & ~proven & (odd > 0)
    assert np.isin(np.flatnonzero(strange), rows).all()
    assert (weights[(strange | proven)[rows]] == 1).all()
    assert weights.sum() == pytest.approx(judged.sum())
    assert len(rows) == (proven & judged).sum() + 200
    rows, weights = draw_rows(proven & judged, judged, odd, 5000, rng)
    assert len(rows) == judged.sum()
    assert (weights == 1).all()


def test_first_opinions_are_memorys():
    assert first_opinions(Signals(), 3) is None
    memory = Modality("memory", ("memory.first_opinion", "memory.x"), np.array([[0.5, 1], [np.nan, 1]], np.float32), 0)
    np.testing.assert_array_equal(first_opinions(Signals([memory]), 2), np.array([0.5, 0], np.float32))


def test_the_same_visit_and_device_are_company_and_nobodys_is_not():
    recording, _ = history()
    recording.keys[:, DEVICE] = 0
    recording.keys[:6, DEVICE] = [7, 7, 8, 8, 0, 0]
    recording.keys[:6, KEYS.index("session")] = [1, 2, 2, 3, 4, 0]
    guilty = np.array([False, True, False, False])
    # The first by its device, the third by the visit; the fourth shares a device with the third only.
    assert is_company(recording, np.arange(6), guilty).tolist() == [True, True, True, False, False, False]
    # What belongs to no device is no company of what belongs to none either.
    assert not is_company(recording, np.array([5]), np.array([False] * 4 + [True])).any()


def test_a_name_that_all_devices_share_makes_no_company():
    recording, _ = history()
    recording.keys[:, DEVICE] = 7
    guilty = np.zeros(COUNT, bool)
    guilty[0] = True
    assert not is_company(recording, np.arange(COUNT), guilty).any()
