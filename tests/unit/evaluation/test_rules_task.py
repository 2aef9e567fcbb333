"""Whom rules touch: owners by their own events, thieves by theirs."""

from __future__ import annotations

import numpy as np
import polars as pl

from floorwalker.evaluation.tasks.rules import judge


def test_customers_and_thieves_are_counted_apart() -> None:
    known = pl.DataFrame(
        {
            "account": ["a", "a", "b", "c", None, "d", "d"],
            "phase": ["", "", "", "", "", "harmful", "preparatory"],
            "abuse_type": ["", "", "", "", "", "payment_fraud", "payment_fraud"],
            "skill": ["", "", "", "", "", "expert", "expert"],
        }
    )
    fired = np.array([[1, 0], [1, 0], [0, 0], [0, 1], [1, 1], [1, 0], [0, 1]], bool)
    found = judge(known, fired, ["one", "two"], [True, False])
    assert found["honest_share_by_rule"] == {"one": round(1 / 3, 6), "two": round(1 / 3, 6)}
    assert found["honest_share"] == 1 / 3
    assert found["event_recall"] == 1.0
    assert found["recall_by_skill"] == {"expert": 1.0}
    assert found["harmful_events_by_rule"] == {"one": 1, "two": 0}
