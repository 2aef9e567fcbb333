"""Every feed, option of a mapping, ready mapping and need is documented, and the other way round."""

from __future__ import annotations

import re
from pathlib import Path

from floorwalker.sources.doctor._needs import ABUSE_NEEDS, DETECTOR_NEEDS
from floorwalker.sources.feeds import list_feeds
from floorwalker.sources.mapping import list_ready_mappings, parse_mapping
from floorwalker.sources.mapping._document import _CELL, _READ, _TOP

DOCS = Path(__file__).parents[4] / "docs"


def keys(page: str) -> set[str]:
    """What stands in code style in the first cells of a page's tables."""
    cells = re.findall(r"^\| (`[^|]+`) \|", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_sources() -> None:
    assert keys("sources.md") == {*list_feeds(), *list_ready_mappings(), *_TOP, *_READ, *_CELL}


def test_the_example_of_a_mapping_is_faultless() -> None:
    import tomllib

    (text,) = re.findall(r"```toml\n(.*?)```", (DOCS / "sources.md").read_text("utf-8"), re.DOTALL)
    assert parse_mapping(tomllib.loads(text), name="example").group == "Invoice"


def test_doctor_needs() -> None:
    text = (DOCS / "doctor.md").read_text("utf-8")
    assert {*ABUSE_NEEDS, *DETECTOR_NEEDS} <= keys("doctor.md")
    for need in [*ABUSE_NEEDS.values(), *DETECTOR_NEEDS.values()]:
        for requirement in (*need.must, *need.helps):
            types = " or ".join(f"`{name}`" for name in requirement.types) or "any event"
            assert f"{requirement.what}: {types}" in text
