"""Several coupons, items and sellers in one event."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.events.batch import EventBatch, make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event, OrderLine
from floorwalker.features.live import DEFAULT, Limits, LiveFeatures
from floorwalker.features.live import declarations as say

START = 1_760_000_000_000_000
SECOND = 1_000_000
KEYER = EntityKeyer(bytes(range(16)))
SMALL = Limits(rows={}, other_rows=2_000, sketches=64)
EVENTS = say.What("events")
ORDERS = say.What("orders", ("order",))


def make(*events: Event) -> EventBatch:
    return make_batch(events, KEYER)


def happen(number: int, kind: str, seconds: float = 0.0, **fields: object) -> Event:
    at = START + int(seconds * SECOND)
    return Event(id=f"e-{number}", type=kind, at=at, received_at=at, **fields)


def line(item: str | None = None, seller: str | None = None, quantity: int | None = None, price: int | None = None):
    return OrderLine(item=item, seller=seller, quantity=quantity, price_minor=price)


def test_of_fifty_redemptions_the_second_is_seen_wherever_the_coupon_stands_in_the_stack() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    stacks = (("ONE-PER-DEVICE",), ("SHIPPING-{n}", "ONE-PER-DEVICE"), ("A-{n}", "B-{n}", "ONE-PER-DEVICE"))
    for number, stack in enumerate(stacks):
        batch = make(
            *(
                happen(
                    n, "coupon_redeem", n, account=f"a-{n}", device=f"d-{number}",
                    coupons=tuple(code.format(n=n) for code in stack),
                )
                for n in range(50)
            )
        )  # fmt: skip
        found = live.advance(batch)
        assert found.column("coupon_device_redemptions_life").tolist() == list(range(50))


def test_every_coupon_of_a_stack_counts_and_the_event_has_the_largest_number() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    live.advance(make(*(happen(n, "coupon_redeem", n, account=f"a-{n}", coupons=("OLD",)) for n in range(7))))
    live.advance(make(happen(8, "coupon_redeem", 8, account="a-8", coupons=("NEW", "OLD", "NEW"))))
    asked = live.score(
        make(
            *(
                happen(20, "coupon_redeem", 20, account="a-20", coupons=coupons)
                for coupons in (("OLD",), ("NEW",), ("NEW", "OLD"), ("OLD", "NEW"), ("NEVER", "NEW"), ("NEVER", "EVER"))
            )
        )
    )
    assert asked.column("coupon_redemptions_life").tolist() == [8, 1, 8, 8, 1, 0]
    assert asked.column("coupon_accounts_1d").tolist() == [8, 1, 8, 8, 1, 0]
    assert live.figures()["rows.coupon"] == 2


def test_each_line_counts_for_its_own_item_and_seller_with_its_own_pieces_and_price() -> None:
    table = (
        *say.over("1d", "item_pieces", "item", say.Sum(ORDERS, "quantity")),
        *say.over("1d", "item_orders", "item", say.Count(ORDERS)),
        *say.over("1d", "item_money", "item", say.Sum(ORDERS, "amount_minor")),
        *say.over("1d", "seller_money", "seller", say.Sum(ORDERS, "amount_minor")),
        *say.over("1d", "seller_discount", "seller", say.Sum(ORDERS, "discount_minor")),
        *say.over("1d", "pair_orders", "account*item", say.Count(ORDERS)),
        *say.over("1d", "account_items", "account", say.Distinct(ORDERS, "item")),
        *say.over("1d", "account_money", "account", say.Sum(ORDERS, "amount_minor")),
    )
    live = LiveFeatures(table, seed=1, limits=SMALL)
    lines = (
        line("shirt", "s-1", 2, 1_000),
        OrderLine(item="sock", seller="s-2", price_minor=300, discount_minor=20),
        OrderLine(item="shirt", seller="s-2", quantity=1, price_minor=900, discount_minor=5),
        line("unknown", "s-2", 9, 1),
    )
    live.advance(make(happen(0, "order", account="a-1", order="o", amount_minor=9_999, currency="EUR", lines=lines)))
    asked = live.score(
        make(
            *(
                happen(1, "page_view", 1, account="a-1", item=item, seller=seller)
                for item, seller in (("shirt", "s-1"), ("sock", "s-2"), ("hat", "s-3"))
            )
        )
    )
    assert asked.column("item_pieces_1d").tolist() == [3, 1, 0]
    assert asked.column("item_orders_1d").tolist() == [1, 1, 0]
    assert asked.column("item_money_1d").tolist() == [2_900, 300, 0]
    assert asked.column("seller_money_1d").tolist() == [2_000, 1_209, 0]
    assert asked.column("seller_discount_1d").tolist() == [0, 25, 0]
    assert asked.column("pair_orders_1d").tolist() == [1, 1, 0]
    assert asked.column("account_items_1d").tolist() == [2, 2, 2]
    assert asked.column("account_money_1d").tolist() == [9_999] * 3


def test_pieces_of_a_line_are_held_though_the_event_names_none() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    live.advance(make(happen(0, "add_to_cart", session="s", lines=(line("shoe", None, 40), line("lace", None, 2)))))
    asked = live.score(make(*(happen(1, "page_view", 1, session="s", item=item) for item in ("shoe", "lace"))))
    assert asked.column("item_held_pieces_1h").tolist() == [40, 2]


def test_times_of_several_values_are_the_smallest_and_new_is_new_where_one_is() -> None:
    table = (
        say.one("item_since", "item", say.SinceLast(ORDERS)),
        say.one("new_item", "account", say.New(ORDERS, "item")),
        say.one("items", "account", say.Entropy(ORDERS, "item")),
    )
    live = LiveFeatures(table, seed=1, limits=SMALL)
    live.advance(make(happen(0, "order", 0, account="a", lines=(line("x"),))))
    live.advance(make(happen(1, "order", 100, account="a", lines=(line("y"),))))
    asked = live.score(
        make(*(happen(2, "order", 160, account="a", lines=lines) for lines in (
            (line("x"), line("y")), (line("y"), line("x")), (line("x"), line("z")), (line("z"),),
        )))
    )  # fmt: skip
    assert asked.column("item_since").tolist()[:3] == [60, 60, 160]
    assert asked.missing[3, asked.names.index("item_since")]
    assert asked.column("new_item").tolist() == [0, 0, 1, 1]
    assert asked.column("items").tolist() == [1.0] * 4


def test_rows_that_one_event_needs_push_one_another_out_of_a_full_table() -> None:
    table = (*say.over("life", "item_orders", "item", say.Count(ORDERS)),)
    live = LiveFeatures(table, seed=1, limits=Limits(rows={"item": 3}, sketches=0))
    for number in range(4):
        lines = tuple(line(f"i-{(number + each) % 9}") for each in range(8))
        live.advance(make(happen(number, "order", number, lines=lines)))
        figures = live.figures()
        assert figures["rows.item"] == 3
        assert figures["evicted.item"] >= 5 * (number + 1)
    asked = live.score(make(*(happen(9, "page_view", 9, item=f"i-{n}") for n in range(9))))
    # Whoever is still there is there once, with what it really has.
    counts = asked.column("item_orders_life")
    assert (counts > 0).sum() == 3
    assert counts.max() <= 4


def test_an_inviter_is_known_to_pairs_with_each_coupon() -> None:
    table = (
        *say.over("life", "pair", "coupon*inviter", say.Count(EVENTS)),
        *say.over("life", "invitees", "inviter", say.Count(say.What("invited", ("sign_up",)))),
        say.one("depth", "account", say.TreeDepth(EVENTS)),
    )
    live = LiveFeatures(table, seed=1, limits=SMALL)
    live.advance(make(happen(0, "sign_up", 0, account="a", inviter="root")))
    found = live.advance(make(*(happen(n, "coupon_redeem", n, account="a", coupons=("X", "Y")) for n in range(1, 4))))
    assert found.column("pair_life").tolist() == [0, 1, 2]
    assert live.figures()["rows.coupon*inviter"] == 2


def test_two_entities_that_both_may_be_several_are_no_pair() -> None:
    for feature in (
        say.over("1d", "n", "coupon*item", say.Count(EVENTS)),
        say.over("1d", "n", "item", say.Distinct(EVENTS, "seller")),
    ):
        with pytest.raises(UsageError, match="an event has many"):
            LiveFeatures(tuple(feature), seed=1, limits=SMALL)


def test_features_of_events_without_several_are_untouched_by_those_beside_them() -> None:
    plain = [happen(n, "order", n, account="a", device="d", item="i", order=f"o-{n}", amount_minor=5) for n in range(9)]
    other = [happen(n, "order", n, account="b", device="e", coupons=("X", "Y"), order=f"p-{n}") for n in range(9)]
    alone = LiveFeatures(DEFAULT, seed=1, limits=SMALL).advance(make(*plain))
    mixed = LiveFeatures(DEFAULT, seed=1, limits=SMALL).advance(
        make(*(event for pair in zip(plain, other, strict=True) for event in pair))
    )
    assert mixed.values[::2].tobytes() == alone.values.tobytes()
    assert (mixed.missing[::2] == alone.missing).all()


def test_parts_follow_their_events_into_a_selection() -> None:
    batch = make(
        happen(0, "order", lines=(line("a"), line("b"))),
        happen(1, "login_failed", account="x"),
        happen(2, "coupon_redeem", coupons=("P", "Q", "R")),
        happen(3, "order", lines=(line("c", "s"),)),
    )
    assert batch.parts.row.tolist() == [0, 0, 2, 2, 2, 3, 3]
    picked = batch.take([3, 1, 0, 3])
    assert picked.parts.row.tolist() == [0, 0, 2, 2, 3, 3]
    assert picked.parts.key.tolist() == batch.parts.key[[5, 6, 0, 1, 5, 6]].tolist()
    assert len(batch.take([1]).parts) == 0
    assert np.isnan(batch.parts.numbers[1]).all()
    # The batch's own keys have the first of each.
    assert batch.parts.further(batch.keys).tolist() == [False, True, False, True, True, False, False]
