"""Mapping files: faults all at once, units, times, lists of values, lines, ids."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from floorwalker.errors import UsageError
from floorwalker.sources.mapping import Mapper, list_ready_mappings, load_mapping, own_mapping, parse_mapping
from floorwalker.sources.mapping._currencies import EXPONENTS, exponent

NOW = 1_760_000_000_000_000
BASE: dict[str, Any] = {"type": {"constant": "logout"}, "account": "who", "at": "when"}


def run(fields: dict[str, Any], rows: dict[str, list[Any]], **table: Any) -> tuple[list[dict[str, Any]], Any]:
    """The events of some rows, decoded from their JSON, and everything else."""
    mapping = parse_mapping({"fields": {**BASE, **fields}, "read": {"time_zone": "UTC"}, **table}, name="test")
    n = len(next(iter(rows.values())))
    frame = pl.DataFrame({"who": ["a"] * n, "when": ["2025-10-01 08:00:00"] * n, **rows})
    mapped = Mapper(mapping, frame.columns, "the table").map(frame, now=NOW)
    return [msgspec.json.decode(body) for _, body in mapped.bodies], mapped


def test_every_fault_is_named_at_once_with_the_nearest_name() -> None:
    table = {
        "fields": {
            "type": {"column": "kind", "values": {"x": "oder"}},
            "at": {"column": "when", "time_zone": "Europe/Londn"},
            "acount": "who",
            "amount_minor": {"column": "total", "unit": "pounds"},
            "currency": {"constant": "GPB"},
            "channel": {"column": "c", "values": {"w": "webb"}},
            "email": {"colunm": "mail"},
            "discount_minor": "rebate",
        },
        "lines": {"itm": "sku"},
        "gruop": "n",
    }
    with pytest.raises(UsageError) as caught:
        parse_mapping(table, name="shop")
    text = str(caught.value)
    assert text.startswith("10 faults in the mapping 'shop'")
    for part in (
        "unknown type of event 'oder' (did you mean 'order'?)",
        "unknown time zone 'Europe/Londn' (did you mean 'Europe/London'?)",
        "fields.acount: no field of an event (did you mean 'account'?)",
        "fields.amount_minor.unit: 'pounds', allowed: major, minor",
        "'GPB' is no currency of ISO 4217 (did you mean ",
        "'webb' (did you mean 'web'?)",
        "fields.email.colunm: unknown (did you mean 'column'?)",
        "fields.discount_minor: an amount needs its unit",
        "lines.itm: no field of an order line (did you mean 'item'?)",
        "gruop: unknown (did you mean 'group'?)",
    ):
        assert part in text


def test_a_type_whose_needs_no_column_fills_is_a_fault() -> None:
    with pytest.raises(UsageError, match=r"the type 'order' needs order.*needs amount_minor.*needs currency"):
        parse_mapping({"fields": {"type": {"constant": "order"}, "at": "when"}}, name="x")


def test_missing_columns_are_all_named_with_the_nearest_that_is_there() -> None:
    mapping = parse_mapping({"fields": {**BASE, "email": "E-Mail", "phone": "Tel"}}, name="x")
    with pytest.raises(UsageError, match=r"no column 'E-Mail' \(did you mean 'Email'\?\).*no column 'Tel'"):
        Mapper(mapping, ["who", "when", "Email"], "orders.csv")


def test_amounts_become_minor_units_by_their_currency() -> None:
    fields = {"amount_minor": {"column": "total", "unit": "major"}, "currency": "cur"}
    rows = {
        "total": ["12.345", "0.1", "-7.5", "1e3", "1,234.5", "€ 9.99", "0.285", "5", ".5"],
        "cur": ["EUR", "KWD", "EUR", "EUR", "EUR", "EUR", "EUR", "JPY", "CLF"],
    }
    events, mapped = run(fields, rows)
    assert [one["amount_minor"] for one in events] == [1235, 100, 999, 29, 5, 5000]
    assert [(row, field) for row, field, _ in mapped.faults] == [
        (2, "amount_minor"),
        (3, "amount_minor"),
        (4, "amount_minor"),
    ]


def test_marks_inside_numbers_and_signs() -> None:
    fields = {"amount_minor": {"column": "total", "unit": "major", "absolute": True}, "currency": {"constant": "EUR"}}
    reading = {"time_zone": "UTC", "decimal": ",", "thousands": "."}
    events, _ = run(fields, {"total": ["-1.234,50", "0,01"]}, read=reading)
    assert [one["amount_minor"] for one in events] == [123450, 1]


def test_every_currency_has_its_exponent() -> None:
    assert (exponent("USD"), exponent("KRW"), exponent("BHD"), exponent("UYW"), exponent("XYZ")) == (2, 0, 3, 4, 2)
    assert len(EXPONENTS) > 150


@pytest.mark.parametrize(
    ("text", "reading", "wanted"),
    [
        ("2025-10-01 08:00:00 +0200", {}, "2025-10-01T06:00:00"),
        ("2025-10-01T08:00:00.250Z", {}, "2025-10-01T08:00:00.250000"),
        ("2025-10-01 08:00:00", {"time_zone": "Asia/Shanghai"}, "2025-10-01T00:00:00"),
        ("01.10.2025 08:00", {"time_zone": "UTC", "time_formats": ["%d.%m.%Y %H:%M"]}, "2025-10-01T08:00:00"),
        # The hour that comes twice is the first one, the hour that is left out is counted on.
        ("2025-10-26 02:30:00", {"time_zone": "Europe/Berlin"}, "2025-10-26T00:30:00"),
        ("2025-03-30 02:30:00", {"time_zone": "Europe/Berlin"}, "2025-03-30T01:30:00"),
        ("1759305600000000", {}, "2025-10-01T08:00:00"),
    ],
)
def test_times(text: str, reading: dict[str, Any], wanted: str) -> None:
    events, mapped = run({}, {"when": [text]}, read=reading)
    assert not mapped.faults
    moment = pl.Series([events[0]["at"]]).cast(pl.Datetime("us")).dt.to_string("iso:strict").item()
    assert moment.startswith(wanted)


@pytest.mark.parametrize(("unit", "text"), [("s", "1759305600"), ("ms", "1759305600000"), ("us", "1759305600000000")])
def test_times_as_numbers(unit: str, text: str) -> None:
    events, _ = run({"at": {"column": "when", "unit": unit}}, {"when": [text]})
    assert events[0]["at"] == 1_759_305_600_000_000


def test_a_time_without_an_offset_needs_a_zone() -> None:
    events, mapped = run({}, {"when": ["2025-10-01 08:00:00"]}, read={})
    assert not events
    assert "time_zone" in mapped.faults[0][2]


def test_values_patterns_and_otherwise() -> None:
    fields = {
        "type": {
            "column": "n", "values": {"7": "skip"}, "patterns": {"^C": "order_cancelled", "^R": "refund_issued"},
            "otherwise": "order",
        },
        "order": "n", "amount_minor": {"column": "t", "unit": "minor"}, "currency": {"constant": "EUR"},
    }  # fmt: skip
    events, mapped = run(fields, {"n": ["1", "C1", "R1", "7"], "t": ["5"] * 4})
    assert [one["type"] for one in events] == ["order", "order_cancelled", "refund_issued"]
    assert mapped.skipped == 1


def test_lists_statements_shares_and_prefixes() -> None:
    fields = {
        "coupons": {"column": "codes", "split": ",;", "find": "code:([^|]+)"},
        "guest": "guest",
        "rating": {"column": "stars", "scale": [1, 5]},
        "session": {"column": "s", "prefix": "web-"},
        "attributes.colour": "c",
    }
    rows = {"codes": ["A, B", "code:X|amount:1;code:Y|"], "guest": ["yes", "0"], "stars": ["5", "2"], "s": ["1", None],
            "c": ["red", None]}  # fmt: skip
    first, second = run(fields, rows)[0]
    assert first["coupons"] == ["A", "B"]
    assert second["coupons"] == ["X", "Y"]
    assert (first["guest"], second["guest"]) == (True, False)
    assert (first["rating"], second["rating"]) == (1.0, 0.25)
    assert (first["session"], second["session"]) == ("web-1", None)
    assert first["attributes"] == {"colour": "red"}


def test_a_bad_value_is_dropped_where_the_mapping_says_so_and_counted() -> None:
    fields = {"country": {"column": "land", "on_bad": "drop"}}
    events, mapped = run(fields, {"land": ["DE", "Germany", None]})
    assert [one["country"] for one in events] == ["DE", None, None]
    assert mapped.dropped == {"country": 1}
    assert not mapped.faults


def test_ids_are_stable_and_differ_by_content() -> None:
    rows = {"when": ["2025-10-01 08:00:00", "2025-10-01 08:00:01", "2025-10-01 08:00:00"]}
    first, second = run({}, rows)[0], run({}, rows)[0]
    assert [one["id"] for one in first] == [one["id"] for one in second]
    assert first[0]["id"] == first[2]["id"] != first[1]["id"]
    received = run({"at": {"received": True}, "id": {"hash": ["who"]}}, rows)[0]
    assert {one["at"] for one in received} == {NOW}
    assert len({one["id"] for one in received}) == 1


def test_lines_are_gathered_and_summed() -> None:
    fields = {
        "type": {"constant": "order"},
        "order": "n",
        "id": "n",
        "currency": "cur",
        "amount_minor": {"total": True},
    }
    lines = {"item": "sku", "quantity": "q", "price_minor": {"column": "p", "unit": "major"}}
    rows = {
        "n": ["1", "1", "2", "3", "3"], "cur": ["JPY", None, "EUR", "EUR", None], "sku": ["a", "b", "c", "d", "e"],
        "q": ["1", "2", "3", "1", "1"], "p": ["100", "50", "1.25", "1", "dear"],
    }  # fmt: skip
    events, mapped = run(fields, rows, group="n", lines=lines)
    assert [(one["order"], one["amount_minor"], len(one["lines"])) for one in events] == [("1", 200, 2), ("2", 375, 1)]
    assert mapped.faults[0][:2] == (3, "lines.price_minor")


def test_an_order_of_very_many_lines_keeps_the_first_and_the_whole_sum() -> None:
    fields = {
        "type": {"constant": "order"},
        "order": "n",
        "currency": {"constant": "EUR"},
        "amount_minor": {"total": True},
    }
    lines = {"item": "n", "price_minor": {"column": "p", "unit": "minor"}}
    ((event,), _) = run(fields, {"n": ["1"] * 700, "p": ["3"] * 700}, group="n", lines=lines)
    assert (len(event["lines"]), event["amount_minor"]) == (500, 2100)


def test_one_record_makes_several_events() -> None:
    table = {
        "fields": {
            "id": "n", "order": "n", "currency": {"constant": "EUR"}, "amount_minor": {"column": "t", "unit": "minor"}
        },
        "events": [
            {"type": "order", "fields": {"at": "made"}},
            {"type": "order_cancelled", "when": {"column": "gone", "is": "present"}, "fields": {"at": "gone"}},
            {"type": "refund_issued", "when": [{"column": "back", "above": 0}, {"column": "n", "not_in": ["9"]}],
             "fields": {"at": "made", "amount_minor": {"column": "back", "unit": "minor"}}},
        ],
    }  # fmt: skip
    mapping = parse_mapping(table, name="several")
    frame = pl.DataFrame(
        {"n": ["1", "2"], "t": ["5", "6"], "made": [str(NOW)] * 2, "gone": [None, str(NOW)], "back": ["0", "6"]}
    )
    mapped = Mapper(mapping, frame.columns, "t").map(frame, now=NOW)
    assert [msgspec.json.decode(body)["id"] for _, body in mapped.bodies] == [
        "order-1", "order-2", "order_cancelled-2", "refund_issued-2"
    ]  # fmt: skip


def test_typed_columns_are_read_as_they_are() -> None:
    frame = pl.DataFrame(
        {
            "who": [17850.0, None], "when": pl.Series([0, 1]).cast(pl.Datetime("us", "Asia/Tokyo")),
            "guest": [True, False], "total": [Decimal("1.50"), Decimal("2.00")],
        }
    )  # fmt: skip
    fields = {**BASE, "guest": "guest", "amount_minor": {"column": "total", "unit": "major"}}
    mapped = Mapper(parse_mapping({"fields": fields}, name="x"), frame.columns, "t").map(frame, now=NOW)
    first, second = (msgspec.json.decode(body) for _, body in mapped.bodies)
    assert (first["account"], first["at"], first["guest"], first["amount_minor"]) == ("17850", 0, True, 150)
    assert second["account"] is None


def test_floats_with_exponents_are_numbers() -> None:
    fields = {**BASE, "amount_minor": {"column": "total", "unit": "major"}, "currency": {"constant": "UYW"}}
    frame = pl.DataFrame({"who": ["a"] * 3, "when": [str(NOW)] * 3, "total": [1e-4, 0.1 + 0.2, 3e8]})
    mapped = Mapper(parse_mapping({"fields": fields}, name="x"), frame.columns, "t").map(frame, now=NOW)
    assert [msgspec.json.decode(body)["amount_minor"] for _, body in mapped.bodies] == [1, 3000, 3_000_000_000_000]


def test_yaml_says_the_same_as_toml(tmp_path: Path) -> None:
    toml, yaml = tmp_path / "m.toml", tmp_path / "m.yaml"
    toml.write_text('[fields]\ntype = { constant = "logout" }\nat = "when"\naccount = ["a", "b"]\n')
    yaml.write_text("fields:\n  type: {constant: logout}\n  at: when\n  account: [a, b]\n")
    assert load_mapping(toml) == load_mapping(yaml)
    yaml.write_text("fields: [")
    with pytest.raises(UsageError, match="YAML"):
        load_mapping(yaml)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'shopify_orders'"):
        load_mapping("shopify_order")


@pytest.mark.parametrize("name", list_ready_mappings())
def test_ready_mappings_are_faultless(name: str) -> None:
    assert load_mapping(name).name == name


def test_columns_named_like_fields_need_no_mapping_and_others_are_told_which_one() -> None:
    assert "shipping_address.city" in own_mapping(["type", "at", "shipping_address.city"], "t").events[0].fields
    columns = list(load_mapping("woocommerce_orders").columns())
    with pytest.raises(UsageError, match="--mapping woocommerce_orders"):
        own_mapping(columns, "orders.csv")
