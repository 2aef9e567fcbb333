"""What the doctor finds in data whose faults are known."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from floorwalker.cli import app
from floorwalker.errors import InputError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.types import TYPE_CODES
from floorwalker.sources.doctor import examine
from floorwalker.sources.doctor._columns import EXPECTED
from floorwalker.sources.doctor._needs import ABUSE_NEEDS, DETECTOR_NEEDS
from floorwalker.sources.feeds.files import FilesFeed
from floorwalker.sources.mapping import parse_mapping

NOW = 1_760_000_000_000_000
HOUR = 3_600_000_000
START = NOW - 40 * 24 * HOUR
DATA = os.environ.get("FLOORWALKER_DATA")


def write(path: Path, events: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    return path


def look(path: Path, **options: Any) -> dict[str, Any]:
    return examine(FilesFeed([path], clock=lambda: NOW, keep_received=True, batch=300, **options), now=NOW)


def orders(count: int) -> list[dict[str, Any]]:
    """Orders a quarter of an hour apart, each customer's with a device and an address of its own."""
    return [
        {
            "id": f"o-{n}", "type": "order", "at": START + n * HOUR // 4, "account": f"a-{n % 400}", "order": f"n-{n}",
            "amount_minor": 2000 + n % 50, "currency": "EUR", "device": f"d-{n % 400}",
            "ip": f"2001:db8:0:{n % 400:x}::1", "payment": f"tok-{n % 400}", "lines": [{"item": "i", "quantity": 1}],
        }
        for n in range(count)
    ]  # fmt: skip


def field(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in report["fields"] if one["field"] == name)


def verdict(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in [*report["abuse_types"], *report["detectors"]] if one["name"] == name)


def test_clean_data_gives_no_warning_and_exact_counts(tmp_path: Path) -> None:
    report = look(write(tmp_path / "a.jsonl", orders(2000)))
    assert report["warnings"] == []
    assert (report["records"], report["events"], report["refused"]["count"]) == (2000, 2000, 0)
    assert report["types"] == {"order": 2000}
    assert field(report, "account")["distinct"] == 400
    assert field(report, "order")["distinct"] == 2000
    assert field(report, "device")["missing_share"] == 0.0
    assert report["time"]["days_spanned"] == 22
    assert report["currencies"][0]["median_minor"] == pytest.approx(2025, rel=0.02)


def test_missing_and_placeholder_values_are_counted_by_field(tmp_path: Path) -> None:
    events = orders(1000)
    for n, one in enumerate(events):
        if n % 4 == 0:
            del one["device"]
        elif n % 4 == 1:
            one["device"] = "00000000-0000-0000-0000-000000000000" if n % 8 == 1 else "unknown"
        if n % 10 == 0:
            one["ip"] = "10.0.0.7"
    report = look(write(tmp_path / "a.jsonl", events))
    device = field(report, "device")
    assert device["missing_share"] == pytest.approx(0.25)
    assert device["placeholder_share"] == pytest.approx(1 / 3)
    assert {one["value"] for one in device["placeholders"]} == {"unknown", "00000000-0000-0000-0000-000000000000"}
    assert device["distinct"] == 200
    assert field(report, "ip")["placeholder_share"] == pytest.approx(0.1)
    assert any("33.3% of the values of device" in text for text in report["warnings"])


def test_duplicates_by_id_and_by_content(tmp_path: Path) -> None:
    events = orders(1000)
    again = [*events[:100], *({**one, "id": f"x-{n}"} for n, one in enumerate(events[100:150]))]
    report = look(write(tmp_path / "a.jsonl", [*events, *again]))
    assert report["duplicates"]["same_id_share"] == pytest.approx(100 / 1150)
    assert report["duplicates"]["same_content_share"] == pytest.approx(150 / 1150)
    assert report["duplicates"]["is_exact"]
    assert sum("repeat an id" in text or "under a new id" in text for text in report["warnings"]) == 2


def test_what_would_be_refused_is_named_with_its_first_place(tmp_path: Path) -> None:
    events = orders(100)
    events[7]["amount_minor"] = -5
    events[8]["amount_minor"] = -5
    del events[9]["order"]
    report = look(write(tmp_path / "a.jsonl", events))
    assert report["refused"]["count"] == 3
    first = report["refused"]["fields"][0]
    assert (first["field"], first["count"], first["first_place"]) == ("amount_minor", 2, "a.jsonl, line 8")
    assert report["warnings"][0].startswith("3.0% of the records would be refused, most of them for amount_minor")


def test_abnormal_amounts_and_zeros(tmp_path: Path) -> None:
    events = orders(1000)
    for n in range(10):
        events[n * 90]["amount_minor"] = 90_000_000
    for n in range(20):
        events[n * 40 + 1]["amount_minor"] = 0
    report = look(write(tmp_path / "a.jsonl", events))
    amounts = field(report, "amount_minor")
    assert amounts["abnormal_share"] == pytest.approx(0.01)
    assert amounts["zero_share"] == pytest.approx(0.02)


