"""The gated fusion learns from the same lessons as the trees, doubtful ones included; it is asked the same."""

from pathlib import Path

import numpy as np
import pytest

from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import NUMBER_FIELDS
from floorwalker.events.types import TYPE_CODES
from floorwalker.fusion.columns import column_names
from floorwalker.learning.shop.fusing import relevant_types
from floorwalker.learning.shop.gated import OWN, fuse_rows_gated, groups_of, score_gated
from floorwalker.learning.shop.plan import TrainingPlan
from floorwalker.learning.shop.recording import KEYS, Recording
from floorwalker.learning.shop.signals import Modality, Signals
from floorwalker.metrics import roc_auc

pytest.importorskip("torch")

COUNT, LEARNED = 3000, 2000
PROMOTION = ABUSE_TYPES.index("promotion_abuse")
PLAN = TrainingPlan(LEARNED, COUNT, most_rows=COUNT, drop_out=0.0, threads=1)


def history() -> tuple[Recording, Signals, np.ndarray, np.ndarray]:
    """Redemptions and page views; a feature and a detector tell which redemptions are abuse."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(COUNT, 3)).astype(np.float32)
    kinds = np.where(rng.random(COUNT) < 0.7, TYPE_CODES["coupon_redeem"], TYPE_CODES["page_view"]).astype(np.int16)
    said = rng.normal(size=(COUNT, 1)).astype(np.float32)
    bad = (features[:, 1] + said[:, 0] > 1.5) & (kinds == TYPE_CODES["coupon_redeem"])
    recording = Recording(
        folder=Path("nowhere"), names=("one", "two", "three"), features=features,
        numbers=np.full((COUNT, len(NUMBER_FIELDS)), np.nan, np.float32),
        keys=np.ones((COUNT, len(KEYS)), np.uint64), type=kinds, at=np.arange(COUNT, dtype=np.int64),
        received_at=np.arange(COUNT, dtype=np.int64), left_out=0, first_fault="", _parts={},
    )  # fmt: skip
    known = np.full((COUNT, len(ABUSE_TYPES)), np.nan, np.float32)
    known[bad, PROMOTION] = 1
    return recording, Signals([Modality("relation", ("relation.x",), said, 0)]), known, bad


def test_groups_are_modalities_and_what_is_the_events_own():
    recording, signals, _, _ = history()
    own = len(column_names(recording.names))
    assert groups_of(recording, signals) == {OWN: tuple(range(own)), "relation": (own,)}


def test_doubtful_lessons_teach_nothing_and_the_others_do():
    recording, signals, known, bad = history()
    guessed = np.zeros(LEARNED, np.float32)
    # A third of what was proven only follows from proofs, and nobody is sure of it.
    guessed[np.flatnonzero(bad[:LEARNED])[::3]] = np.nan
    fusion = fuse_rows_gated(recording, known, signals, PLAN, learned_until=LEARNED, guessed=guessed)
    assert np.isfinite(fusion.validation_loss)
    relevant = relevant_types(recording, known, LEARNED)
    found = score_gated(recording, signals, fusion, relevant, LEARNED, COUNT)
    redeemed = recording.type[LEARNED:] == TYPE_CODES["coupon_redeem"]
    later = bad[LEARNED:][redeemed]
    assert roc_auc(later, found[redeemed]) > 0.9
    assert not found[~redeemed].any()
    without = score_gated(recording, signals, fusion, relevant, LEARNED, COUNT, without=("relation",))
    assert roc_auc(later, without[redeemed]) < roc_auc(later, found[redeemed]) - 0.05
