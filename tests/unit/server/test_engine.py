from __future__ import annotations

import itertools
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from floorwalker.detectors.unusual import LEAST_ROWS
from floorwalker.errors import ArtefactError
from floorwalker.events.event import Event
from floorwalker.features.live import Limits
from floorwalker.pipeline.records import DecisionRecord, EventRecord, LabelRecord, decode_record, encode_record
from floorwalker.server import engine as engine_module
from floorwalker.server import startup
from floorwalker.server.engine import Decided, DecideJob, Engine, Ingested, IngestJob, RecordJob
from floorwalker.server.idempotency import mark_request
from floorwalker.server.installation import Installation
from floorwalker.server.problems import ProblemError
from floorwalker.server.replaying import compare_history, explain_decision
from floorwalker.server.startup import Runtime
from floorwalker.store.journal import copy_journal

SECOND = 1_000_000
START = 1_760_000_000 * SECOND
SMALL = Limits(rows={}, other_rows=2000, sketches=200)


class Clock:
    """Goes on by a millisecond each time it is read."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        self.now += 1000
        return self.now


def open_runtime(folder: Path, **options: Any) -> Runtime:
    runtime = Runtime(Installation(folder), Clock(), durability="process", limits=SMALL, **options)
    runtime.open()
    return runtime


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    made = open_runtime(tmp_path)
    yield made
    made.close()


NUMBERS = itertools.count()


def event(**fields: Any) -> Event:
    number = next(NUMBERS)
    given = {"id": f"e-{number}", "type": "login_succeeded", "at": START + number * SECOND, "account": "a-1", **fields}
    return Event(received_at=given["at"] + 1000, **given)


def decide(engine: Engine, *events: Event) -> list[Decided]:
    outcomes, through = engine.work([DecideJob(each) for each in events])
    engine.commit(through)
    assert all(isinstance(outcome, Decided) for outcome in outcomes)
    return outcomes  # type: ignore[return-value]


def test_the_second_of_a_batch_sees_the_first(runtime: Runtime) -> None:
    redemptions = [event(type="coupon_redeem", coupons=("ONCE",), device="d-1", account=f"a-{n}") for n in range(50)]
    decide(runtime.engine, *redemptions)
    names = runtime.engine.pipeline.features.names
    column = names.index("device_events_1h") if "device_events_1h" in names else names.index("device_accounts_1d")
    seen = []
    for sequence in range(50):
        record = runtime.engine.find(sequence)
        assert isinstance(record, EventRecord)
        seen.append(float(np.frombuffer(record.features, "<f4")[column]))
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[1] == 1


def test_one_id_twice_in_one_batch_is_one_event(runtime: Runtime) -> None:
    same = event()
    first, second = decide(runtime.engine, same, same)
    assert first.decision == second.decision
    assert b'"duplicate":true' in second.body
    assert runtime.engine.journal.next == 1
    assert (runtime.engine.events, runtime.engine.duplicates) == (1, 1)


def test_a_told_event_is_judged_later_without_being_counted_again(runtime: Runtime) -> None:
    engine, told = runtime.engine, event()
    outcomes, _ = engine.work([IngestJob([told, told, event()])])
    assert outcomes == [Ingested(accepted=2, duplicates=1)]
    (judged,) = decide(engine, told)
    record, sequence = engine.find_decision(judged.decision.id) or (None, -1)
    assert isinstance(record, DecisionRecord)
    assert (record.event_sequence, sequence) == (0, 2)
    assert engine.pipeline.features.figures()["counted"] == 2


def test_decisions_are_found_by_id_only(runtime: Runtime) -> None:
    (made,) = decide(runtime.engine, event())
    found = runtime.engine.find_decision(made.decision.id)
    assert found is not None
    assert found[0].decision == made.decision
    for wrong in ("", "dc_0", "dc_0_x", "dc_99_0", "dc_-1_a", made.decision.id + "0", "dc_" + "f" * 40 + "_1"):
        assert runtime.engine.find_decision(wrong) is None


def test_a_detector_that_fails_is_named_and_the_decision_is_made(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[str] = []
    pipeline = runtime.engine.pipeline
    pipeline.on_failure = lambda detector, error: failures.append(detector)
    monkeypatch.setattr(type(pipeline.rules.current), "evaluate", lambda *_: 1 / 0)
    (made,) = decide(runtime.engine, event())
    assert "rules" in made.decision.degraded
    assert made.decision.action == "allow"
    assert failures == ["rules"]


def test_a_full_disk_is_refused_before_anything_is_counted(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "HEADROOM_BYTES", 2**60)
    with pytest.raises(ProblemError, match="MiB left") as refused:
        decide(runtime.engine, event())
    assert (refused.value.status, runtime.engine.events, runtime.engine.journal.next) == (503, 0, 0)
    monkeypatch.undo()
    runtime.engine._room_checked = 0
    decide(runtime.engine, event())


def test_a_journal_that_takes_no_record_stops_the_engine(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(records: object) -> int:
        raise OSError("read-only")

    monkeypatch.setattr(runtime.engine.journal, "append", refuse)
    with pytest.raises(OSError, match="read-only"):
        decide(runtime.engine, event())
    monkeypatch.undo()
    with pytest.raises(ProblemError, match="restart") as refused:
        decide(runtime.engine, event())
    assert refused.value.status == 503


def test_time_never_goes_back(runtime: Runtime) -> None:
    clock = runtime.engine.clock
    assert isinstance(clock, Clock)
    first = runtime.engine.now()
    clock.now -= 3600 * SECOND
    assert runtime.engine.now() == first


def test_a_restart_goes_on_where_the_journal_ends(tmp_path: Path) -> None:
    first = open_runtime(tmp_path)
    events = [event(account=f"a-{n % 7}", device=f"d-{n % 3}") for n in range(60)]
    mark = mark_request("c", "/v1/decisions", "k", b"body")
    decide(first.engine, *events[:20])
    first.snapshot()
    first.snapshots.wait()
    first.engine.work([IngestJob(events[20:30])])
    outcomes, through = first.engine.work([DecideJob(events[30], mark=mark)])
    first.engine.commit(through)
    label = LabelRecord(id="lb_1", shop="default", at=1, author="t")
    first.engine.work([RecordJob((label,))])
    first.engine.journal.close()  # as if the process had been killed: no snapshot at the end

    second = open_runtime(tmp_path)
    assert second.replayed == 11
    assert len(second.engine.book) == 1
    assert isinstance(outcomes[0], Decided)
    assert second.engine.book.replies()[0].body == outcomes[0].body
    (again,) = decide(second.engine, events[5])
    assert b'"duplicate":true' in again.body
    decide(second.engine, *events[31:])
    second.close()

    third = open_runtime(tmp_path)
    assert third.replayed == 0
    third.close()
    found = compare_history(Installation(tmp_path), tmp_path / "features.parquet")
    assert (found["events"], found["decisions"], found["features_differ"], found["actions_differ"]) == (60, 50, 0, 0)


def test_a_snapshot_that_does_not_fit_is_passed_over(tmp_path: Path) -> None:
    faults: list[str] = []
    first = open_runtime(tmp_path)
    decide(first.engine, *[event() for _ in range(5)])
    first.close()
    for path in (tmp_path / "snapshots").iterdir():
        path.write_bytes(b"\0" * path.stat().st_size)
    second = open_runtime(tmp_path, on_fault=lambda place, text: faults.append(place))
    assert second.replayed == 5
    assert faults
    assert set(faults) == {"snapshot"}
    second.close()


def test_a_snapshot_of_records_that_the_journal_lacks_never_comes_back(tmp_path: Path) -> None:
    """The journal is a backup: its next records are not those that the newest snapshot has counted."""
    faults: list[str] = []
    first = open_runtime(tmp_path)
    decide(first.engine, *[event() for _ in range(2)])
    first.snapshot()
    first.snapshots.wait()
    decide(first.engine, *[event() for _ in range(2)])
    copy_journal(first.installation.journal, tmp_path / "backup")
    decide(first.engine, *[event(account="a-lost") for _ in range(6)])
    first.close()
    shutil.rmtree(first.installation.journal)
    (tmp_path / "backup").rename(first.installation.journal)

    second = open_runtime(tmp_path, on_fault=lambda place, text: faults.append(text))
    # The older snapshot still fits.
    assert second.replayed == 2
    assert [text for text in faults if "1 deleted" in text]
    decide(second.engine, *[event() for _ in range(8)])
    second.engine.journal.close()  # as if the process had been killed: no snapshot at the end

    third = open_runtime(tmp_path)
    assert (third.engine.journal.next, third.replayed) == (12, 10)
    third.close()
    assert compare_history(Installation(tmp_path), tmp_path / "features.parquet")["features_differ"] == 0


def test_a_detector_is_learned_adopted_and_found_again(tmp_path: Path) -> None:
    first = open_runtime(tmp_path)
    engine = first.engine
    engine.work([IngestJob([event(account=f"a-{n % 90}") for n in range(LEAST_ROWS)])])
    (before,) = decide(engine, event())
    assert before.decision.degraded == ("anomaly.unusual_activity",)
    first.maintain()
    assert first._learner is not None
    first._learner.join()
    learned = first.take_learned()
    assert learned is not None
    model, record = learned
    engine.work([RecordJob((record,), then=lambda _: engine.pipeline.adopt(model))])
    (after,) = decide(engine, event())
    assert after.decision.degraded == ()
    assert after.decision.versions["anomaly.unusual_activity"] == "1"
    first.close()
    second = open_runtime(tmp_path)
    assert second.engine.pipeline.unusual.version == "1"
    (late,) = decide(second.engine, event())
    assert late.decision.degraded == ()
    second.close()
    for made in (before, after, late):
        explained = explain_decision(Installation(tmp_path), made.decision.id)
        assert (explained["equal"], explained["changed"]) == (True, [])


def test_an_event_that_was_told_first_is_decided_about_once(tmp_path: Path) -> None:
    first = open_runtime(tmp_path)
    told = [event(), event()]
    first.engine.work([IngestJob(told)])
    # Twice in one batch, again in a later one, and after a restart with and without the snapshot.
    outcomes, _ = first.engine.work([DecideJob(told[0]), DecideJob(told[0])])
    decided = [each.decision for each in outcomes if isinstance(each, Decided)]
    assert decided[0] == decided[1]
    (again,) = decide(first.engine, told[0])
    assert again.decision == decided[0]
    assert isinstance(first.engine.find(2), DecisionRecord)
    assert first.engine.journal.next == 3
    found = first.engine.find_event(0)
    assert found is not None
    assert found.decision == decided[0]
    assert [each.decision for each in (first.engine.find_event(1),) if each is not None] == [None]
    assert first.engine.find_event(2) is None
    first.engine.journal.close()  # as if the process had been killed: the journal is read again
    second = open_runtime(tmp_path)
    (again,) = decide(second.engine, told[0])
    assert again.decision == decided[0]
    second.close()
    third = open_runtime(tmp_path)
    assert third.replayed == 0
    (again,) = decide(third.engine, told[0])
    assert (again.decision, third.engine.journal.next) == (decided[0], 3)
    third.close()
    explained = explain_decision(Installation(tmp_path), decided[0].id)
    assert (explained["equal"], explained["changed"]) == (True, [])


def test_times_of_receipt_never_fall_along_the_journal(tmp_path: Path) -> None:
    runtime = open_runtime(tmp_path)
    for seconds in (5, 4, 6):
        decide(runtime.engine, msgspec.structs.replace(event(), received_at=START + seconds * SECOND))
    records = [decode_record(data) for _, data in runtime.engine.journal.read()]
    times = [record.event.received_at - START for record in records if isinstance(record, EventRecord)]
    assert times == [5 * SECOND, 5 * SECOND, 6 * SECOND]
    runtime.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="niceness of a thread is Linux's")
def test_whoever_learns_leaves_the_core_to_who_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = open_runtime(tmp_path)
    found = list[int]()

    def save(*given: Any, **named: Any) -> None:
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    monkeypatch.setattr(startup, "save_model", save)
    runtime.engine.work([IngestJob([event(account=f"a-{n % 90}") for n in range(LEAST_ROWS)])])
    runtime.maintain()
    assert runtime._learner is not None
    runtime._learner.join()
    runtime.close()
    assert found == [startup.LEARNING_NICENESS]
    assert os.getpriority(os.PRIO_PROCESS, 0) < startup.LEARNING_NICENESS


def test_records_survive_the_journal_and_strangers_are_refused() -> None:
    record = EventRecord(event=event(amount_minor=5, currency="EUR"), features=b"\0" * 8)
    assert decode_record(encode_record(record)) == record
    for data in (b"", b"\xc0", encode_record(record)[:-3], b"\x81\xa4type\xa5alien"):
        with pytest.raises(ArtefactError):
            decode_record(data)


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "new")
    installation.make()
    assert installation.secret() == installation.secret() != installation.token_key()
    assert (tmp_path / "new" / "state.key").stat().st_mode & 0o077 == 0
    (tmp_path / "new" / "state.key").write_bytes(b"short")
    with pytest.raises(ArtefactError, match="5 bytes"):
        installation.secret()
