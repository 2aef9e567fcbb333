from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.events.abuse import ABUSE_TYPES, ACTIONS
from floorwalker.events.reply import PUBLIC_REASONS
from floorwalker.fusion.assessment import Assessment, Cause
from floorwalker.policy.decision import Decision
from floorwalker.policy.thresholds import LADDERS, ThresholdPolicy


def decide(policy: ThresholdPolicy, risks: dict[str, float], listed: str = "", causes: int = 0) -> Decision:
    risk = np.zeros((1, len(ABUSE_TYPES)), np.float32)
    for name, value in risks.items():
        risk[0, ABUSE_TYPES.index(name)] = value
    reasons = [Cause(code=f"c{n}", text="secret pattern", severity=0.5, detector="rules") for n in range(causes)]
    return policy.decide(
        Assessment(risk, False, [reasons], ("anomaly.unusual_activity",)),
        ids=["dc_1"], event_ids=["e"], shops=["s"], subjects=["account:a"], at=[1_000_000], listed=[listed],
        versions={"rules": "7"},
    )[0]  # fmt: skip


@pytest.mark.parametrize("abuse_type", ABUSE_TYPES)
def test_every_step_of_a_ladder_is_taken_at_its_threshold(abuse_type: str) -> None:
    policy = ThresholdPolicy(mode="enforce")
    for least, action in LADDERS[abuse_type]:
        at, below = decide(policy, {abuse_type: least + 0.001}), decide(policy, {abuse_type: least - 0.001})
        assert at.action == at.intended == action
        assert ACTIONS.index(below.action) < ACTIONS.index(action)
        assert at.public_reason == PUBLIC_REASONS[action]


def test_the_strictest_action_of_all_types_counts() -> None:
    decision = decide(ThresholdPolicy(mode="enforce"), {"scraping": 0.6, "payment_fraud": 0.72, "return_abuse": 0.4})
    assert decision.action == "review"
    assert (decision.risk, decision.level, decision.abuse_type) == (72, "high", "payment_fraud")
    assert set(decision.risks) == {"scraping", "payment_fraud", "return_abuse"}


def test_shadow_mode_is_the_default_and_lets_everybody_pass() -> None:
    decision = decide(ThresholdPolicy(), {"payment_fraud": 0.99}, causes=2)
    assert (decision.action, decision.intended, decision.mode) == ("allow", "block", "shadow")
    assert decision.public_reason == ""
    assert decision.propensity == 1.0
    assert decision.calibrated is False
    assert decision.expires_at == decision.at + 900_000_000


def test_suspicion_is_kept_beside_the_risk_and_left_out_where_there_is_none() -> None:
    risk = np.zeros((3, len(ABUSE_TYPES)), np.float32)
    texts = ["x"] * 3
    asked: dict[str, Any] = {
        "ids": texts, "event_ids": texts, "shops": texts, "subjects": texts, "at": [0] * 3, "listed": [""] * 3,
        "versions": {},
    }  # fmt: skip
    bare = Assessment(risk, False, [[], [], []], ())
    plain = ThresholdPolicy().decide(bare, **asked)
    suspected = ThresholdPolicy().decide(replace(bare, suspicion=np.array([0, 0.7, 1], np.float32)), **asked)
    assert [each.suspicion for each in suspected] == [0, 0.7, 1]
    assert [msgspec.structs.replace(each, suspicion=0.0) for each in suspected] == plain
    # A calm event's decision is, byte for byte, what it was before anybody told of suspicions.
    assert msgspec.msgpack.encode(suspected[0]) == msgspec.msgpack.encode(plain[0])
    assert b"suspicion" not in msgspec.msgpack.encode(plain[0])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(suspected[1]), type=Decision) == suspected[1]
    with pytest.raises(ValueError, match="suspicions of shape"):
        replace(bare, suspicion=np.zeros(2, np.float32))


def test_public_reasons_never_name_a_signal() -> None:
    decision = decide(ThresholdPolicy(mode="enforce"), {"payment_fraud": 0.99}, causes=3)
    assert decision.public_reason
    assert "secret" not in decision.public_reason
    assert [cause.text for cause in decision.causes] == ["secret pattern"] * 3


@pytest.mark.parametrize(
    ("listed", "risk", "action"),
    [("deny", 0.0, "block"), ("allow", 0.99, "allow"), ("watch", 0.0, "observe"), ("watch", 0.99, "block")],
)
def test_lists_have_the_last_word(listed: str, risk: float, action: str) -> None:
    decision = decide(ThresholdPolicy(mode="enforce"), {"payment_fraud": risk} if risk else {}, listed)
    assert decision.action == action
    assert decision.causes[0].code == f"list.{listed}"
    assert decision.risk == round(risk * 100)


def test_all_faults_of_a_policy_are_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        ThresholdPolicy(
            mode="strict", expiry_seconds=0,
            ladders={"scrapping": ((0.5, "block"),), "scraping": ((0.9, "block"), (0.5, "shrug"), (1.5, "limit"))},
        )  # fmt: skip
    text = str(caught.value)
    for fault in ("mode", "expiry_seconds", "scraping'?", "shrug", "1.5", "do not rise", "in friction"):
        assert fault in text


def test_the_version_says_when_anything_changed() -> None:
    same = {ThresholdPolicy().version, ThresholdPolicy(ladders={}).version}
    other = {
        ThresholdPolicy(mode="enforce").version,
        ThresholdPolicy(expiry_seconds=60).version,
        ThresholdPolicy(ladders={"scraping": ((0.5, "block"),)}).version,
    }
    assert len(same) == 1
    assert len(same | other) == 4


def test_the_number_of_a_decision_is_the_highest_risk_in_whole_points() -> None:
    random = np.random.default_rng(4)
    risk = np.where(random.random((400, len(ABUSE_TYPES))) < 0.3, random.random((400, len(ABUSE_TYPES))), 0)
    risk[:3, 0] = [0.005, 0.015, 0.995]
    risk = risk.astype(np.float32)
    texts = ["x"] * len(risk)
    decisions = ThresholdPolicy().decide(
        Assessment(risk, False, [[] for _ in texts], ()), ids=texts, event_ids=texts, shops=texts, subjects=texts,
        at=[0] * len(risk), listed=[""] * len(risk), versions={},
    )  # fmt: skip
    assert [each.risk for each in decisions] == np.rint(risk.max(axis=1) * 100).astype(int).tolist()
    highest = [ABUSE_TYPES[column] for column in risk.argmax(axis=1).tolist()]
    assert [each.abuse_type for each in decisions] == [
        name if each.risk else "" for name, each in zip(highest, decisions, strict=True)
    ]
