from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as given_that
from hypothesis import strategies as st

from floorwalker.detectors.signal import Reason, Signal
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.types import TYPE_CODES
from floorwalker.fusion.noisy_or import UNTYPED_WEIGHT, fuse
from floorwalker.fusion.usual import USUAL

FRAUD = ABUSE_TYPES.index("payment_fraud")


def signal(
    score: list[float], abuse_type: str | None = "payment_fraud", *, ready: bool = True, code: str = "c"
) -> Signal:
    reasons = [[Reason(code, code, value)] if value > 0 else [] for value in score]
    return Signal("rules" if abuse_type else "anomaly", "1", abuse_type, np.array(score, np.float32), reasons, ready)


def test_signals_of_one_type_combine_as_independent_causes() -> None:
    fused = fuse([signal([0.5, 0.0, 1.0]), signal([0.5, 0.2, 0.3])], np.array([-1, -1, -1], np.int16))
    assert fused.risk[:, FRAUD] == pytest.approx([0.75, 0.2, 1.0])
    assert fused.risk.sum() == pytest.approx(1.95)
    assert fused.calibrated is False


def test_an_unusual_event_alone_raises_only_what_it_usually_is_and_only_a_little() -> None:
    usual = np.array([FRAUD, -1], np.int16)
    fused = fuse([signal([1.0, 1.0], None)], usual)
    assert fused.risk[0, FRAUD] == pytest.approx(UNTYPED_WEIGHT)
    assert fused.risk.sum() == pytest.approx(UNTYPED_WEIGHT)
    assert [cause.abuse_type for cause in fused.causes[1]] == [""]


def test_what_is_not_ready_is_missing_and_not_harmless() -> None:
    fused = fuse([signal([0.9], ready=False), signal([0.4])], np.array([-1], np.int16))
    assert fused.risk[0, FRAUD] == pytest.approx(0.4)
    assert fused.degraded == ("rules",)


def test_causes_stand_in_order_of_severity() -> None:
    fused = fuse([signal([0.2], code="b"), signal([0.9], code="a"), signal([0.2], code="a")], np.array([-1], np.int16))
    assert [(cause.code, cause.severity) for cause in fused.causes[0]] == [("a", 0.9), ("a", 0.2), ("b", 0.2)]


def test_no_events_give_no_risk() -> None:
    assert fuse([], np.empty(0, np.int16)).risk.shape == (0, len(ABUSE_TYPES))


def test_usual_abuse_names_only_what_exists() -> None:
    assert set(USUAL) <= set(TYPE_CODES)
    assert set(USUAL.values()) <= set(ABUSE_TYPES)


@given_that(
    st.lists(st.tuples(st.sampled_from([None, *ABUSE_TYPES[:2]]), st.lists(st.floats(0, 1), min_size=3, max_size=3)))
)
def test_risk_is_that_of_whole_columns_bit_for_bit(opinions: list[tuple[str | None, list[float]]]) -> None:
    usual = np.array([0, -1, 1], np.int16)
    left = np.ones((3, len(ABUSE_TYPES)), np.float32)
    given = [signal(score, abuse_type) for abuse_type, score in opinions]
    for each in given:
        if each.abuse_type is not None:
            left[:, ABUSE_TYPES.index(each.abuse_type)] *= 1.0 - each.score
        else:
            left[[0, 2], usual[[0, 2]]] *= 1.0 - UNTYPED_WEIGHT * each.score[[0, 2]]
    assert fuse(given, usual).risk.tobytes() == (1.0 - left).tobytes()
