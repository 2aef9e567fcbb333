"""The page says what the code is, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from floorwalker.detectors.anomaly_series.watched import WATCHED
from floorwalker.detectors.behaviour.sizes import SIZES
from floorwalker.detectors.behaviour.tokens import FEATURES, SHOP_FIELDS

PAGE = (Path(__file__).parents[4] / "docs" / "behaviour.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_fields_sizes_and_series_stand_on_the_page() -> None:
    for field in SHOP_FIELDS:
        assert re.search(
            rf"^\| `{field.name}` \| {field.size} \| .* \| {'yes' * field.predicted} ?\|$", PAGE, re.MULTILINE
        )
    for name, feature, _ in FEATURES:
        assert re.search(rf"^\| `{name}` .*`{feature}`", PAGE, re.MULTILINE)
    for name, size in SIZES.items():
        shape = rf"{size.layers} \| {size.width} \| {size.heads} \| {size.parameters / 1e6:.1f}"
        assert re.search(rf"^\| `{name}` \| {shape} \|$", PAGE, re.MULTILINE)
    for each in WATCHED:
        assert f"| {each.name} | {', '.join(each.types)} |" in PAGE
    assert len(re.findall(r"^\| `", PAGE, re.MULTILINE)) == len(SHOP_FIELDS) + len(SIZES)


def test_the_example_of_series_finds_the_rise() -> None:
    found: dict = {}
    exec(BLOCKS[2], found)
    assert found["scores"].shape == (24,)
    assert found["found"].score[-1] > 0.999
    assert 3 <= found["found"].began[-1] <= 8


@pytest.mark.slow
def test_the_examples_of_sequences_run_and_recognise() -> None:
    found: dict = {}
    exec(BLOCKS[0], found)
    assert found["scores"][0] > 0.8 > 0.2 > found["scores"][1]
    assert found["each"].shape == (8,)
    assert found["nats"].shape == (3,)
    found = {}
    exec(BLOCKS[1], found)
    assert found["vectors"].shape == (80, 64)
    assert found["codes"].shape == found["chances"].shape == (1, 2)
    assert found["pupil"].score(found["sequences"]).shape == (80,)
