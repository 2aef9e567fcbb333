"""Training on a made-up history: what is there is found, and nothing leaks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import NUMBER_FIELDS
from floorwalker.events.types import TYPE_CODES
from floorwalker.fusion.columns import fusion_columns
from floorwalker.fusion.stacked import StackedFusion
from floorwalker.learning.shop.fusing import fuse_best, lessons_of, relevant_types, score_all
from floorwalker.learning.shop.labels import SCHEMA
from floorwalker.learning.shop.plan import TrainingPlan
from floorwalker.learning.shop.recording import KEYS, Recording
from floorwalker.learning.shop.signals import Modality, Signals
from floorwalker.learning.shop.training import train_shop
from floorwalker.metrics import roc_auc

pytest.importorskip("lightgbm")

COUNT = 8000
PROMOTION, SCRAPING = ABUSE_TYPES.index("promotion_abuse"), ABUSE_TYPES.index("scraping")
NAMES = tuple(f"feature_{place}" for place in range(10))
TELLING = 4
PLAN = TrainingPlan(
    COUNT // 2, COUNT * 3 // 4, modalities=("anomaly",), rounds=30, most_rows=2000, max_bin=255, rate=0.2, threads=1
)


def history(seed: int = 0) -> tuple[Recording, np.ndarray]:
    """Redemptions and page views; of the redemptions some abuse a coupon, and one feature tells which."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(COUNT, len(NAMES))).astype(np.float32)
    kinds = np.where(rng.random(COUNT) < 0.5, TYPE_CODES["coupon_redeem"], TYPE_CODES["page_view"]).astype(np.int16)
    bad = (features[:, TELLING] > 1.2) & (kinds == TYPE_CODES["coupon_redeem"])
    recording = Recording(
        folder=Path("nowhere"), names=NAMES, features=features,
        numbers=np.full((COUNT, len(NUMBER_FIELDS)), np.nan, np.float32),
        keys=rng.integers(1, 1 << 60, (COUNT, len(KEYS))).astype(np.uint64), type=kinds,
        at=np.arange(COUNT, dtype=np.int64), received_at=np.arange(COUNT, dtype=np.int64), left_out=0, first_fault="",
        _parts={"row": np.zeros(0, np.int64), "entity": np.zeros(0, np.int8), "key": np.zeros(0, np.uint64)},
    )  # fmt: skip
    return recording, bad


def known_of(bad: np.ndarray, found: float = 0.6, seed: int = 1) -> np.ndarray:
    """Labels of the share of the abuse that came to light."""
    known = np.full((COUNT, len(ABUSE_TYPES)), np.nan, np.float32)
    known[bad & (np.random.default_rng(seed).random(COUNT) < found), PROMOTION] = 1
    return known


NO_LABELS = pl.DataFrame(schema=SCHEMA)


def learned(known: np.ndarray, recording: Recording, plan: TrainingPlan = PLAN, out=None):
    return train_shop(recording, NO_LABELS, out, plan, known=known)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    recording, bad = history()
    out = tmp_path_factory.mktemp("models")
    return recording, bad, learned(known_of(bad), recording, out=out), out


def test_half_known_abuse_is_recognised_later(made):
    recording, bad, trained, _ = made
    start = COUNT * 3 // 4
    scores = score_all(recording, trained.signals, trained.fusion, start, COUNT)
    redeemed = recording.type[start:] == TYPE_CODES["coupon_redeem"]
    assert roc_auc(bad[start:][redeemed], scores[redeemed, PROMOTION]) > 0.97


def test_only_proven_types_of_event_are_judged(made):
    recording, _, trained, _ = made
    scores = score_all(recording, trained.signals, trained.fusion, 0, COUNT)
    views = recording.type == TYPE_CODES["page_view"]
    assert not scores[views].any()
    others = [place for place in range(len(ABUSE_TYPES)) if place != PROMOTION]
    assert not scores[:, others].any()
    assert set(trained.facts["not_learned"]) == set(ABUSE_TYPES) - {"promotion_abuse"}


