from __future__ import annotations

import numpy as np
import pytest

from floorwalker.events.event import Event
from floorwalker.fusion.assessment import Cause
from floorwalker.fusion.late_texts import LateTexts
from floorwalker.pipeline.joining import join_text
from floorwalker.pipeline.records import EventRecord, decode_record, encode_record
from floorwalker.policy.decision import Decision, level_of
from floorwalker.policy.thresholds import ThresholdPolicy

TEXTS = LateTexts("content_abuse", np.array([[0.2, 0.5, 0.9], [0.5, 0.01, 0.0005]]), "v1")
POLICY = ThresholdPolicy()


def record(risks: dict[str, float], on: str = "") -> EventRecord:
    causes = (Cause(code=f"list.{on}", text="", severity=1.0, detector="lists"),) if on else ()
    risk = round(max(risks.values(), default=0) * 100)
    decision = Decision(
        id="dc_7_0", event_id="e", shop="s", subject="account:a", at=1, expires_at=2, action="allow", intended="allow",
        mode="shadow", risk=risk, level=level_of(risk), risks=risks, causes=causes, policy_version=POLICY.version,
    )  # fmt: skip
    return EventRecord(event=Event(id="e", type="review", at=1, item="i", text="words"), decision=decision)


def test_a_signal_joins_as_one_that_had_come_in_time() -> None:
    found = join_text(record({"content_abuse": 0.4, "scraping": 0.3}), 0.9, TEXTS, POLICY, at=9)
    signal = TEXTS.signal_of(0.9)
    assert found.risk == round((1 - 0.6 * (1 - signal)) * 100) >= 60
    assert (found.level, found.intended, found.raised) == ("high", "quarantine", True)
    assert (found.decision_id, found.decided_at, found.at, found.version) == ("dc_7_0", 1, 9, "v1")
    assert "words" not in str(found)
    assert decode_record(encode_record(found)) == found


@pytest.mark.parametrize("score", [0.0, 0.3, None])
def test_an_ordinary_text_or_an_unreadable_one_changes_nothing(score: float | None) -> None:
    found = join_text(record({"content_abuse": 0.4}), score, TEXTS, POLICY, at=9)
    assert (found.risk, found.signal, found.causes, found.raised, found.score) == (40, 0.0, (), False, score)
    assert found.intended == "observe"


def test_only_what_rises_over_the_line_is_raised() -> None:
    assert not join_text(record({"content_abuse": 0.7}), 0.9, TEXTS, POLICY, at=9).raised
    weak = join_text(record({}), 0.55, TEXTS, POLICY, at=9)
    assert (weak.signal > 0, weak.risk < 60, weak.raised) == (True, True, False)


def test_lists_speak_as_they_did() -> None:
    allowed = join_text(record({"content_abuse": 0.4}, on="allow"), 0.9, TEXTS, POLICY, at=9)
    assert (allowed.intended, allowed.raised) == ("allow", False)
    assert join_text(record({}, on="deny"), 0.9, TEXTS, POLICY, at=9).intended == "block"


def test_signals_are_ranks_of_scores() -> None:
    scores = [0.0, 0.2, 0.5, 0.7, 0.9, 1.0]
    signals = [TEXTS.signal_of(score) for score in scores]
    assert signals == sorted(signals)
    assert signals[:2] == [0, 0]
    assert signals[2] == pytest.approx(0.4)
    assert signals[-1] == pytest.approx(np.log10(0.0005) / -5)
