"""What was done about a decision is known after a restart too, also where the ledger is behind the snapshot."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from floorwalker.events.event import Event
from floorwalker.pipeline.records import AppliedRecord
from floorwalker.server.engine import Decided, DecideJob, RecordJob
from floorwalker.server.installation import Installation
from floorwalker.server.routes.decisions import _keep_applied
from floorwalker.server.startup import Runtime

START = 1_760_000_000_000_000


def open_runtime(folder: Path) -> Runtime:
    runtime = Runtime(Installation(folder), lambda: START, durability="process")
    runtime.open()
    return runtime


def decide(runtime: Runtime, name: str) -> tuple[str, int]:
    """Decide about an event; the decision's id and its sequence."""
    event = Event(id=name, type="checkout", at=START, received_at=START, account="a-1", amount_minor=5, currency="EUR")
    (outcome,), through = runtime.engine.work([DecideJob(event)])
    runtime.engine.commit(through)
    assert isinstance(outcome, Decided)
    return outcome.decision.id, int(outcome.decision.id.split("_")[1], 16)


def report(identity: str) -> AppliedRecord:
    return AppliedRecord(
        decision_id=identity, shop="", at=START, action="block", by="till", reason="", override=True, late=False
    )


class Recorder:
    """Journals as the server does; `waits` lets somebody look while a record is on its way."""

    def __init__(self, runtime: Runtime, fails: bool = False) -> None:
        self.engine, self._runtime, self._fails = runtime.engine, runtime, fails
        self.waits = lambda: None

    async def record(self, *records: AppliedRecord, then: Any) -> None:
        self.waits()
        if self._fails:
            raise OSError("the disk is gone")
        _, through = self.engine.work([RecordJob(records, then)])
        self.engine.commit(through)


def keep(service: Recorder, identity: str, sequence: int) -> None:
    asyncio.run(_keep_applied(service, report(identity), sequence))  # type: ignore[arg-type]


def test_a_snapshot_holds_what_was_applied(tmp_path: Path) -> None:
    first = open_runtime(tmp_path)
    identity, sequence = decide(first, "e-1")
    keep(Recorder(first), identity, sequence)
    first.close()
    second = open_runtime(tmp_path)
    # Nothing is read from the journal: without the snapshot nobody would know before the ledger does.
    assert second.replayed == 0
    assert second.engine.applied == {sequence: report(identity)}
    second.close()


def test_a_report_that_is_not_journalled_is_in_no_snapshot(tmp_path: Path) -> None:
    first = open_runtime(tmp_path)
    identity, sequence = decide(first, "e-1")
    service = Recorder(first, fails=True)
    seen = list[AppliedRecord]()

    def look() -> None:
        # Another report that comes now finds it, and a snapshot does not.
        seen.append(first.engine.applied[sequence])
        assert first.snapshot()
        first.snapshots.wait()

    service.waits = look
    with pytest.raises(OSError, match="gone"):
        keep(service, identity, sequence)
    assert seen == [report(identity)]
    assert (first.engine.applied, first.engine.applying) == ({}, set())
    first.engine.journal.close()  # as if the process had been killed
    second = open_runtime(tmp_path)
    assert second.engine.applied == {}
    # Once it is journalled it stays.
    keep(Recorder(second), identity, sequence)
    assert (second.engine.applied, second.engine.applying) == ({sequence: report(identity)}, set())
    second.close()
