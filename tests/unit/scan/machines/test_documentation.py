"""Every kind of machine, verdict and kind of network stands in the documentation, and nothing else does."""

import re
from pathlib import Path

import pytest

from floorwalker.features.network import KINDS
from floorwalker.scan.machines import VERDICTS, list_kinds, load_kind

PAGE = Path(__file__).parents[4] / "docs" / "machines.md"


@pytest.fixture(scope="module")
def page() -> str:
    if not PAGE.exists():
        pytest.skip("the documentation is not beside the tests")
    return PAGE.read_text("utf-8")


def test_every_kind_is_documented_in_its_order(page: str) -> None:
    documented = re.findall(r"^\| \*\*([a-z ]+)\*\* \(`(\w+)`\)", page, flags=re.MULTILINE)
    kinds = sorted(list_kinds(), key=lambda kind: int(load_kind(kind).ORDER))
    assert documented == [(load_kind(kind).TITLE, kind) for kind in kinds]


def test_every_verdict_is_documented(page: str) -> None:
    assert re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE) == list(VERDICTS)


def test_every_kind_of_network_is_documented(page: str) -> None:
    section = page[page.index("## Known networks") :].partition("narrowest range decides")[0]
    assert set(re.findall(r"`([a-z_]+)`", section)) == set(KINDS)
