"""What a table of rules says of events: missing values, numbers, texts, lists, modes, reasons."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from floorwalker.detectors.rules import ListEntry, Lists, RuleTable, default_schema, make_schema, signals
from floorwalker.detectors.rules.hits import spoken
from floorwalker.detectors.rules.kernel import evaluate_rules
from floorwalker.detectors.rules.table import CHUNK
from floorwalker.errors import InputError, UsageError
from floorwalker.events.batch import EventBatch, make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import DeviceFacts, Event, OrderLine
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live import FeatureBatch, LiveFeatures

FEATURES = ("share", "count_1h")
SCHEMA = make_schema(features=FEATURES, numbers=["amount_minor"], texts=["country", "url", "device", "written", "shop"])


def rule(condition: str, **changes: str) -> str:
    head = {"abuse_type": "scraping", "severity": "0.5", "events": "any", "reason": "r", **changes}
    return "".join(f"{key}: {value}\n" for key, value in head.items()) + f"condition: |\n  {condition}\n"


def table_of(*conditions: str, lists: Lists | None = None) -> RuleTable:
    return RuleTable.load(
        {f"rule_{number}.yaml": rule(condition) for number, condition in enumerate(conditions)},
        schema=SCHEMA,
        lists=lists,
    )


def events(n: int = 1, kind: str = "order", **given: object) -> tuple[EventBatch, FeatureBatch]:
    """`n` events; a list gives a value for each of them, anything else is the value of all."""

    def column(name: str) -> list:
        value = given.get(name)
        return value if isinstance(value, list) else [value] * n

    at = np.array([0 if value is None else value for value in column("at")], np.int64)
    as_numbers = {
        name: np.array([np.nan if v is None else v for v in column(name)], float) for name in ("amount_minor",)
    }
    texts = {name: column(name) for name in ("country", "url", "device", "written", "shop")}
    values = np.array([[np.nan if v is None else v for v in column(name)] for name in FEATURES], np.float32).T
    types = np.full(n, TYPE_CODES[kind], np.int16)
    batch = EventBatch([str(row) for row in range(n)], types, at, at, {}, as_numbers, texts)
    return batch, FeatureBatch(batch.id, at, np.ascontiguousarray(values), FEATURES, np.isnan(values))


def fires(condition: str, lists: Lists | None = None, **given: object) -> bool:
    return bool(table_of(condition, lists=lists).evaluate(*events(**given)).fired[0, 0])


def test_a_missing_value_is_unknown_and_unknown_does_not_fire() -> None:
    assert not fires("amount_minor > 1")
    assert not fires("NOT amount_minor > 1")
    assert not fires("amount_minor = amount_minor")
    assert not fires("amount_minor <> 1")
    assert not fires("country NOT IN ('DE')")
    assert not fires("country NOT LIKE 'D%'")
    assert not fires("share")
    assert not fires("NOT share")
    assert not fires("country = url")
    assert not fires("in_list('deny', device)")
    assert not fires("NOT in_list('deny', device)")
    assert fires("amount_minor IS NULL AND country IS NULL AND share IS NULL AND length(url) IS NULL")
    assert fires("amount_minor > 1 OR country IS NULL")
    assert not fires("amount_minor > 1 AND country IS NULL")
    assert fires("NOT (amount_minor > 1 AND share > 1)", share=0)
    assert not fires("NOT (amount_minor > 1 AND share > 1)", share=2)


def test_functions_pass_over_what_is_missing() -> None:
    assert fires("least(amount_minor, count_1h) = 3", count_1h=3)
    assert fires("greatest(amount_minor, count_1h, 1) = 3", count_1h=3)
    assert fires("coalesce(amount_minor, count_1h, 7) = 7")
    assert fires("coalesce(country, 'none') = 'none'")
    assert not fires("abs(amount_minor) >= 0 OR -amount_minor < 1 OR amount_minor + 1 > 0")


def test_division_by_zero_and_infinity_are_unknown() -> None:
    assert fires("(amount_minor / count_1h) IS NULL", amount_minor=5, count_1h=0)
    assert not fires("amount_minor / count_1h > 0", amount_minor=5, count_1h=0)
    assert fires("(amount_minor * amount_minor) IS NULL", amount_minor=1e300)
    assert fires("amount_minor / 2 = 2.5", amount_minor=5)


def test_a_written_share_means_the_same_as_the_features() -> None:
    for share in (0.1, 0.3, 0.7, 0.9):
        assert fires(f"share >= {share} AND share <= {share} AND share = {share}", share=np.float32(share))
        assert fires(f"coalesce(share, 0) = {share} AND share IN ({share}, 5)", share=np.float32(share))
        assert fires(f"share BETWEEN {share} AND {share} AND -share = -{share}", share=np.float32(share))
    assert fires("amount_minor = 0.7", amount_minor=0.7)


def test_patterns_are_sqls() -> None:
    assert fires("url LIKE '/a%' AND url LIKE '%/c' AND url LIKE '%b%' AND url LIKE '/_/b%c'", url="/a/b/c")
    assert not fires("url LIKE '/A%'", url="/a/b/c")
    assert fires("lower(url) LIKE '/a%'", url="/A/B")
    assert fires("url NOT LIKE '/b%'", url="/a")
    assert fires("url LIKE ''", url="")
    assert fires("url LIKE '%'", url="")
    assert not fires("url LIKE '_'", url="")
    assert fires("starts_with(url, '100%_')", url="100%_off")
    assert not fires("starts_with(url, '100%_')", url="100x_off")
    assert fires("url = 'it''s'", url="it's")
    assert fires("written LIKE '%微信%' AND length(written) = 3", written="加微信")
    assert fires("written LIKE '%\U0001f4b0%' AND length(written) = 1", written="\U0001f4b0")
    assert fires("url LIKE '%a%b%c%'", url="xxaxxbxxcxx")
    assert not fires("url LIKE '%a%b%c%'", url="xxcxxbxxaxx")


def test_a_lone_surrogate_and_a_very_long_text_do_no_harm() -> None:
    assert fires("written LIKE '%\ufffd%' OR length(written) = 1", written="\ud800")
    long = "a" * 300_000
    condition = "written LIKE 'a%' AND written LIKE '%z' AND written LIKE '%zyx%' AND length(written) = 300004"
    assert fires(condition, written=f"azyx{long[:-1]}z")
    assert not fires("written LIKE '%zyx%'", written=f"{long}zyx{long}")
    assert not fires("written LIKE '%a_a_b%' OR written LIKE '%a%a%a%a%a%a%a%b'", written=long)


def test_rules_look_at_their_own_types_only() -> None:
    table = RuleTable.load(
        {"all.yaml": rule("share > 0"), "some.yaml": rule("share > 0", events="[order, review]")}, schema=SCHEMA
    )
    assert table.evaluate(*events(kind="order", share=1)).ids(0) == ["all", "some"]
    assert table.evaluate(*events(kind="listing", share=1)).ids(0) == ["all"]
    batch, features = events(share=1)
    unknown = EventBatch(batch.id, np.array([-1], np.int16), batch.at, batch.at, {}, batch.numbers, batch.texts)
    assert table.evaluate(unknown, features).ids(0) == []


def test_batches_of_any_size_say_the_same() -> None:
    table = table_of("amount_minor > 500 AND url LIKE '%7%'", "country = 'DE' OR share IS NULL", "device = url")
    n = 2 * CHUNK + 17
    given = {
        "amount_minor": [row % 1_000 for row in range(n)],
        "url": [None if row % 5 == 0 else f"/{row}" for row in range(n)],
        "country": ["DE" if row % 3 == 0 else "FR" for row in range(n)],
        "share": [None if row % 7 == 0 else 0.5 for row in range(n)],
        "device": [f"/{row - row % 2}" for row in range(n)],
    }
    fired = table.evaluate(*events(n, **given)).fired
    row = np.arange(n)
    has_seven = np.array(["7" in str(one) for one in row])
    assert (fired[:, 0] == ((row % 1_000 > 500) & has_seven & (row % 5 != 0))).all()
    assert (fired[:, 1] == ((row % 3 == 0) | (row % 7 == 0))).all()
    assert (fired[:, 2] == ((row % 2 == 0) & (row % 5 != 0))).all()
    assert table.evaluate(*events(0)).fired.shape == (0, 3)
    assert RuleTable.load({}, schema=SCHEMA).evaluate(*events(3)).fired.shape == (3, 0)


def test_equal_comparisons_are_made_once() -> None:
    table = table_of("share > 0.5 AND country = 'DE'", "0.5 < share OR 'DE' = country", "NOT share <= 0.5")
    assert table.comparisons == 3


def test_features_are_found_by_name_and_a_lacking_one_is_named() -> None:
    table = table_of("count_1h > 5")
    batch, features = events(count_1h=9, share=0)
    turned = FeatureBatch(batch.id, batch.at, features.values[:, ::-1], FEATURES[::-1], features.missing[:, ::-1])
    assert table.evaluate(batch, features).fired[0, 0]
    assert table.evaluate(batch, turned).fired[0, 0]
    masked = FeatureBatch(batch.id, batch.at, features.values, FEATURES, np.ones((1, 2), bool))
    assert not table.evaluate(batch, masked).fired[0, 0]
    with pytest.raises(UsageError, match="the features lack count_1h"):
        table.evaluate(
            batch, FeatureBatch(batch.id, batch.at, features.values[:, :1], ("share",), masked.missing[:, :1])
        )


def test_lists_end_at_the_events_own_time_and_hold_for_their_shop() -> None:
    lists = Lists(
        [
            ListEntry("deny", "device", "d-1", ends_at=100, author="ann", reason="chargeback"),
            ListEntry("deny", "device", "d-2", shop="one"),
            ListEntry("deny", "device", "d-3", ends_at=50),
            ListEntry("deny", "device", "d-3"),
            ListEntry("watch", "device", "d-4", ends_at=10),
        ]
    )
    given = {
        "device": ["d-1", "d-1", "d-2", "d-2", "d-3", "d-4", None],
        "at": [99, 100, 0, 0, 10**15, 0, 0],
        "shop": ["one", "one", "one", "two", None, "one", "one"],
    }
    table = table_of("in_list('deny', device)", "in_list('watch', device)", "NOT in_list('deny', device)", lists=lists)
    fired = table.evaluate(*events(7, **given)).fired
    assert fired[:, 0].tolist() == [True, False, True, False, True, False, False]
    assert fired[:, 1].tolist() == [False] * 5 + [True, False]
    assert fired[:, 2].tolist() == [False, True, False, True, False, True, False]
    other = table.with_lists(Lists())
    assert not other.evaluate(*events(7, **given)).fired[:, 0].any()
    assert table.evaluate(*events(7, **given)).fired[:, 0].any(), "the first table keeps its lists"
    assert other.version == table.version


def test_an_entry_without_its_value_and_a_list_that_is_gone_are_refused() -> None:
    with pytest.raises(InputError, match="lacks its list, field or value"):
        Lists([ListEntry("deny", "device", "")])
    table = table_of("in_list('resellers', device)", lists=Lists(names=["resellers"]))
    with pytest.raises(UsageError, match="rules ask for the lists resellers"):
        table.with_lists(Lists())


def test_signals_hold_the_gravest_score_and_every_reason() -> None:
    files: Mapping[str, str] = {
        "scraping/light.yaml": rule("share > 0", severity="0.3", reason="'{share:.0%} of {country}'"),
        "scraping/grave.yaml": rule(
            "share > 0.5", severity="0.9", reason="'{count_1h} by {device}, {amount_minor:,.0f}'"
        ),
        "fraud/other.yaml": rule("share > 9", abuse_type="payment_fraud"),
        "fraud/watched.yaml": rule("share > 0", abuse_type="payment_fraud", mode="shadow", severity="0.8"),
    }
    table = RuleTable.load(files, schema=SCHEMA)
    hits = table.evaluate(
        *events(
            3, share=[0.0, 0.25, 0.75], count_1h=[None, 1, 12], device="d\n\x1b[31m1", amount_minor=123456, country="DE"
        )
    )
    active = signals(hits)
    assert [(signal.detector, signal.abuse_type, signal.ready) for signal in active] == [
        ("rules", "payment_fraud", True), ("rules", "scraping", True),
    ]  # fmt: skip
    assert active[0].score.tolist() == [0, 0, 0]
    assert active[0].reasons == [[], [], []]
    assert active[1].score.dtype == np.float32
    assert active[1].score.tolist() == pytest.approx([0, 0.3, 0.9])
    assert [[reason.code for reason in reasons] for reasons in active[1].reasons] == [
        [], ["rules.scraping.light"], ["rules.scraping.grave", "rules.scraping.light"],
    ]  # fmt: skip
    assert [reason.text for reason in active[1].reasons[2]] == ["12 by d��[31m1, 123,456", "75% of DE"]
    shadow = signals(hits, shadow=True)
    assert [(signal.detector, signal.abuse_type, signal.score.tolist()) for signal in shadow] == [
        ("rules.shadow", "payment_fraud", pytest.approx([0, 0.8, 0.8]))
    ]
    assert hits.ids(1) == ["fraud.watched", "scraping.light"]


def test_a_missing_value_in_a_reason_says_so() -> None:
    table = RuleTable.load(
        {"r.yaml": rule("share > 0", reason="'{count_1h} {amount_minor:.2f} {country} {{{share}}}'")}, schema=SCHEMA
    )
    found = signals(table.evaluate(*events(share=0.125)))[0].reasons[0][0]
    assert found.text == "(missing) (missing) (missing) {0.125}"


def test_versions_follow_the_rules_and_not_the_order() -> None:
    one, two = rule("share > 0"), rule("share > 1")
    version = RuleTable.load({"a.yaml": one, "b.yaml": two}, schema=SCHEMA).version
    assert RuleTable.load({"b.yaml": two, "a.yaml": one}, schema=SCHEMA).version == version
    assert RuleTable.load({"a.yaml": two, "b.yaml": one}, schema=SCHEMA).version != version


def test_real_events_reach_rules() -> None:
    live = LiveFeatures(seed=1)
    texts = {
        "order.yaml": rule(
            "amount_minor > 100 AND country = 'DE' AND account = inviter AND device_kind = 'phone' AND coupons >= 2"
            " AND email_domain LIKE '%.org' AND account_orders_1d IS NOT NULL",
            events="[order]",
        )
    }
    table = RuleTable.load(texts, schema=default_schema(live.names))
    event = Event(
        id="e-1", type="order", at=1_700_000_000_000_000, received_at=1_700_000_000_000_000, account="a-1",
        inviter="a-1", order="o-1", amount_minor=500, currency="EUR", country="DE", email="x@example.org",
        coupons=("c-1", "c-2"), device_facts=DeviceFacts(kind="phone"),
    )  # fmt: skip
    batch = make_batch([event], EntityKeyer(bytes(16)))
    hits = table.evaluate(batch, live.advance(batch))
    assert hits.ids(0) == ["order"]


def several(number: int, **given: object) -> Event:
    return Event(
        id=f"e-{number}", type="order", at=1_700_000_000_000_000 + number, received_at=1_700_000_000_000_000 + number,
        order=f"o-{number}", account=f"a-{number}", amount_minor=500, currency="EUR", **given,
    )  # fmt: skip


@pytest.mark.parametrize("others", [0, 40])
def test_a_rule_is_asked_for_each_coupon_item_and_seller_whichever_stands_first(others: int) -> None:
    live = LiveFeatures(seed=1)
    conditions = {
        "coupon": "coupon = 'TEN'", "other": "coupon <> 'TEN'", "item": "item LIKE 'gift%' AND seller = 's-2'",
        "listed": "in_list('deny', coupon)", "amount": "amount_minor > 1000", "none": "seller IS NULL",
    }  # fmt: skip
    table = RuleTable.load(
        {f"{name}.yaml": rule(condition) for name, condition in conditions.items()},
        schema=default_schema(live.names),
        lists=Lists([ListEntry("deny", "coupon", "STOLEN")]),
    )
    gifts = (OrderLine(item="socks", seller="s-1"), OrderLine(item="gift-card", seller="s-2"))
    given = [
        several(0, coupons=("TEN",)),
        several(1, coupons=("SHIPPING", "TEN")),
        several(2, coupons=("SHIPPING", "NEW", "STOLEN")),
        several(3, lines=gifts),
        # A gift card of another seller than s-2.
        several(4, item="gift-card", seller="s-3", lines=gifts[:1]),
        several(5, coupons=("TEN", "TEN"), lines=gifts[:1]),
    ]
    batch = make_batch(given + [several(10 + number) for number in range(others)], EntityKeyer(bytes(16)))
    hits = table.evaluate(batch, live.advance(batch))
    assert [hits.ids(row) for row in range(6)] == [
        ["coupon", "none"], ["coupon", "none", "other"], ["listed", "none", "other"], ["item"], [], ["coupon"],
    ]  # fmt: skip
    assert not hits.fired[6:, :4].any()
    assert hits.total == hits.fired.sum()
    # The same whichever events stand beside them.
    part = batch.take([3, 1])
    assert [table.evaluate(part, live.advance(part)).ids(row) for row in (0, 1)] == [
        ["item"],
        ["coupon", "none", "other"],
    ]


def test_a_reason_shows_the_coupon_and_item_for_which_its_rule_fired() -> None:
    live = LiveFeatures(seed=1)
    told = {"reason": "'{coupon} of {item} by {account}'"}
    texts = {
        "new": rule("coupon LIKE 'NEW%'", **told), "gift": rule("item LIKE 'gift%'", **told),
        "shadow": rule("coupon = 'TEN'", mode="shadow", **told), "any": rule("amount_minor > 1", **told),
    }  # fmt: skip
    table = RuleTable.load({f"{name}.yaml": text for name, text in texts.items()}, schema=default_schema(live.names))
    lines = (OrderLine(item="socks"), OrderLine(item="gift-1"), OrderLine(item="gift-2"))
    given = [
        several(0, coupons=("TEN", "NEW-1", "NEW-2"), lines=lines[:1]),
        several(1, coupons=("NEW-3", "NEW-1"), lines=lines),
    ]
    batch = make_batch(given, EntityKeyer(bytes(16)))
    hits = table.evaluate(batch, live.advance(batch))
    (signal,) = signals(hits)
    (hidden,) = signals(hits, shadow=True)
    (same,), _ = spoken(hits)
    assert same.reasons == signal.reasons
    shown = [{reason.code.removeprefix("rules."): reason.text for reason in one} for one in signal.reasons]
    first, second = shown
    assert first["any"] == "TEN of socks by a-0"
    assert first["new"].startswith("NEW-1 of ")
    assert second["new"] == "NEW-3 of socks by a-1"
    assert " of gift-1 by a-1" in second["gift"]
    assert hidden.reasons[0][0].text == "TEN of socks by a-0"


def test_the_kernel_is_compiled_once_whatever_the_batch() -> None:
    signatures = getattr(evaluate_rules, "signatures", None)
    if signatures is None:
        pytest.skip("NUMBA_DISABLE_JIT is set: nothing is compiled")
    table = table_of("share > 0.5 AND country LIKE 'D%'", "in_list('deny', device)")
    none = table_of("amount_minor IS NULL")
    for n in (0, 1, 2, 3 * CHUNK):
        batch, features = events(n, share=0.75, country="DE")
        table.evaluate(batch, features)
        none.evaluate(batch, features)
    assert len(evaluate_rules.signatures) == 1


def test_rules_of_some_types_see_the_same_texts_in_few_events_as_in_many() -> None:
    conditions = {
        "a": ("[order]", "country = 'DE' AND device = country"),
        "b": ("[order, review]", "lower(written) LIKE '%gift%' OR in_list('deny', device)"),
        "c": ("[review]", "country IN ('DE', 'FR') AND NOT written LIKE 'a%'"),
        "d": ("any", "url IS NULL"),
        "e": ("[login_failed]", "amount_minor > 3"),
    }
    texts = {f"{name}.yaml": rule(condition, events=kinds) for name, (kinds, condition) in conditions.items()}
    table = RuleTable.load(texts, schema=SCHEMA, lists=Lists([ListEntry("deny", "device", "d-1")]))
    random = np.random.default_rng(2)
    n = 120
    draw = {
        name: random.choice(np.array(values, object), n).tolist()
        for name, values in {
            "country": ["DE", "FR", None], "device": ["d-1", "DE", None], "written": ["a gift", "A GIFT", "b", None],
            "url": ["/", None], "amount_minor": [1, 5, None], "share": [0.5, None], "count_1h": [1, None],
        }.items()
    }  # fmt: skip
    batch, features = events(n, **draw)
    kinds = ["order", "review", "login_failed", "logout"]
    batch.type[:] = [TYPE_CODES[kind] for kind in random.choice(kinds, n)]
    batch.type[-1] = -1
    whole = table.evaluate(batch, features).fired
    assert (whole.sum(axis=0) > 0).all()
    for size in (1, 5, 16):
        for start in range(0, n, size):
            rows = list(range(start, min(start + size, n)))
            assert np.array_equal(table.evaluate(batch.take(rows), features.take(rows)).fired, whole[rows])
