"""What `floorwalker explain` prints for a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from floorwalker.cli.explain import explain
from floorwalker.events.event import Event
from floorwalker.features.live import Limits
from floorwalker.pipeline.records import EventRecord, encode_record
from floorwalker.server.engine import Decided, DecideJob
from floorwalker.server.installation import Installation
from floorwalker.server.startup import Runtime

START = 1_760_000_000_000_000


def test_a_decision_without_any_reason_is_explained_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limits = Limits(rows={}, other_rows=2000, sketches=200)
    runtime = Runtime(Installation(tmp_path), lambda: START + 1000, durability="process", limits=limits)
    runtime.open()
    event = Event(id="e-1", type="login_succeeded", at=START, received_at=START + 1000, account="a-17")
    (made,), through = runtime.engine.work([DecideJob(event)])
    assert isinstance(made, Decided)
    runtime.engine.commit(through)
    assert made.decision.causes == ()
    # Beside the engine that owns the folder.
    explain(made.decision.id, folder=tmp_path)
    runtime.close()
    printed = capsys.readouterr().out
    assert f"{made.decision.id}: login_succeeded e-1 of account:a-17" in printed
    assert "answered allow (shadow mode, intended allow), risk 0" in printed
    assert "made again from its inputs: equal" in printed
    assert "features were known" in printed


def test_a_decision_by_other_features_is_shown_and_not_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after models were installed, whose opinions are columns of the features."""
    limits = Limits(rows={}, other_rows=2000, sketches=200)
    runtime = Runtime(Installation(tmp_path), lambda: START + 1000, durability="process", limits=limits)
    runtime.open()
    event = Event(id="e-1", type="login_succeeded", at=START, received_at=START + 1000, account="a-17")
    runtime.engine.work([DecideJob(event)])
    record = runtime.engine.find(0)
    assert isinstance(record, EventRecord)
    assert record.decision is not None
    old = replace(record.decision, id="dc_1_0", versions={**record.decision.versions, "features": "earlier"})
    runtime.engine.journal.append([encode_record(replace(record, decision=old))])
    runtime.engine.journal.sync()
    explain("dc_1_0", folder=tmp_path)
    runtime.close()
    printed = capsys.readouterr().out
    assert "changed since: features earlier -> " in printed
    assert "not made again" in printed
