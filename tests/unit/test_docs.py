"""What exists is documented, and what is documented exists."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from floorwalker.features.visitors import FEATURES, GROUPS
from floorwalker.scan.judging import IMPOSTOR, SWARM, UNUSUAL
from floorwalker.scan.patterns import load_patterns
from floorwalker.settings import ScanSettings

ROOT = Path(__file__).parents[2]


def table_keys(page: str) -> set[str]:
    """First cells, in code style, of a page's tables."""
    return set(re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE))


def test_every_reason_code_is_documented_with_its_tier() -> None:
    codes = {pattern.code for pattern in load_patterns()} | {IMPOSTOR, SWARM, UNUSUAL}
    assert table_keys("flagging.md") == codes
    text = (ROOT / "docs" / "flagging.md").read_text("utf-8")
    for pattern in load_patterns():
        assert f"| `{pattern.code}` | {pattern.tier} |" in text


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "scan.md").read_text("utf-8")
    assert table_keys("scan.md") == {field.name for field in fields(ScanSettings)}
    for field in fields(ScanSettings):
        default = ", ".join(field.default) if isinstance(field.default, tuple) else str(field.default)
        assert f"| `{field.name}` | {default} |" in text


def test_every_feature_is_documented_in_its_group() -> None:
    text = (ROOT / "docs" / "features.md").read_text("utf-8")
    assert table_keys("features.md") == {feature.name for feature in FEATURES}
    for group in GROUPS:
        assert f"\n## `{group}`" in text
    for feature in FEATURES:
        assert f"| `{feature.name}` | {feature.unit} |" in text


@pytest.mark.parametrize(
    "page", [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"], ids=lambda page: page.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_command_is_in_the_readme() -> None:
    from floorwalker.cli import app

    text = (ROOT / "README.md").read_text("utf-8")
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"floorwalker {command.callback.__name__}" in text
