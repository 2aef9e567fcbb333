"""The demonstration on a real server: campaigns are met, customers are left alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_live_demonstration_meets_campaigns_and_leaves_customers_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "floorwalker.cli", "demo", "--live", "--json", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["events"] > 20_000
    assert summary["campaigns"]["card testing"] == {"accounts": 4, "met": 4}
    for campaign in ("coupon ring", "refund abuse", "scalping", "bought reviews"):
        counts = summary["campaigns"][campaign]
        assert counts["met"] >= counts["accounts"] / 2, campaign
    assert summary["honest_customers"] > 100
    assert summary["honest_touched"] <= 1
