"""The examples of docs/transactions.md run, and every classical detector stands in its table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from floorwalker.detectors.transaction.classical import list_classical

PAGE = (Path(__file__).parents[4] / "docs" / "transactions.md").read_text("utf-8")


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    found: dict[str, Any] = {}
    exec(first, found)
    assert found["why"][0].text in first
    exec(second.replace("list_classical()", "['decision_tree', 'velocity_rules']"), {})


def test_the_table_names_every_classical_detector():
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(list_classical())
