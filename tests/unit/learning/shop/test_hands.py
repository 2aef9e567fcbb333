"""The second opinion: what guilty hands did besides is recognised in hands that did nothing yet."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import NUMBER_FIELDS
from floorwalker.events.types import TYPE_CODES
from floorwalker.fusion.columns import fusion_columns
from floorwalker.fusion.stacked import HANDS, StackedFusion
from floorwalker.learning.shop.fusing import score_all, suspect_all
from floorwalker.learning.shop.hands import FEWEST_HANDS, learn_hands
from floorwalker.learning.shop.labels import SCHEMA
from floorwalker.learning.shop.plan import TrainingPlan
from floorwalker.learning.shop.recording import KEYS, Recording
from floorwalker.learning.shop.signals import Signals
from floorwalker.learning.shop.training import train_shop
from floorwalker.metrics import roc_auc

pytest.importorskip("lightgbm")

COUNT, VISIT = 12_000, 4
PROMOTION = ABUSE_TYPES.index("promotion_abuse")
REDEEM, VIEW = (np.int16(TYPE_CODES[name]) for name in ("coupon_redeem", "page_view"))
HARM, HABIT = 0, 1
PLAN = TrainingPlan(
    COUNT // 2, COUNT * 3 // 4, modalities=(), rounds=40, most_rows=3000, max_bin=255, rate=0.2, threads=1, drop_out=0.0
)


def history(seed: int = 0) -> tuple[Recording, np.ndarray, np.ndarray]:
    """Visits of three page views and a redemption. One in twelve is an abuser's: the redemption shows it in one
    column, and all that the abuser does in another, somewhat."""
    rng = np.random.default_rng(seed)
    visit = np.arange(COUNT) // VISIT
    theirs = (rng.random(COUNT // VISIT) < 1 / 12)[visit]
    kinds = np.where(np.arange(COUNT) % VISIT == VISIT - 1, REDEEM, VIEW).astype(np.int16)
    features = rng.normal(size=(COUNT, 6)).astype(np.float32)
    features[:, HABIT] += 2.5 * theirs
    harmful = theirs & (kinds == REDEEM)
    features[:, HARM] += 4.0 * harmful
    keys = np.zeros((COUNT, len(KEYS)), np.uint64)
    keys[:, KEYS.index("session")] = visit + 1
    recording = Recording(
        folder=None, names=tuple(f"feature_{place}" for place in range(6)), features=features,
        numbers=np.full((COUNT, len(NUMBER_FIELDS)), np.nan, np.float32), keys=keys, type=kinds,
        at=np.arange(COUNT, dtype=np.int64), received_at=np.arange(COUNT, dtype=np.int64), left_out=0, first_fault="",
        _parts={"row": np.zeros(0, np.int64), "entity": np.zeros(0, np.int8), "key": np.zeros(0, np.uint64)},
    )  # fmt: skip
    return recording, harmful, theirs


def known_of(harmful: np.ndarray) -> np.ndarray:
    """Every proof stands at a redemption, but for a few at page views, so that these are judged as well."""
    known = np.full((COUNT, len(ABUSE_TYPES)), np.nan, np.float32)
    known[harmful, PROMOTION] = 1
    known[np.flatnonzero(harmful)[:20] - 1, PROMOTION] = 1
    return known


def trained(recording: Recording, known: np.ndarray, plan: TrainingPlan = PLAN) -> StackedFusion:
    return train_shop(recording, pl.DataFrame(schema=SCHEMA), None, plan, known=known, signals=Signals()).fusion


def columns_of(recording: Recording) -> np.ndarray:
    return fusion_columns(recording.features, recording.numbers, recording.type)


@pytest.fixture(scope="module")
def made() -> tuple[Recording, np.ndarray, np.ndarray, StackedFusion]:
    recording, harmful, theirs = history()
    return recording, harmful, theirs, trained(recording, known_of(harmful))


def test_what_prepares_abuse_is_recognised_by_the_second_opinion(made) -> None:
    recording, _, theirs, fusion = made
    late = np.arange(COUNT) >= COUNT * 3 // 4
    views = late & (recording.type == VIEW)
    said = fusion.hands.trees(HANDS).score(columns_of(recording)[views])
    assert roc_auc(theirs[views], said) > 0.9
    assert fusion.hand_ranks is not None


def test_whoever_prepares_comes_before_who_merely_looks_odd(made) -> None:
    recording, _, theirs, fusion = made
    start = COUNT * 3 // 4
    scores = score_all(recording, Signals(), fusion, start, COUNT)
    suspicion = suspect_all(recording, Signals(), fusion, start, COUNT, scores)
    assert suspicion.shape == (COUNT - start,)
    assert suspicion.dtype == np.float32
    assert 0 <= suspicion.min() <= suspicion.max() <= 1
    alone = replace(fusion, hands=None, hand_ranks=None)
    plain = suspect_all(recording, Signals(), alone, start, COUNT, scores)
    spoken = plain >= 0.3
    views = recording.type[start:] == VIEW
    here = spoken & views
    assert here.sum() > 20
    assert roc_auc(theirs[start:][here], suspicion[here]) > roc_auc(theirs[start:][here], plain[here]) + 0.1
    # Of events of which nobody speaks the second opinion is not asked.
    np.testing.assert_array_equal(suspicion > 0, spoken)


def test_labels_by_chance_teach_nothing_of_anybodys_hands(made) -> None:
    recording, harmful, theirs, _ = made
    shuffled = known_of(harmful)[np.random.default_rng(3).permutation(COUNT)]
    fusion = trained(recording, shuffled)
    late = np.arange(COUNT) >= COUNT * 3 // 4
    said = fusion.hands.trees(HANDS).score(columns_of(recording)[late])
    assert 0.35 < roc_auc(theirs[late], said) < 0.65


def test_too_few_or_too_many_hands_teach_nothing(made) -> None:
    recording, harmful, _, fusion = made
    few = known_of(harmful)
    few[np.flatnonzero((few == 1).any(axis=1))[FEWEST_HANDS // VISIT - 20 :]] = np.nan
    assert learn_hands(recording, few, Signals(), PLAN, fusion, learned_until=COUNT // 2) is None
    shared = replace(recording, keys=recording.keys.copy())
    shared.keys[:, KEYS.index("device")] = 1 + np.arange(COUNT) // 900
    known = known_of(harmful)
    assert learn_hands(shared, known, Signals(), PLAN, fusion, learned_until=COUNT // 2) is None
    assert learn_hands(recording, known, Signals(), PLAN, fusion, learned_until=COUNT // 2) is not None


def test_of_many_hands_as_many_are_drawn_as_the_plan_allows(made) -> None:
    recording, harmful, _, fusion = made
    plan = replace(PLAN, most_rows=200)
    one, other = (
        learn_hands(recording, known_of(harmful), Signals(), plan, fusion, learned_until=COUNT // 2) for _ in range(2)
    )
    np.testing.assert_array_equal(one.score(np.zeros((1, len(one.names)))), other.score(np.zeros((1, len(one.names)))))
