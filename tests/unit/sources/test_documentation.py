"""What exists is documented, and the other way round."""

from __future__ import annotations

import re
from pathlib import Path

from floorwalker.sources.access_log import list_formats
from floorwalker.sources.access_log._program import FORWARDING_HEADERS
from floorwalker.sources.access_log._slots import REASONS

PAGE = (Path(__file__).parents[3] / "docs" / "log-formats.md").read_text()


def rows_under(heading: str) -> list[str]:
    """The first cells of the table under a heading."""
    section = PAGE.split(f"## {heading}")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_every_format_is_documented() -> None:
    assert sorted(rows_under("Recognised formats")) == list_formats()


def test_every_reason_is_documented() -> None:
    assert sorted(rows_under("What is set aside, and why")) == sorted(reason for reason in REASONS if reason)


def test_every_forwarding_header_is_documented() -> None:
    assert all(header in PAGE.lower() for header in FORWARDING_HEADERS)
