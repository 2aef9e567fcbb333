"""A signal that comes after its decision: what the decision would be with it, and whether a person should look."""

from __future__ import annotations

from floorwalker.fusion.assessment import Cause
from floorwalker.fusion.late_texts import DETECTOR, LateTexts
from floorwalker.pipeline.records import DecisionRecord, EventRecord, JoinedRecord
from floorwalker.policy.decision import level_of
from floorwalker.policy.thresholds import ThresholdPolicy

REVIEWED = 60
"""Risk at which the level `high` begins: from there on a person should look."""


def join_text(
    record: EventRecord | DecisionRecord, score: float | None, texts: LateTexts, policy: ThresholdPolicy, *, at: int
) -> JoinedRecord:
    """What the text of a decided event says, joined to its decision; the decision itself is not touched.

    Equal arguments give equal records, so that a replay can make them again.

    Parameters
    ----------
    record : with a decision.
    score : what the classifier said of the text, None where it could not read it.
    texts : makes a signal of the score.
    policy : says what it would come to.
    at : µs UTC, now.
    """
    decision = record.decision
    assert decision is not None
    signal = 0.0 if score is None else texts.signal_of(score)
    risks = dict(decision.risks)
    causes: tuple[Cause, ...] = ()
    if signal > 0:
        before = risks.get(texts.abuse_type, 0.0)
        # As `fuse` joins signals that come in time.
        risks[texts.abuse_type] = round(1 - (1 - before) * (1 - signal), 4)
        told = Cause(
            code=f"{DETECTOR}.wording", text=texts.tell(signal), severity=round(signal, 4), detector=DETECTOR,
            abuse_type=texts.abuse_type,
        )  # fmt: skip
        causes = (told,)
    risk, intended = policy.reconsider(decision, risks)
    return JoinedRecord(
        decision_id=decision.id,
        event_id=decision.event_id,
        event_type=record.event.type,
        shop=decision.shop,
        decided_at=decision.at,
        at=at,
        detector=DETECTOR,
        version=texts.version,
        abuse_type=texts.abuse_type,
        score=score,
        signal=round(signal, 4),
        risk=risk,
        level=level_of(risk),
        intended=intended,
        raised=risk >= REVIEWED > decision.risk and intended != "allow",
        causes=causes,
    )
