"""What `floorwalker explain` prints for a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.cli.explain import explain
from floorwalker.events.event import Event
from floorwalker.features.live import Limits
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
