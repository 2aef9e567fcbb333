"""Trained models in the hot path: what they add, what they cost when they are lost."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from floorwalker.detectors.behaviour.live import OUTPUTS, LiveBehaviour
from floorwalker.detectors.rules import LiveRules, RuleTable, default_schema
from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.errors import ArtefactError
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live import Limits, LiveFeatures
from floorwalker.fusion.columns import column_names
from floorwalker.fusion.first_opinion import FirstOpinion
from floorwalker.fusion.memory import OUTPUTS as SUSPICIONS
from floorwalker.fusion.memory import LiveMemory
from floorwalker.fusion.stacked import HANDS, StackedFusion
from floorwalker.pipeline.ids import IdHasher
from floorwalker.pipeline.models import ShopModels
from floorwalker.pipeline.pipeline import Pipeline
from floorwalker.policy.decision import Decision
from floorwalker.testing.behaviour import model as sequence_model
from floorwalker.testing.shop_models import coupon_fusion, telling_fusion

pytest.importorskip("lightgbm")

START = 1_760_000_000_000_000
LIMITS = Limits(rows={}, other_rows=200, sketches=64)
NAMES = LiveFeatures(seed=1, limits=LIMITS).names


@cache
def fusion() -> StackedFusion:
    return coupon_fusion(NAMES)


@cache
def fusion_with_hands() -> StackedFusion:
    """A second opinion of whoever did still more."""
    names = fusion().names
    rows = np.full((800, len(names)), np.nan, np.float32)
    busy = rows[:, names.index("account_events_1h")] = np.random.default_rng(1).integers(0, 20, 800)
    trees = BoostedTrees(rounds=5, rate=0.5, max_bin=63, threads=1, validation_share=0, blind_rounds=5)
    hands = trees.fit(rows, (busy > 12)[:, None].astype(np.float64), names=names, outputs=(HANDS,))
    ordinary = np.linspace(0, 0.2, 5000)
    return replace(fusion(), hands=hands, hand_ranks=StackedFusion.ranks_of(ordinary, len(ordinary)))


@cache
def no_rules() -> RuleTable:
    return RuleTable.load({}, schema=default_schema(NAMES))


def pipeline(models: ShopModels) -> Pipeline:
    secret = bytes(range(16))
    return Pipeline(
        EntityKeyer(secret), IdHasher(secret), LiveFeatures(seed=1, limits=LIMITS), LiveRules(no_rules()), models=models
    )


def history(count: int) -> list[Event]:
    return [
        Event(id=f"e-{number}", type="coupon_redeem", at=at, received_at=at, account="a-1", coupons=("TEN",))
        for number, at in enumerate(range(START, START + count * 1_000_000, 1_000_000))
    ]  # fmt: skip


def decide(models: ShopModels, count: int = 15):
    made = pipeline(models)
    return made.advance(made.batch(history(count)), np.arange(count))


def test_what_the_fusion_learned_becomes_a_decision_with_its_reason():
    judged = decide(ShopModels(fusion()))
    first, last = judged.decisions[0], judged.decisions[-1]
    assert first.risk < last.risk
    assert last.intended in ("limit", "block")
    assert "account_events_1h" in last.causes[0].code
    assert last.versions["fusion"] == fusion().version
    # Nothing is unusual yet, for there was no history to learn from.
    assert last.degraded == ("anomaly.unusual_activity",)


def test_a_risk_too_small_for_an_explanation_says_how_rare_it_is(monkeypatch):
    monkeypatch.setattr("floorwalker.pipeline.models.EXPLAINED", 1.1)
    last = decide(ShopModels(fusion())).decisions[-1]
    (cause,) = last.causes
    assert cause.code == "fusion.promotion_abuse"
    assert cause.text.startswith("it looks like promotion abuse; one ordinary event in ")


def test_a_first_opinion_is_told_by_what_raised_it():
    names = column_names(NAMES)
    rows = np.full((800, len(names)), np.nan, np.float32)
    rows[:, names.index("account_events_1h")] = np.random.default_rng(0).integers(0, 20, 800)
    trees = BoostedTrees(rounds=5, rate=0.5, max_bin=63, threads=1, validation_share=0, blind_rounds=5)
    trees.fit(rows, rows[:, names.index("account_events_1h")] > 10, names=names)
    ranks = np.array([[0.0, 0.2, 0.3, 1.0], [1.0, 0.1, 0.0001, 0.0001]])
    asked = np.array([kind.name == "coupon_redeem" for kind in EVENT_TYPES] + [False])
    memory = LiveMemory(FirstOpinion([trees], [ranks], asked), rows=64)
    models = ShopModels(
        telling_fusion(NAMES, SUSPICIONS, SUSPICIONS[0], above=0.5, at="coupon_redeem", abuse="promotion_abuse"),
        {"memory": memory},
    )
    models.warm()
    last = decide(models).decisions[-1]
    assert last.causes[0].code == "transaction.promotion_abuse.account_events_1h"
    assert "account events 1h is 14" in last.causes[0].text


def test_a_type_of_event_that_was_never_proven_is_not_judged():
    made = pipeline(ShopModels(fusion()))
    views = [
        Event(id=f"v-{n}", type="page_view", at=START + n, received_at=START + n, account="a-1", url="/")
        for n in range(15)
    ]
    judged = made.advance(made.batch(views), np.arange(15))
    assert all(not any(cause.detector == "fusion.stacked" for cause in each.causes) for each in judged.decisions)


def test_the_sequence_model_adds_its_columns_to_what_a_decision_saw():
    models = ShopModels(fusion(), {"behaviour": LiveBehaviour(sequence_model(), accounts=5, sessions=5)})
    judged = decide(models)
    assert judged.features.names[-len(OUTPUTS) :] == OUTPUTS
    assert judged.features.values.shape == (15, len(NAMES) + len(OUTPUTS))
    assert not np.isnan(judged.features.values[:, -1]).any()
    assert judged.decisions[0].versions["behaviour"] == models.parts["behaviour"].version
    assert judged.decisions[0].versions["features"].endswith(models.parts["behaviour"].version)


def test_a_stored_decision_is_made_again_from_what_it_saw():
    models = ShopModels(fusion(), {"behaviour": LiveBehaviour(sequence_model(), accounts=5, sessions=5)})
    made = pipeline(models)
    batch = made.batch(history(15))
    judged = made.advance(batch, np.arange(15))
    again = made.judge(batch, judged.features, np.arange(15))
    assert again == judged.decisions


def test_suspicion_is_told_of_events_whose_risk_is_spoken_of_and_moves_no_risk():
    plain, helped = decide(ShopModels(fusion())).decisions, decide(ShopModels(fusion_with_hands())).decisions
    for decisions in (plain, helped):
        assert [each.suspicion > 0 for each in decisions] == [each.risk > 0 for each in decisions]
        assert decisions[0].suspicion == 0
    # What the second opinion doubts sinks, what it shares stays where it was, and the risk is the same for all.
    assert plain[11].suspicion > helped[11].suspicion
    assert helped[14].suspicion > helped[11].suspicion
    assert [each.risks for each in plain] == [each.risks for each in helped]


def test_calm_events_ask_for_no_second_opinion_and_decisions_without_models_name_none(monkeypatch):
    asked: list[int] = []
    models = ShopModels(fusion_with_hands())
    trees = models.fusion.hands.trees(HANDS)
    counting = SimpleNamespace(score=lambda rows: asked.append(len(rows)) or trees.score(rows))
    monkeypatch.setattr(models.fusion.hands, "trees", lambda output: counting)
    judged = decide(models)
    assert asked == [sum(each.suspicion > 0 for each in judged.decisions)]
    assert 0 < asked[0] < 15
    calm = [judged.decisions[0], *decide(ShopModels()).decisions]
    for each in calm:
        assert each.suspicion == 0
        assert b"suspicion" not in msgspec.msgpack.encode(each)


def test_suspicion_is_equal_alone_in_a_batch_and_made_again():
    made = pipeline(ShopModels(fusion_with_hands()))
    together = decide(ShopModels(fusion_with_hands())).decisions
    batches = [made.batch([event]) for event in history(15)]
    judged = [made.advance(batch, np.array([row])) for row, batch in enumerate(batches)]
    assert [each.decisions[0] for each in judged] == together
    for row, (batch, each) in enumerate(zip(batches, judged, strict=True)):
        kept = msgspec.msgpack.decode(msgspec.msgpack.encode(each.decisions[0]), type=Decision)
        assert made.judge(batch, each.features, np.array([row])) == [kept]


def test_what_is_lost_is_named_and_the_rest_answers(tmp_path):
    fusion().save(tmp_path / "fusion", facts={})
    LiveBehaviour(sequence_model(), accounts=5, sessions=5).model.save(tmp_path / "behaviour", facts={})
    whole = ShopModels.load(tmp_path, NAMES)
    assert whole.fusion is not None
    assert set(whole.parts) == {"behaviour"}
    assert not whole.lost
    broken = next(file for file in (tmp_path / "behaviour").iterdir() if file.name != "manifest.json")
    broken.write_bytes(b"x")
    left = ShopModels.load(tmp_path, NAMES)
    assert not left.parts
    assert set(left.lost) == {"behaviour"}
    decision = decide(left).decisions[-1]
    assert "behaviour" in decision.degraded
    assert decision.versions["behaviour"] == "lost"
    assert decision.intended in ("limit", "block")


def test_a_fusion_of_other_features_is_lost_and_not_misread(tmp_path):
    fusion().save(tmp_path / "fusion", facts={})
    left = ShopModels.load(tmp_path, NAMES[1:])
    assert left.fusion is None
    assert "other features" in left.lost["fusion"]


def test_a_folder_without_models_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="no models in"):
        ShopModels.load(tmp_path, NAMES)


def test_a_detector_that_fails_is_left_out_of_the_decision():
    models = ShopModels(fusion())
    models.judge = None  # type: ignore[assignment]
    told: list[str] = []
    made = pipeline(models)
    made.on_failure = lambda detector, error: told.append(detector)
    judged = made.advance(made.batch(history(2)), np.arange(2))
    assert "fusion.stacked" in judged.decisions[0].degraded
    assert told == ["fusion.stacked"]


def test_models_that_remember_go_on_from_their_state():
    def models() -> ShopModels:
        return ShopModels(fusion(), {"behaviour": LiveBehaviour(sequence_model(), accounts=5, sessions=5)})

    first, second = pipeline(models()), pipeline(models())
    events = history(20)
    first.advance(first.batch(events[:10]), np.arange(10))
    second.restore(
        {part: {name: array.copy() for name, array in state.items()} for part, state in first.state().items()}
    )
    mine = first.advance(first.batch(events[10:]), np.arange(10, 20))
    theirs = second.advance(second.batch(events[10:]), np.arange(10, 20))
    np.testing.assert_array_equal(mine.features.values, theirs.features.values)
    assert mine.decisions == theirs.decisions
    with pytest.raises(ArtefactError, match=r"behaviour\.lstm lacks"):
        second.restore({**first.state(), "models": {}})
