"""The starter rules on generated traffic: campaigns are met, honest customers are not.

The seeds differ from those on which the rules were tried out.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec
import pytest

from floorwalker.detectors.rules import STARTER, RuleTable, default_schema
from floorwalker.events.batch import make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.identity import Tokeniser, normalise
from floorwalker.features.live import LiveFeatures
from floorwalker.simulation.small_shop import SmallShop, generate_events

FIRST = 1_700_000_000_000_000


def meet(shop: SmallShop) -> tuple[set[str], dict[str, set[str]], dict[str, set[str]]]:
    """Honest customers; which of them each rule touched; for each campaign the abuse types that it was accused of."""
    live = LiveFeatures(seed=1)
    table = RuleTable.load(STARTER, schema=default_schema(live.names))
    keyer, tokeniser = EntityKeyer(bytes(16)), Tokeniser(bytes(32))
    honest: set[str] = set()
    touched: dict[str, set[str]] = defaultdict(set)
    accused: dict[str, set[str]] = defaultdict(set)
    traced = generate_events(shop)
    for start in range(0, len(traced), 500):
        part = traced[start : start + 500]
        received = [msgspec.structs.replace(one.event, received_at=one.event.at) for one in part]
        batch = make_batch([normalise(event, tokeniser)[0] for event in received], keyer)
        hits = table.evaluate(batch, live.advance(batch))
        for row, one in enumerate(part):
            who = str(one.event.account or one.event.session)
            if not one.abuse_type:
                honest.add(who)
            for rule in hits.ids(row):
                if one.abuse_type:
                    accused[one.actor].add(rule.split(".")[0])
                else:
                    touched[rule].add(who)
    return honest, touched, accused


@pytest.mark.parametrize("seed", [21, 22])
def test_campaigns_are_met_and_honest_customers_are_not(seed: int) -> None:
    honest, touched, accused = meet(SmallShop(first_at=FIRST, days=10, customers=1_000, visits=5_000, seed=seed))
    assert len(honest) > 900
    # One in a thousand at the most, for each rule.
    assert {rule: len(who) for rule, who in touched.items() if len(who) > 0.001 * len(honest)} == {}
    expected = {
        "credential stuffing": "account_takeover", "card testing": "payment_fraud", "coupon ring": "promotion_abuse",
        "scalping": "inventory_abuse", "bought reviews": "ranking_manipulation", "refund abuse": "return_abuse",
    }  # fmt: skip
    assert {campaign: expected[campaign] in accused[campaign] for campaign in expected} == dict.fromkeys(expected, True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(31, 36))
def test_a_larger_shop_says_the_same(seed: int) -> None:
    honest, touched, _ = meet(SmallShop(first_at=FIRST, days=30, customers=4_000, visits=24_000, seed=seed))
    assert {rule: len(who) for rule, who in touched.items() if len(who) > 0.001 * len(honest)} == {}
