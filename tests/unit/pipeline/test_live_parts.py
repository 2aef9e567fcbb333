"""The detectors that remember, in the hot path: what they see, that replay sees the same, and what their loss costs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from floorwalker.detectors.anomaly_series.live import LiveSeries
from floorwalker.detectors.content.live import LiveContent
from floorwalker.detectors.context.live import LiveContext
from floorwalker.detectors.relation.live import LiveRelations
from floorwalker.detectors.rules import LiveRules, RuleTable, default_schema
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event
from floorwalker.features.live import Limits, LiveFeatures
from floorwalker.fusion.stacked import StackedFusion
from floorwalker.pipeline.ids import IdHasher
from floorwalker.pipeline.live_parts import KIND_OF, KINDS
from floorwalker.pipeline.models import ShopModels
from floorwalker.pipeline.pipeline import Pipeline
from floorwalker.pipeline.records import EventRecord, encode_record
from floorwalker.pipeline.replaying import Replay
from floorwalker.store.journal import RecordBatch
from floorwalker.testing.shop_models import telling_fusion

pytest.importorskip("lightgbm")

START = 1_760_000_000_000_000
MINUTE = 60_000_000
LIMITS = Limits(rows={}, other_rows=200, sketches=64)
NAMES = LiveFeatures(seed=1, limits=LIMITS).names
COPY = "Great blender, crushes ice in seconds and is very easy to clean after use."


@cache
def no_rules() -> RuleTable:
    return RuleTable.load({}, schema=default_schema(NAMES))


def make_parts() -> dict[str, object]:
    return {
        "relation": LiveRelations(accounts=64, entities=128, fan_out=4),
        "content": LiveContent(capacity=64),
        "series": LiveSeries(entities=64),
        "context": LiveContext(rows=256),
    }


def outputs() -> tuple[str, ...]:
    return tuple(name for part in make_parts().values() for name in part.outputs)


@cache
def fusion_of(telling: str, above: float, at: str) -> StackedFusion:
    return telling_fusion(NAMES, outputs(), telling, above=above, at=at, abuse="content_abuse")


def pipeline(models: ShopModels) -> Pipeline:
    secret = bytes(range(16))
    return Pipeline(
        EntityKeyer(secret), IdHasher(secret), LiveFeatures(seed=1, limits=LIMITS), LiveRules(no_rules()), models=models
    )


def history(count: int = 40) -> list[Event]:
    """Three crews on a device each, who write the same review; and others who log in."""
    events = []
    for number in range(count):
        at = START + number * MINUTE
        crew = number % 4
        shared = {"device": f"d-{crew}", "ip": f"192.0.2.{crew}"} if crew else {"device": f"own-{number}"}
        if crew == 3:
            shared |= {"text": COPY, "item": f"i-{number % 3}", "rating": 1.0}
        kind = "review" if crew == 3 else "login_succeeded"
        events.append(
            Event(id=f"e-{number}", type=kind, at=at, received_at=at, account=f"a-{number % 15}", **shared)
        )  # fmt: skip
    return events


def column(judged, name: str) -> np.ndarray:
    return judged.features.values[:, judged.features.names.index(name)]


def test_each_part_adds_its_columns_in_their_order():
    made = pipeline(ShopModels(parts=make_parts()))
    judged = made.advance(made.batch(history()), np.arange(40))
    assert judged.features.names == (*NAMES, *outputs()) == made.feature_names
    assert np.nanmax(column(judged, "relation.device.degree")) >= 5
    assert np.nanmax(column(judged, "content.near_duplicate")) == 1
    assert set(made.versions) >= {"relation", "content", "series", "context"}
    assert [kind.name for kind in KINDS if kind.name in make_parts()] == list(make_parts())


@pytest.mark.parametrize("size", [1, 7])
def test_batches_and_questions_change_nothing(size):
    events = history()
    whole, parts = (pipeline(ShopModels(parts=make_parts())) for _ in range(2))
    expected = whole.advance(whole.batch(events), np.arange(40)).features.values
    found = []
    for start in range(0, 40, size):
        batch = parts.batch(events[start : start + size])
        asked = parts.score(batch, np.arange(len(batch))).features.values
        found.append(parts.advance(batch, np.arange(start, start + len(batch))).features.values)
        np.testing.assert_array_equal(asked[0], found[-1][0])
    np.testing.assert_array_equal(np.concatenate(found), expected)


def test_a_replay_of_the_records_remembers_what_the_server_did():
    events = history()
    live, caught_up, stepped = (pipeline(ShopModels(parts=make_parts())) for _ in range(3))
    live.advance(live.batch(events), np.arange(40))
    records = [encode_record(EventRecord(event=event)) for event in events]
    stops = np.cumsum([len(one) for one in records])
    data = np.frombuffer(b"".join(records) + bytes(16), np.uint8)
    batch = RecordBatch(np.arange(40), data, stops - [len(one) for one in records], stops)
    assert sum(Replay(caught_up).catch_up([batch])) == 40
    Replay(stepped).run(enumerate(records))
    for other in (caught_up, stepped):
        for name, array in live.models.state().items():
            np.testing.assert_array_equal(array, other.models.state()[name], err_msg=name)
    assert live.models.state()["content.recent.count"][0] == 10


def test_restored_parts_go_on_alike():
    events = history()
    first, second = (pipeline(ShopModels(parts=make_parts())) for _ in range(2))
    first.advance(first.batch(events[:20]), np.arange(20))
    second.restore({part: {name: one.copy() for name, one in of.items()} for part, of in first.state().items()})
    rest = [made.advance(made.batch(events[20:]), np.arange(20, 40)) for made in (first, second)]
    np.testing.assert_array_equal(rest[0].features.values, rest[1].features.values)
    assert rest[0].decisions == rest[1].decisions
    assert {name.partition(".")[0] for name in first.models.pages()} == {"relation", "content", "context"}


@pytest.mark.parametrize(
    ("telling", "above", "at", "words"),
    [
        ("relation.device.degree", 3.0, "login_succeeded", "uses a device of about"),
        ("content.copied_by_accounts", 0.5, "review", "other accounts wrote nearly the same text"),
    ],
)
def test_a_decision_names_the_cause_and_without_it_the_risk_is_lower(telling, above, at, words):
    made = pipeline(ShopModels(fusion_of(telling, above, at), make_parts()))
    events = [event for event in history(60) if event.type == at]
    batch = made.batch(events)
    judged = made.advance(batch, np.arange(len(events)))
    gravest = int(np.argmax([decision.risk for decision in judged.decisions]))
    decision = judged.decisions[gravest]
    cause = decision.causes[0]
    assert cause.code.endswith(telling)
    assert words in cause.text
    values = judged.features.values.copy()
    values[gravest, judged.features.names.index(telling)] = 0
    spared = made.judge(batch, replace(judged.features, values=values), np.arange(len(events)))[gravest]
    assert spared.risk < decision.risk - 0.3
    # The sentence is made of what is stored, so that it can be told again.
    assert made.judge(batch, judged.features, np.arange(len(events)))[gravest].causes == decision.causes


def test_a_part_that_raises_is_named_and_not_asked_again():
    parts = make_parts()
    made = pipeline(ShopModels(fusion_of("relation.device.degree", 3.0, "login_succeeded"), parts))
    told: list[tuple[str, str]] = []
    made.on_failure = lambda part, error: told.append((part, str(error)))

    def fail(*given: object) -> None:
        raise ValueError("worn out")

    parts["content"].advance = fail
    judged = made.advance(made.batch(history(8)), np.arange(8))
    again = made.advance(made.batch(history(8)), np.arange(8, 16))
    assert told == [("content", "worn out")]
    assert np.isnan(column(judged, "content.near_duplicate")).all()
    for decision in (judged.decisions[-1], again.decisions[-1]):
        assert "content" in decision.degraded
        assert decision.versions["content"] == "failed"
    assert not np.isnan(column(again, "relation.device.degree")[4:]).all()
    assert not any(name.startswith("content.") for name in made.state()["models"])


def test_parts_come_back_from_their_folders_and_broken_ones_are_lost(tmp_path):
    for name, part in make_parts().items():
        part.save(tmp_path / name)
    whole = ShopModels.load(tmp_path, NAMES)
    assert whole.outputs == outputs()
    assert {name: part.version for name, part in whole.parts.items()} == {
        name: part.version for name, part in make_parts().items()
    }
    (tmp_path / "relation" / "relation.json").write_text("{}")
    left = ShopModels.load(tmp_path, NAMES)
    assert set(left.parts) == {"content", "series", "context"}
    made = pipeline(left)
    decision = made.advance(made.batch(history(4)), np.arange(4)).decisions[0]
    assert "relation" in decision.degraded
    assert decision.versions["relation"] == "lost"


def test_a_part_that_the_fusion_learned_from_is_missed(tmp_path):
    fusion_of("relation.device.degree", 3.0, "login_succeeded").save(tmp_path / "fusion", facts={})
    for name, part in make_parts().items():
        part.save(tmp_path / name)
    assert not ShopModels.load(tmp_path, NAMES).lost
    (tmp_path / "relation").rename(tmp_path / "elsewhere")
    (tmp_path / "series" / "manifest.json").unlink()
    left = ShopModels.load(tmp_path, NAMES)
    assert left.lost["relation"] == "its folder is missing"
    assert set(left.lost) == {"relation", "series"}
    made = pipeline(left)
    decision = made.advance(made.batch(history(4)), np.arange(4)).decisions[0]
    assert {"relation", "series"} <= set(decision.degraded)


def test_every_column_has_a_sentence():
    live = {**make_parts(), "relation": LiveRelations()}
    for name, part in live.items():
        said = dict.fromkeys(part.outputs, 0.5)
        for output in part.outputs:
            sentence = KIND_OF[name].tell(output, said)
            assert sentence
            assert "nan" not in sentence
            assert KIND_OF[name].tell(output, dict.fromkeys(part.outputs, float("nan"))) is None
        assert KIND_OF[name].tell("account_events_1h", {"account_events_1h": 1.0}) is None