def test_risk_says_how_rare_a_score_is(made):
    recording, _, trained, _ = made
    scores = score_all(recording, trained.signals, trained.fusion, COUNT // 2, COUNT)
    risk = trained.fusion.risk(scores)[:, PROMOTION]
    order = np.argsort(scores[:, PROMOTION], kind="stable")
    assert (np.diff(risk[order]) >= -1e-6).all()
    assert ((risk >= 0) & (risk <= 1)).all()
    # One event in a hundred has a risk of .4 or more, within the noise of 3,000 events.
    assert 0.001 < (risk[: COUNT // 4] >= 0.4).mean() < 0.06


def test_shuffled_labels_teach_nothing():
    recording, bad = history()
    redeemed = np.flatnonzero(recording.type == TYPE_CODES["coupon_redeem"])
    shuffled = np.zeros(COUNT, bool)
    shuffled[np.random.default_rng(5).permutation(redeemed)[: bad.sum()]] = True
    trained = learned(known_of(shuffled), recording)
    start = COUNT * 3 // 4
    scores = score_all(recording, trained.signals, trained.fusion, start, COUNT)
    later = recording.type[start:] == TYPE_CODES["coupon_redeem"]
    assert 0.4 < roc_auc(bad[start:][later], scores[later, PROMOTION]) < 0.6


def test_what_happens_later_changes_nothing():
    recording, bad = history()
    changed = replace(recording, features=recording.features.copy())
    changed.features[COUNT * 3 // 4 :] = 7
    known = known_of(bad)
    other = known.copy()
    other[COUNT // 2 :] = np.nan
    one, two = learned(known, recording), learned(other, changed)
    place = np.arange(COUNT // 2)
    np.testing.assert_array_equal(
        score_all(recording, one.signals, one.fusion, 0, len(place)),
        score_all(recording, two.signals, two.fusion, 0, len(place)),
    )


def test_a_lost_detector_costs_no_answer(made):
    recording, bad, trained, _ = made
    start = COUNT * 3 // 4
    scores = score_all(recording, trained.signals, trained.fusion, start, COUNT, without=("anomaly",))
    redeemed = recording.type[start:] == TYPE_CODES["coupon_redeem"]
    assert roc_auc(bad[start:][redeemed], scores[redeemed, PROMOTION]) > 0.95


def test_what_is_kept_answers_alike(made):
    recording, _, trained, out = made
    again = StackedFusion.load(out / "fusion")
    rows = np.arange(500)
    matrix = fusion_columns(
        recording.features[rows], recording.numbers[rows], recording.type[rows], trained.signals.rows(rows)
    )
    mine, theirs = (one.scores(matrix, recording.type[rows]) for one in (trained.fusion, again))
    np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_allclose(trained.fusion.risk(mine), again.risk(theirs), atol=1e-6)
    assert again.version == StackedFusion.load(out / "fusion").version
    (out / "fusion" / "fusion.json").write_text("{}")
    with pytest.raises(ArtefactError, match="not the file of its manifest"):
        StackedFusion.load(out / "fusion")


def test_too_few_labels_are_counted_out():
    recording, bad = history()
    known = known_of(bad, found=0.0)
    known[np.flatnonzero(bad)[:3], PROMOTION] = 1
    with pytest.raises(UsageError, match="'promotion_abuse': 3"):
        learned(known, recording)


def test_a_plan_that_cannot_be_is_refused():
    with pytest.raises(UsageError, match="validation ends before"):
        TrainingPlan(5, 4)
    with pytest.raises(UsageError, match="unknown modality 'smell'"):
        TrainingPlan(4, 5, modalities=("smell",))


def test_enough_labels_make_probabilities():
    recording, bad = history()
    trained = learned(known_of(bad, found=1.0), recording, replace(PLAN, calibrate=True))
    start = COUNT * 3 // 4
    scores = score_all(recording, trained.signals, trained.fusion, start, COUNT)
    risk = trained.fusion.risk(scores)[:, PROMOTION]
    redeemed = recording.type[start:] == TYPE_CODES["coupon_redeem"]
    assert abs(risk[redeemed].mean() - bad[start:][redeemed].mean()) < 0.03


def test_what_is_guessed_is_told_by_its_share_and_doubt_teaches_nothing():
    recording, bad = history()
    known = known_of(bad)
    plan = replace(PLAN, most_rows=COUNT)
    relevant = relevant_types(recording, known, COUNT // 2)
    proven = (known[: COUNT // 2] == 1).any(axis=1)
    redeemed = recording.type[: COUNT // 2] == TYPE_CODES["coupon_redeem"]
    silent = np.flatnonzero(redeemed & ~proven)
    guessed = np.zeros(COUNT // 2, np.float32)
    guessed[silent[0]], guessed[silent[1]], guessed[silent[2]] = 0.75, np.nan, 1.0
    follows = np.flatnonzero(proven)[0]
    guessed[follows] = np.nan
    rows, label, weights = lessons_of(
        recording, known, Signals(), plan, COUNT // 2, guessed, relevant, np.random.default_rng(0)
    )
    assert (np.diff(rows) >= 0).all()
    told = {row: (label[rows == row, 0].tolist(), weights[rows == row].tolist()) for row in (*silent[:4], follows)}
    assert told[silent[0]] == ([0.0, 1.0], [0.25, 0.75])
    assert silent[1] not in rows
    assert told[silent[2]] == ([1.0], [1.0])
    assert told[silent[3]] == ([0.0], [1.0])
    # Of what only follows from a proof it is known of which type it would be, not whether it is abuse.
    assert np.isnan(told[follows][0]).all()
    assert label[rows == follows, 1 + PROMOTION].tolist() == [1.0]
    assert np.isnan(label[rows == silent[2], 1 + PROMOTION]).all()


@pytest.mark.parametrize("guessed", [None, np.zeros(COUNT // 2, np.float32)])
def test_what_was_proven_of_a_kind_that_is_not_judged_there_is_not_told_as_honest(guessed):
    recording, bad = history()
    known = known_of(bad)
    odd = np.flatnonzero((recording.type[: COUNT // 2] == TYPE_CODES["coupon_redeem"]) & ~bad[: COUNT // 2])[:1]
    visits = np.flatnonzero(recording.type[: COUNT // 2] == TYPE_CODES["page_view"])[:500]
    known[odd, SCRAPING] = known[visits, SCRAPING] = 1
    relevant = relevant_types(recording, known, COUNT // 2)
    assert not relevant[TYPE_CODES["coupon_redeem"], SCRAPING]
    rows, label, _ = lessons_of(
        recording, known, Signals(), replace(PLAN, most_rows=COUNT), COUNT // 2, guessed, relevant,
        np.random.default_rng(0),
    )  # fmt: skip
    assert odd[0] not in rows
    assert (label[np.isin(rows, visits), 0] == 1).all()


@pytest.mark.parametrize("many", [False, True])
def test_what_proven_hands_did_besides_is_no_example_unless_most_is_theirs(many):
    recording, bad = history()
    known = known_of(bad)
    proven = np.flatnonzero((known[: COUNT // 2] == 1).any(axis=1))
    redeemed = np.flatnonzero(recording.type[: COUNT // 2] == TYPE_CODES["coupon_redeem"])
    besides = np.setdiff1d(redeemed, proven)
    besides = besides if many else besides[:10]
    recording.keys[:, KEYS.index("device")] = 0
    recording.keys[np.r_[proven[:1], besides], KEYS.index("device")] = 7
    relevant = relevant_types(recording, known, COUNT // 2)
    rows, label, _ = lessons_of(
        recording, known, Signals(), replace(PLAN, most_rows=COUNT), COUNT // 2, None, relevant,
        np.random.default_rng(0),
    )  # fmt: skip
    assert np.isin(besides, rows).all() == many
    assert np.isin(besides, rows).any() == many
    assert (label[:, 0] == 0).any()


def test_new_honest_accounts_weigh_more():
    recording, bad = history()
    aged = replace(
        recording, names=("account_age_seconds", *NAMES[1:]), features=np.abs(recording.features) * 7 * 86_400
    )
    known = known_of(bad)
    relevant = relevant_types(aged, known, COUNT // 2)
    rows, label, weights = lessons_of(
        aged, known, Signals(), replace(PLAN, most_rows=COUNT), COUNT // 2, None, relevant, np.random.default_rng(0)
    )
    new = (aged.features[rows, 0] < 7 * 86_400) & (label[:, 0] == 0)
    assert new.any()
    assert (weights[new] == 3).all()
    assert (weights[~new] == 1).all()


def test_a_detector_that_learned_by_heart_is_left_out_and_one_that_tells_is_kept():
    recording, bad = history()
    known = known_of(bad, found=1.0)
    rng = np.random.default_rng(5)
    half = np.arange(COUNT) < COUNT // 2
    edges = COUNT // 2, COUNT * 3 // 4
    opinions = {
        "by heart": np.where(half, known[:, PROMOTION] == 1, rng.random(COUNT) < 0.3),
        "telling": known[:, PROMOTION] == 1,
    }
    said: list[str] = []
    for name, opinion in opinions.items():
        signals = Signals([Modality(name, ("a",), np.asarray(opinion, np.float32)[:, None], 500)])
        fusion = fuse_best(recording, known, signals, PLAN, edges=edges, guessed=None, progress=said.append)
        assert signals.left_out == ((name,) if name == "by heart" else ())
        # What is left out is no longer listened to.
        columns = fusion_columns(recording.features, recording.numbers, recording.type, signals.rows(np.arange(COUNT)))
        other = columns.copy()
        other[:, -1] = 1 - np.nan_to_num(other[:, -1])
        heard = (fusion.suspect(columns, recording.type) != fusion.suspect(other, recording.type)).any()
        assert heard == (name == "telling")
    assert "without by heart" in said[0]


def test_few_proofs_leave_nobody_out():
    recording, bad = history()
    known = known_of(bad, found=1.0)
    known[COUNT // 2 + 1000 :] = np.nan
    column = np.random.default_rng(5).random((COUNT, 1)).astype(np.float32)
    column[: COUNT // 2, 0] = known[: COUNT // 2, PROMOTION] == 1
    signals = Signals([Modality("by heart", ("a",), column, 500)])
    edges = COUNT // 2, COUNT * 3 // 4
    fuse_best(recording, known, signals, PLAN, edges=edges, guessed=None, progress=lambda text: None)
    assert signals.left_out == ()