def test_currencies_that_are_unknown_missing_or_multiplied(tmp_path: Path) -> None:
    events = orders(400)
    for n, one in enumerate(events):
        one["currency"] = ("EUR", "JPY", "QQQ", "EUR")[n % 4]
        if n % 4 == 1:
            one["amount_minor"] = 300_000 + 100 * n
        if n % 4 == 3:
            one.update(type="add_to_cart", item="i")
            del one["currency"]
    report = look(write(tmp_path / "a.jsonl", events))
    shares = {one["currency"]: one["share"] for one in report["currencies"]}
    assert shares == {"EUR": 0.25, "JPY": 0.25, "QQQ": 0.25, None: 0.25}
    text = " ".join(report["warnings"])
    for part in ("25.0% of the amounts have no currency", "QQQ is no currency", "JPY is a multiple of 100"):
        assert part in text


def test_gaps_order_and_dates_without_times(tmp_path: Path) -> None:
    events = [one for n, one in enumerate(orders(2000)) if not 900 <= n < 1100]
    events[500], events[600] = events[600], events[500]
    report = look(write(tmp_path / "a.jsonl", events))
    (gap,) = report["time"]["gaps"]
    assert gap["hours"] in (49, 50)  # whole hours of the clock
    assert report["time"]["out_of_order_share"] > 0
    for one in events:
        one["at"] -= one["at"] % (24 * HOUR)
    report = look(write(tmp_path / "b.jsonl", events))
    assert report["time"]["midnight_share"] == 1.0
    assert any("midnight" in text for text in report["warnings"])


@pytest.mark.parametrize(
    ("offset", "wanted", "zone"),
    [(2, "", 0.0), (7203, "received +2 hours after", 2.0), (-19_800, "received -5.5 hours after", -5.5),
     (-40, "received before they happened", 0.0)],
)  # fmt: skip
def test_clocks(tmp_path: Path, offset: int, wanted: str, zone: float) -> None:
    events = orders(300)
    for one in events:
        one["received_at"] = one["at"] + offset * 1_000_000
    report = look(write(tmp_path / "a.jsonl", events))
    assert report["time"]["clock"]["median_seconds"] == offset
    assert report["time"]["clock"]["zone_fault_hours"] == zone
    assert wanted in " ".join(report["warnings"])


def test_hubs_are_values_that_many_accounts_share(tmp_path: Path) -> None:
    events = orders(2000)
    for one in events[::5]:
        one["ip"] = "198.51.100.7"
        one["email"] = "office@example.com"
    report = look(write(tmp_path / "a.jsonl", events))
    hubs = {one["entity"]: one for one in report["hubs"]}
    (hub,) = hubs["ip"]["hubs"]
    assert (hub["value"], hub["accounts"]) == ("198.51.100.7", 80)
    assert hub["account_share"] == pytest.approx(0.2)
    assert hubs["device"]["hubs"] == []
    assert hubs["device"]["shared_share"] == 0.0
    assert hubs["email"]["hubs"][0]["value"] == "of…@example.com"
    assert any("80 accounts share one ip" in text for text in report["warnings"])


def test_what_can_be_detected_follows_from_what_is_there(tmp_path: Path) -> None:
    report = look(write(tmp_path / "a.jsonl", orders(500)))
    assert verdict(report, "scraping")["level"] == "no"
    assert verdict(report, "scraping")["missing"][0].startswith("page views, whose they are, ")
    assert verdict(report, "scraping")["missing"][0].endswith(": no event of type page_view")
    assert verdict(report, "inventory_abuse")["level"] == "partly"
    assert verdict(report, "inventory_abuse")["present"] == ["quantities"]
    assert verdict(report, "payment_fraud")["level"] == "partly"
    assert "declined payments: no event of type payment_declined" in verdict(report, "payment_fraud")["missing"]
    assert verdict(report, "relation")["level"] == "yes"
    assert verdict(report, "content")["level"] == "no"
    half = orders(500)
    for one in half[::2]:
        del one["payment"]
    for one in half[:495]:
        one["payment"] = "unknown"
    report = look(write(tmp_path / "b.jsonl", half))
    assert verdict(report, "payment_fraud")["level"] == "no"
    assert "payment is usable in" in verdict(report, "payment_fraud")["missing"][0]


def test_rules_that_can_never_fire_are_named_with_what_they_lack(tmp_path: Path) -> None:
    pytest.importorskip("sqlglot", reason="needs the extra 'serve'")
    rules = look(write(tmp_path / "a.jsonl", orders(200)))["starter_rules"]
    lacking = {one["rule"]: one["missing"] for one in rules["cannot"]}
    assert rules["can_fire"] == rules["count"] - len(lacking)
    assert lacking["account_takeover.impossible_travel"] == ["no event of type login_succeeded"]
    logins = [{"id": f"l-{n}", "type": "login_failed", "at": START, "account": "a"} for n in range(200)]
    again = look(write(tmp_path / "b.jsonl", logins))["starter_rules"]
    lacking = {one["rule"]: one["missing"] for one in again["cannot"]}
    assert "session" in lacking["account_takeover.many_accounts_one_session"]
    everything = [
        {**one, "id": f"{kind}-{n}", "type": kind, "session": "s-1"}
        for n, one in enumerate(orders(50)) for kind in ("login_failed", "login_succeeded")
    ]  # fmt: skip
    rich = look(write(tmp_path / "c.jsonl", everything))["starter_rules"]
    assert "account_takeover.many_accounts_one_session" not in {one["rule"] for one in rich["cannot"]}


