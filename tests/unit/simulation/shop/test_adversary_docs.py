"""The documentation names every adversary, and none that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

from floorwalker.simulation.shop.adversaries import list_adversaries, load_adversary
from floorwalker.simulation.shop.adversaries._market import ACCOUNT_PRICES, CARD_PRICES, NETWORK_PRICES, PACE_PRICES
from floorwalker.simulation.shop.campaigns import EXPERTS_TEST_ONLY, TEST_ONLY

TEXT = (Path(__file__).parents[4] / "docs" / "adversaries.md").read_text(encoding="utf-8")


def test_every_adversary_has_its_line() -> None:
    lines = {found[1]: found[0] for found in re.finditer(r"^\| `([a-z_]+)` \|.*$", TEXT, re.MULTILINE)}
    families = {name: line for name, line in lines.items() if name not in ("naive", "skilled", "advanced", "expert")}
    assert sorted(families) == list(list_adversaries())
    for name, line in families.items():
        family = load_adversary(name)
        assert f"| {family.title} |" in line
        assert f"`{family.abuse_type}`" in line
        assert (family.owasp or "–") in line
        assert all(f"`{kind}`" in line for kind in family.harmful)
    assert f"{len(families)} families" in TEXT


def test_what_is_hidden_is_named() -> None:
    assert all(f"`{name}`" in TEXT for name in TEST_ONLY | EXPERTS_TEST_ONLY)


def test_prices_are_those_of_the_market() -> None:
    prices = (ACCOUNT_PRICES["hijacked"], ACCOUNT_PRICES["lived"], ACCOUNT_PRICES["aged"], CARD_PRICES["stolen"])
    market = TEXT.partition("## The market")[2].partition("##")[0]
    for price in (*prices, NETWORK_PRICES["carrier"], PACE_PRICES["human"]):
        assert re.search(rf"\b{price}\b", market), price
