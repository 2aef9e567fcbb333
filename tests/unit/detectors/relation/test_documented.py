"""The page says what the code is, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from floorwalker.detectors.relation._live_layout import HUBS, KINDS, OUTPUTS, TOTALS, WHAT

PAGE = (Path(__file__).parents[4] / "docs" / "relations.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_columns_and_hubs_stand_on_the_page() -> None:
    for kind, limit in zip(KINDS, HUBS, strict=True):
        assert f"| `{kind}` | {limit} |" in PAGE
    for name in (*WHAT, *TOTALS):
        assert re.search(rf"^\| .*[.]{name}`", PAGE, re.MULTILINE)
    assert len(OUTPUTS) == len(KINDS) * len(WHAT) + len(TOTALS)


def test_the_examples_of_columns_and_rings_run() -> None:
    found: dict = {}
    exec(BLOCKS[0], found)
    assert found["table"].shape[0] == 1_000
    exec(BLOCKS[2], found)
    assert [ring.members for ring in found["rings"]] == [("ann", "bob", "cas")]


@pytest.mark.slow
def test_the_example_of_the_network_learns() -> None:
    found: dict = {}
    exec(BLOCKS[1], found)
    assert found["scores"][found["bad"]].mean() > found["scores"][~found["bad"]].mean() + 0.3
    assert found["few"].shape == (2,)