def test_a_mapped_file_is_judged_as_events(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("n,when,total,who\n1,2025-10-01 08:00,1.50,a\n2,2025-10-01 09:00,dear,b\n3,2025-10-02 09:00,2,\n")
    fields = {
        "type": {"constant": "order"}, "order": "n", "at": "when", "account": "who", "currency": {"constant": "EUR"},
        "amount_minor": {"column": "total", "unit": "major"},
    }  # fmt: skip
    report = look(path, mapping=parse_mapping({"read": {"time_zone": "UTC"}, "fields": fields}, name="m"))
    assert (report["records"], report["events"], report["refused"]["count"]) == (3, 2, 1)
    assert field(report, "account")["missing_share"] == 0.5
    assert field(report, "amount_minor")["refused"] == 1


def test_no_record_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no record"):
        look(write(tmp_path / "a.jsonl", []))


def test_only_poison_is_a_report_too(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{nonsense\n")
    report = look(tmp_path / "a.jsonl")
    assert (report["events"], report["refused"]["count"], report["time"]) == (0, 1, None)


def test_the_tables_of_needs_name_only_what_exists() -> None:
    assert tuple(ABUSE_NEEDS) == ABUSE_TYPES
    for need in [*ABUSE_NEEDS.values(), *DETECTOR_NEEDS.values()]:
        for requirement in (*need.must, *need.helps):
            assert set(requirement.types) <= set(TYPE_CODES)
            for alternative in requirement.fields:
                for name in alternative.split("+"):
                    assert name in EXPECTED, name
            assert requirement.types or requirement.fields


def test_command_prints_json_and_a_table(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", orders(300))
    done = CliRunner().invoke(app, ["doctor", str(path), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["events"] == 300
    done = CliRunner().invoke(app, ["doctor", str(path)], env={"COLUMNS": "150"})
    assert done.exit_code == 0, done.output
    for part in ("300 events", "payment_fraud", "device", "never filled"):
        assert part in done.stdout


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not DATA, reason="FLOORWALKER_DATA is not set")
def test_online_retail() -> None:
    """Counts of the published data set, and what it can show: orders of known customers, no links, no refunds."""
    path = Path(DATA or "") / "online_retail" / "online_retail.parquet"
    table = {
        "group": "InvoiceNo",
        "read": {"time_zone": "Europe/London"},
        "fields": {
            "type": {"column": "InvoiceNo", "patterns": {"^C": "order_cancelled", "^A": "skip"}, "otherwise": "order"},
            "id": "InvoiceNo", "order": "InvoiceNo", "at": "InvoiceDate", "account": "CustomerID",
            "currency": {"constant": "GBP"}, "amount_minor": {"total": True},
        },
        "lines": {
            "item": "StockCode", "quantity": {"column": "Quantity", "absolute": True},
            "price_minor": {"column": "UnitPrice", "unit": "major"},
        },
    }  # fmt: skip
    feed = FilesFeed([path], clock=lambda: NOW, mapping=parse_mapping(table, name="retail"), batch=16_384)
    report = examine(feed, now=NOW)
    assert report["records"] == 541_909
    assert report["refused"]["count"] == 0
    assert field(report, "account")["distinct"] == 4372
    assert field(report, "order")["distinct"] + report["skipped"] == 25_900
    frame = pl.read_parquet(path, columns=["InvoiceNo", "CustomerID"])
    firsts = frame.group_by("InvoiceNo").agg(pl.col("CustomerID").drop_nulls().first())
    wanted = firsts.filter(~pl.col("InvoiceNo").str.starts_with("A"))["CustomerID"].is_null().mean()
    assert field(report, "account")["missing_share"] == pytest.approx(wanted, abs=1e-3)
    assert verdict(report, "inventory_abuse")["level"] == "yes"
    assert verdict(report, "relation")["level"] == "no"
    assert report["time"]["gaps"][0]["start"].startswith("2010-12-23")


def test_cells_that_cannot_be_read_are_counted_as_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = {
        "type": ["login_failed"] * 4, "at": [NOW - HOUR] * 4, "account": [b"a", b"b", b"\xff", b"d"],
        "amount_minor": [1.0, -1e30, 2.0, None],
    }  # fmt: skip
    pl.DataFrame(table).write_parquet(path)
    report = look(path)
    assert (report["records"], report["refused"]["count"]) == (4, 2)
    assert {one["field"]: one["count"] for one in report["refused"]["fields"]} == {"account": 1, "amount_minor": 1}
