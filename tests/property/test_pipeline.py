"""Laws of the hot path: batches do not matter, asking moves nothing, a copied state goes on alike."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.detectors.behaviour.live import LiveBehaviour
from floorwalker.detectors.rules import LiveRules, RuleTable, default_schema
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event
from floorwalker.features.live import Limits, LiveFeatures
from floorwalker.pipeline.ids import IdHasher
from floorwalker.pipeline.models import ShopModels
from floorwalker.pipeline.pipeline import Judged, Pipeline
from floorwalker.pipeline.window import EventWindow
from floorwalker.server.installation import Installation
from floorwalker.server.rule_sets import read_rules
from floorwalker.testing.behaviour import model as sequence_model

START = 1_760_000_000_000_000
LIMITS = Limits(rows={}, other_rows=200, sketches=64)


@cache
def rules() -> LiveRules:
    names = LiveFeatures(seed=1, limits=LIMITS).names
    return LiveRules(RuleTable.load(read_rules(Installation(Path("nowhere"))), schema=default_schema(names)))


def make_pipeline(*, trained: bool = False) -> Pipeline:
    secret = bytes(range(16))
    features = LiveFeatures(seed=1, limits=LIMITS)
    models = (
        ShopModels(parts={"behaviour": LiveBehaviour(sequence_model(), accounts=3, sessions=3)})
        if trained
        else ShopModels()
    )
    return Pipeline(
        EntityKeyer(secret), IdHasher(secret), features, rules(), window=EventWindow(256), models=models, seed=3
    )


KINDS = ("login_failed", "login_succeeded", "sign_up", "coupon_redeem", "checkout", "refund_requested", "page_view")


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    events, at = [], START
    for number in range(draw(st.integers(1, 40))):
        at += draw(st.sampled_from([0, 1, 1_000_000, 3_600_000_000, -7_200_000_000]))
        kind = draw(st.sampled_from(KINDS))
        account = f"a-{draw(st.integers(1, 4))}"
        fields = {"url": "/item/1"} if kind == "page_view" else {}
        if kind in ("checkout", "refund_requested"):
            fields = {"amount_minor": draw(st.integers(1, 10**6)), "currency": "EUR", "order": f"o-{number}"}
        if kind == "coupon_redeem":
            fields = {"coupons": ("HALF",), "promotion": "p"}
        events.append(
            Event(
                id=f"e-{number}", type=kind, at=at, received_at=at + 5, account=account,
                device=f"d-{draw(st.integers(1, 3))}", ip="203.0.113.9", **fields,
            )
        )  # fmt: skip
    return events


def advance(pipeline: Pipeline, events: list[Event], sizes: list[int]) -> list[Judged]:
    judged, start = [], 0
    while start < len(events):
        size = sizes[len(judged) % len(sizes)]
        part = events[start : start + size]
        judged.append(pipeline.advance(pipeline.batch(part), start + np.arange(len(part))))
        start += len(part)
    return judged


@settings(max_examples=25)
@given(histories(), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.booleans())
def test_batches_change_neither_features_nor_decisions(events: list[Event], sizes: list[int], trained: bool) -> None:
    whole, pieces = make_pipeline(trained=trained), make_pipeline(trained=trained)
    together = advance(whole, events, [len(events)])
    apart = advance(pieces, events, sizes)
    bits = np.concatenate([each.features.values for each in apart])
    assert np.array_equal(bits, together[0].features.values, equal_nan=True)
    assert [decision for each in apart for decision in each.decisions] == together[0].decisions
    for part, state in whole.state().items():
        for name, array in state.items():
            assert np.array_equal(array, pieces.state()[part][name], equal_nan=array.dtype.kind == "f"), (part, name)


@settings(max_examples=15)
@given(histories(), histories(), st.booleans())
def test_asking_moves_nothing_and_a_copied_state_goes_on_alike(
    before: list[Event], after: list[Event], trained: bool
) -> None:
    first = make_pipeline(trained=trained)
    advance(first, before, [7])
    kept = {part: {name: array.copy() for name, array in state.items()} for part, state in first.state().items()}
    batch = first.batch(after)
    asked = first.score(batch, np.arange(len(after)))
    again = first.score(batch, np.arange(len(after)))
    assert np.array_equal(asked.features.values, again.features.values, equal_nan=True)
    assert asked.decisions == again.decisions
    for part, state in first.state().items():
        for name, array in state.items():
            assert np.array_equal(array, kept[part][name], equal_nan=array.dtype.kind == "f"), (part, name)
    second = make_pipeline(trained=trained)
    second.restore(kept)
    mine, theirs = advance(first, after, [4]), advance(second, after, [4])
    for one, other in zip(mine, theirs, strict=True):
        assert np.array_equal(one.features.values, other.features.values, equal_nan=True)
        assert one.decisions == other.decisions
