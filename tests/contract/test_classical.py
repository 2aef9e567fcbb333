"""What every classical detector promises, one set of checks over the folder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from floorwalker.detectors.transaction.classical import list_classical, load_classical
from floorwalker.errors import ArtefactError, NotReadyError, UsageError
from floorwalker.metrics import roc_auc

QUICK: dict[str, dict[str, Any]] = {"mlp": {"epochs": 8, "hidden": (16,)}, "random_forest": {"trees": 8}}
pytestmark = pytest.mark.parametrize("name", list_classical())


def table(count: int = 500, seed: int = 0):
    random = np.random.default_rng(seed)
    rows = random.exponential(size=(count, 4)).astype(np.float32) * np.array([1, 1_000, 5, 0], np.float32)
    label = rows[:, 1] > 2_000
    rows[random.random(rows.shape) < 0.05] = np.nan
    return rows, label


def build(name: str):
    return load_classical(name)(seed=3, **QUICK.get(name, {}))


def test_it_finds_fraud_and_keeps_what_it_learned(name, tmp_path):
    rows, label = table()
    fresh, truth = table(seed=1)
    detector = build(name).fit(rows, label, names=["a", "amount", "c", "constant"])
    scores = detector.score(fresh)
    assert scores.dtype == np.float32
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert roc_auc(truth, scores) > 0.9
    assert (detector.score(fresh) == scores).all()
    assert abs(detector.score(fresh[7:8])[0] - scores[7]) < 1e-6
    detector.save(tmp_path)
    again = load_classical(name).load(tmp_path)
    assert (again.score(fresh) == scores).all()
    assert {file.suffix for file in tmp_path.iterdir()} == {".npz", ".json"}
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as kept:
        assert all(kept[key].dtype != object for key in kept.files)
    worst = fresh[np.argmax(scores)][None]
    assert "transaction." + name + ".amount" in {reason.code for reason in again.reasons(worst)[0]}
    (tmp_path / "arrays.npz").write_bytes(b"")
    with pytest.raises(ArtefactError):
        load_classical(name).load(tmp_path)


def test_the_same_seed_learns_the_same_and_odd_rows_are_answered(name):
    rows, label = table(200)
    first, second = build(name).fit(rows, label), build(name).fit(rows, label)
    odd = np.array([[np.nan] * 4, [np.inf] * 4, [-np.inf] * 4, [0.0] * 4, [1e38] * 4], np.float32)
    assert np.isfinite(first.score(odd)).all()
    assert (first.score(rows) == second.score(rows)).all()
    assert first.score(np.zeros((0, 4))).shape == (0,)


def test_more_rows_than_it_takes_are_drawn_and_no_fraud_is_lost(name):
    rows, label = table(400)
    detector = build(name)
    detector.most_rows = 150
    assert roc_auc(label, detector.fit(rows, label).score(rows)) > 0.85


def test_frauds_beyond_half_of_what_it_takes_are_drawn_and_weighted_up(name):
    detector = load_classical(name)(most_rows=100)
    fraud = np.arange(300) % 2 == 0
    chosen, weight = detector._draw(np.arange(300), fraud, np.ones(300))
    assert fraud[chosen].sum() == 50
    assert weight[fraud[chosen]].sum() == pytest.approx(150)
    assert weight[~fraud[chosen]].sum() == pytest.approx(150)
    fraud = np.arange(300) % 6 == 0
    chosen, weight = detector._draw(np.arange(300), fraud, np.ones(300))
    assert set(np.flatnonzero(fraud)) <= set(chosen)
    assert (weight[fraud[chosen]] == 1).all()


def test_values_beyond_float32_are_learned_from(name):
    rows, label = table(200)
    huge = rows.astype(np.float64) * 1e300
    detector = build(name).fit(huge, label)
    scores = detector.score(huge)
    assert len(detector.reasons(huge[:2])) == 2
    assert np.isfinite(scores).all()


def test_names_may_be_numbers_and_texts_are_no_labels(name, tmp_path):
    rows, label = table(200)
    detector = build(name).fit(rows, label, names=np.arange(4))
    detector.save(tmp_path)
    again = load_classical(name).load(tmp_path)
    assert again.names == ("0", "1", "2", "3")
    assert again.reasons(rows[:2]) == detector.reasons(rows[:2])
    with pytest.raises(UsageError, match=r"labels that are no numbers.*turn texts into 0 and 1"):
        build(name).fit(rows, ["fraud"] * 200)


def test_faults_are_told(name):
    rows, label = table(60)
    with pytest.raises(NotReadyError):
        build(name).score(rows)
    with pytest.raises(UsageError, match="one class"):
        build(name).fit(rows, np.zeros(60))
    with pytest.raises(UsageError, match="one label a row"):
        build(name).fit(rows, np.zeros((60, 2)))
    with pytest.raises(UsageError, match="most_rows"):
        load_classical(name)(most_rows=1)
    with pytest.raises(UsageError, match="the 4 of training"):
        build(name).fit(rows, label).score(rows[:, :2])
