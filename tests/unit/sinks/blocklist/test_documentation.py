"""Every format of blocklist stands in the documentation, and nothing else does."""

import re
from pathlib import Path

import pytest

from floorwalker.sinks.blocklist import list_formats

PAGE = Path(__file__).parents[4] / "docs" / "blocklists.md"


def test_every_format_is_documented() -> None:
    if not PAGE.exists():
        pytest.skip("the documentation is not beside the tests")
    section = PAGE.read_text("utf-8").partition("## Formats")[2]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)) == list_formats()
