"""Settings are checked whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.errors import UsageError
from floorwalker.settings import ScanSettings, load_settings, read_settings


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        load_settings({"false_alarm_budget": 0, "min_vists": 3, "trim": "much"})
    text = str(caught.value)
    assert "3 faults" in text
    assert "did you mean 'min_visits'" in text
    assert "false_alarm_budget is 0" in text
    assert "trim is 'much'" in text


def test_a_file_with_a_scan_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "floorwalker.toml"
    path.write_text('[scan]\nmin_visits = 7\nfeature_groups = ["visits"]\n', "utf-8")
    assert read_settings(path) == ScanSettings(min_visits=7, feature_groups=("visits",))


@pytest.mark.parametrize("text", ["[scan\n", "scan = 3\n", "[scan]\nmin_visits = true\n", "min_visits = 3\n"])
def test_a_broken_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "floorwalker.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=r"floorwalker\.toml"):
        read_settings(path)
    with pytest.raises(UsageError, match=r"nowhere\.toml"):
        read_settings(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    "bad",
    [
        {"min_visits": 0},
        {"min_visits": 2.5},
        {"feature_groups": ()},
        {"feature_groups": "nine"},
        {"feature_groups": ("visits", 3)},
        {"detector": 7},
        {"detector": " ,"},
        {"trim": 0.5},
        {"min_swarm": 1},
        {"seed": -1},
        {"seed": "a"},
    ],
    ids=str,
)
def test_direct_settings_are_checked_too(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        ScanSettings(**bad)  # type: ignore[arg-type]
