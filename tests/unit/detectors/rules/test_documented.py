"""docs/rules.md says what is so: its example runs, its tables are complete."""

from __future__ import annotations

import doctest
import re
import shlex
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from floorwalker.cli import app
from floorwalker.detectors.rules import DEFAULT_LIMITS, STARTER, default_schema
from floorwalker.detectors.rules.parsing import FUNCTIONS
from floorwalker.detectors.rules.rule import OUTCOMES
from floorwalker.errors import FloorwalkerError
from floorwalker.events.batch import EventBatch
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live import FeatureBatch

PAGE = (Path(__file__).parents[4] / "docs" / "rules.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def first_cells(section: str) -> list[str]:
    part = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", part, re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    example = tmp_path / "myrules" / "promotion_abuse" / "third_account_today.yaml"
    example.parent.mkdir(parents=True)
    example.write_text(blocks("yaml")[0], "utf-8")
    broken = tmp_path / "broken" / "scraping" / "a.yaml"
    broken.parent.mkdir(parents=True)
    broken.write_text(
        "abuse_type: scraping\nseverity: 0.5\nevents: any\nreason: r\ncondition: |\n"
        "  device_promotion_account_1d >= 3\n  AND lenght(url) > 5\n",
        "utf-8",
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_commands_print_what_the_page_says() -> None:
    runs = 0
    for block in blocks("console"):
        for command, output in re.findall(r"^\$ floorwalker (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            result = CliRunner().invoke(app, shlex.split(command))
            printed = result.output
            if isinstance(result.exception, FloorwalkerError):
                printed += f"floorwalker: {result.exception}\n"
            assert printed == output
            runs += 1
    assert runs == 3


@pytest.mark.usefixtures("folder")
def test_the_python_of_the_page_runs() -> None:
    given = {"device_promotion_accounts_1d": 3, "promotion_delivery_redemptions_life": 4}
    names = tuple(name for name in default_schema() if name in given or name.startswith("account_"))
    values = np.array([[given.get(name, np.nan) for name in names]], np.float32)
    at = np.zeros(1, np.int64)
    texts = {"account": ["a-2"], "device_kind": ["phone"], "shop": ["shop"]}
    batch = EventBatch(["e-1"], np.array([TYPE_CODES["coupon_redeem"]], np.int16), at, at, {}, {}, texts)
    features = FeatureBatch(batch.id, at, values, names, np.isnan(values))
    for block in blocks("python"):
        test = doctest.DocTestParser().get_doctest(
            block, {"batch": batch, "features": features}, "docs/rules.md", None, 0
        )
        assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_every_function_limit_key_and_kind_of_case_is_documented() -> None:
    functions = [
        cell.split("(")[0] for cell in first_cells("The language") if "(" in cell and cell.split("(")[0].islower()
    ]
    assert tuple(sorted(functions)) == FUNCTIONS
    assert first_cells("Limits") == [field.name for field in fields(DEFAULT_LIMITS)]
    for field in fields(DEFAULT_LIMITS):
        assert f"| `{field.name}` | {getattr(DEFAULT_LIMITS, field.name)} |" in PAGE
    assert first_cells("Cases") == list(OUTCOMES)
    assert set(first_cells("The file")) == {"abuse_type", "severity", "events", "reason", "condition", "mode", "cases"}


def test_the_number_of_starter_rules_is_right() -> None:
    assert len(list(STARTER.rglob("*.yaml"))) == 41
    assert "Forty-one rules" in PAGE
