"""Days that people name, what is left of a suspicion, and how it comes into the ledger."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from sqlalchemy import select

from floorwalker.events.event import Event
from floorwalker.fusion.accounts import DAY
from floorwalker.pipeline.records import DecisionRecord, EventRecord, encode_record
from floorwalker.policy.decision import Decision
from floorwalker.server.problems import ProblemError
from floorwalker.server.records_to_rows import write_rows
from floorwalker.server.replaying import _are_equal
from floorwalker.server.suspects import read_day, suspicion_left, write_day
from floorwalker.store.journal import RecordBatch
from floorwalker.store.ledger import Ledger, sqlite_url
from floorwalker.store.ledger.tables import decisions

DECISION = Decision(
    id="dc_1", event_id="e-1", shop="north", subject="account:a", at=DAY, expires_at=DAY, action="allow",
    intended="allow", mode="shadow", risk=40, level="medium", policy_version="1", suspicion=0.625,
)  # fmt: skip


def test_a_day_is_read_as_it_is_written() -> None:
    assert read_day("2026-03-01", now=0) == 20_513
    assert write_day(20_513) == "2026-03-01"
    assert read_day(None, now=20_513 * DAY + DAY - 1) == 20_513
    assert write_day(read_day("9999-12-31", now=0)) == "9999-12-31"


@pytest.mark.parametrize(
    "given", ["", "20260301", "2026-W09-7", "2026-02-30", "2026-03-01T00:00", "1969-12-31", "x" * 99]
)
def test_what_is_no_day_is_refused_by_name(given: str) -> None:
    with pytest.raises(ProblemError, match="day is") as caught:
        read_day(given, now=0)
    assert caught.value.status == 422
    assert [fault.field for fault in caught.value.faults] == ["day"]


def test_a_suspicion_halves_every_two_days() -> None:
    older = structs.replace(DECISION, at=0, suspicion=0.9)
    mine = (DECISION, None)
    assert suspicion_left([], now=DAY) == 0
    assert suspicion_left([mine], now=DAY + 5) == suspicion_left([mine], now=2 * DAY - 1) == 0.625
    assert suspicion_left([mine], now=3 * DAY) == 0.3125
    assert suspicion_left([(older, None), mine], now=DAY) == pytest.approx(0.9 * 0.5**0.5, abs=1e-6)
    # A clock that was set back makes nobody more suspicious.
    assert suspicion_left([mine], now=0) == 0.625
    tomorrow = structs.replace(DECISION, at=4 * DAY, suspicion=0.1)
    assert suspicion_left([(older, None), (tomorrow, None)], now=0) == 0.9


def test_what_is_done_about_an_order_is_as_suspicious_as_the_order() -> None:
    shipped = structs.replace(DECISION, at=9 * DAY, suspicion=0.0)
    assert suspicion_left([(DECISION, "o-1"), (shipped, "o-1")], now=9 * DAY) == 0.625
    assert suspicion_left([(DECISION, "o-1"), (shipped, "o-1")], now=11 * DAY) == 0.3125
    for other in (None, "o-2", ""):
        assert suspicion_left([(DECISION, "o-1"), (shipped, other)], now=9 * DAY) == round(0.625 / 2**4, 6)
    # As far as the list looks back, and no farther.
    late = structs.replace(shipped, at=15 * DAY)
    assert suspicion_left([(DECISION, "o-1"), (late, "o-1")], now=15 * DAY) == 0.625
    late = structs.replace(shipped, at=16 * DAY)
    assert suspicion_left([(DECISION, "o-1"), (late, "o-1")], now=16 * DAY) == 0
    assert suspicion_left([(DECISION, ""), (shipped, "")], now=9 * DAY) == round(0.625 / 2**4, 6)


def test_a_decision_of_before_suspicions_were_told_is_still_the_same() -> None:
    before = structs.replace(DECISION, suspicion=0.0)
    assert _are_equal(DECISION, DECISION)
    assert _are_equal(before, DECISION)
    assert not _are_equal(DECISION, before)
    assert not _are_equal(before, structs.replace(DECISION, risk=41))


def test_the_ledger_is_filled_from_the_journal(tmp_path: Path) -> None:
    event = Event(id="e-1", type="order", at=DAY, received_at=DAY, account="a")
    calm = structs.replace(DECISION, id="dc_2", suspicion=0.0)
    asked_later = structs.replace(DECISION, id="dc_3", suspicion=0.5)
    records = [
        encode_record(EventRecord(event=event, decision=DECISION)),
        encode_record(EventRecord(event=event, decision=calm)),
        encode_record(DecisionRecord(event_sequence=0, event=event, decision=asked_later, features=b"")),
    ]
    stops = np.cumsum([len(each) for each in records])
    starts = stops - [len(each) for each in records]
    batch = RecordBatch(np.arange(3), np.frombuffer(b"".join(records), np.uint8), starts, stops)
    with Ledger(sqlite_url(tmp_path / "ledger.sqlite")) as ledger:
        for _ in range(2):
            ledger.write(lambda connection: write_rows(connection, batch))
        query = select(decisions.c.id, decisions.c.suspicion).order_by(decisions.c.id)
        rows = ledger.read(lambda connection: connection.execute(query).all())
    assert [tuple(row) for row in rows] == [("dc_1", 0.625), ("dc_2", None), ("dc_3", 0.5)]
