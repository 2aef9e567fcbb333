"""`floorwalker train`: what an earlier recording is used again for, what labels count, which devices there are."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from floorwalker.cli import main
from floorwalker.cli import train as command
from floorwalker.learning.shop import recording
from floorwalker.learning.shop.labels import SCHEMA


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders that events were recorded into; nothing is read."""
    folders: list[Path] = []

    def record(pieces: object, folder: Path, **named: object) -> SimpleNamespace:
        folders.append(folder)
        return SimpleNamespace(left_out=0)

    monkeypatch.setattr(recording, "record", record)
    monkeypatch.setattr(recording, "is_recorded", lambda folder: folder in folders)
    monkeypatch.setattr(recording, "open_recording", lambda folder: SimpleNamespace(left_out=0))
    return folders


def test_an_edited_mapping_is_recorded_anew(tmp_path: Path, recorded: list[Path]) -> None:
    mapping, events = tmp_path / "m.toml", tmp_path / "events.csv"
    events.write_text("a,b\n1,2\n", "utf-8")
    mapping.write_text('[fields]\nid = "a"\n', "utf-8")
    for _ in range(2):
        command._record(None, [str(events)], str(mapping), tmp_path / "out")
    assert len(recorded) == 1
    mapping.write_text('[fields]\nid = "b"\n', "utf-8")
    command._record(None, [str(events)], str(mapping), tmp_path / "out")
    assert len(recorded) == 2


def test_another_version_of_the_package_records_anew(
    tmp_path: Path, recorded: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1", "1", "2"):
        monkeypatch.setattr(command, "__version__", version, raising=False)
        command._record(None, ["events.csv"], "shopify_orders", tmp_path / "out")
    assert len(recorded) == 2


def test_another_file_of_a_pattern_records_anew(tmp_path: Path, recorded: list[Path]) -> None:
    for name, times in (("a.jsonl", 1), ("a.jsonl", 1), ("b.jsonl", 2)):
        if not (tmp_path / name).exists():
            (tmp_path / name).write_text("{}", "utf-8")
        command._record(None, [str(tmp_path / "*.jsonl")], None, tmp_path / "out")
        assert len(recorded) == times


def test_labels_of_the_future_are_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    past, future = 1_760_000_000_000_000, time.time_ns() // 1000 + 10**13
    rows = [("event", f"e-{at}", "scraping", 1.0, at, 1.0) for at in (0, past, future, None)]
    labels = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    known = command._known_today(labels)
    assert known is not None
    assert known["observed_at"].to_list() == [0, past, None]
    assert "1 labels left out" in capsys.readouterr().err
    assert command._known_today(None) is None


def test_the_device_is_looked_at_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["floorwalker", "train", str(tmp_path), "--device", "tpu", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "unknown device 'tpu'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
