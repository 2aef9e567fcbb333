"""The starter rules on a simulated shop: clumsy campaigns are met by rules of their type, honest customers are not.

The seeds differ from those on which the rules were tried out.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec
import pytest

from floorwalker.cli._demo_shop import make_shop
from floorwalker.detectors.rules import STARTER, RuleTable, default_schema
from floorwalker.events.batch import make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.identity import Tokeniser, normalise
from floorwalker.features.live import LiveFeatures
from floorwalker.simulation.shop.scenario import Scenario

EXPECTED = {
    "credential_stuffing": "account_takeover",
    "fake_accounts": "fake_account",
    "coupon_farming": "promotion_abuse",
    "carding": "payment_fraud",
    "inventory_denial": "inventory_abuse",
    "scraping_fast": "scraping",
    "fake_reviews": "content_abuse",
}
"""Campaign -> the type of the rules that must meet it where it is clumsy."""


def meet(folder: Path, scenario: Scenario) -> tuple[set[str], dict[str, set[str]], dict[tuple[str, str], set[str]]]:
    """Honest customers; which of them each rule touched; for each campaign the abuse types that it was accused of."""
    traced = make_shop(folder, scenario, scenario.end_at, kinds=tuple(EXPECTED))
    live = LiveFeatures(seed=1)
    table = RuleTable.load(STARTER, schema=default_schema(live.names))
    keyer, tokeniser = EntityKeyer(bytes(16)), Tokeniser(bytes(32))
    honest: set[str] = set()
    touched: dict[str, set[str]] = defaultdict(set)
    accused: dict[tuple[str, str], set[str]] = defaultdict(set)
    for start in range(0, len(traced), 2_000):
        part = traced[start : start + 2_000]
        received = [msgspec.structs.replace(one.event, received_at=one.event.at) for one in part]
        batch = make_batch([normalise(event, tokeniser)[0] for event in received], keyer)
        hits = table.evaluate(batch, live.advance(batch))
        for row, one in enumerate(part):
            if one.campaign < 0:
                honest.add(one.who)
            for rule in hits.ids(row):
                if one.campaign >= 0:
                    accused[one.adversary, one.skill].add(rule.split(".")[0])
                else:
                    touched[rule].add(one.who)
    return honest, touched, accused


def test_clumsy_campaigns_are_met_and_honest_customers_are_not(tmp_path: Path) -> None:
    honest, touched, accused = meet(tmp_path, Scenario(events=12_000, days=6, seed=21, malicious_share=0.0))
    assert len(honest) > 500
    # One in a thousand at the most, for each rule.
    assert {rule: len(who) for rule, who in touched.items() if len(who) > max(1, 0.001 * len(honest))} == {}
    met = {campaign: kind in accused[campaign, "naive"] for campaign, kind in EXPECTED.items()}
    assert met == dict.fromkeys(EXPECTED, True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [31, 32])
def test_a_larger_shop_says_the_same(seed: int, tmp_path: Path) -> None:
    scenario = Scenario(events=60_000, days=20, seed=seed, malicious_share=0.0)
    honest, touched, accused = meet(tmp_path, scenario)
    assert len(honest) > 2_500
    assert {rule: len(who) for rule, who in touched.items() if len(who) > max(1, 0.001 * len(honest))} == {}
    assert {campaign for campaign, kind in EXPECTED.items() if kind not in accused[campaign, "naive"]} == set()
