"""Small files with known contents for the contract tests."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import polars as pl

from floorwalker.sources.feeds._base import FeedExample
from floorwalker.sources.feeds.files import FilesFeed
from floorwalker.sources.mapping import Mapping, parse_mapping

_NOW = 1_760_000_000_000_000


def _clock() -> int:
    return _NOW


def _event(number: int) -> bytes:
    values = {
        "id": f"e-{number}",
        "type": "login_failed",
        "at": _NOW - number * 1_000_000,
        "account": f"a-{number % 7}",
    }
    return msgspec.json.encode(values)


def order_mapping() -> Mapping:
    """Orders of several lines, with an amount in pounds."""
    table = {
        "group": "order",
        "read": {"time_zone": "UTC"},
        "fields": {
            "type": {"constant": "order"}, "id": "order", "order": "order", "at": "time", "account": "customer",
            "currency": {"constant": "GBP"}, "amount_minor": {"total": True},
        },
        "lines": {"item": "item", "quantity": "pieces", "price_minor": {"column": "price", "unit": "major"}},
    }  # fmt: skip
    return parse_mapping(table, name="example")


def make_examples(folder: Path) -> list[FeedExample]:
    """One example of each kind of file."""
    plain, packed, orders, table = (folder / name for name in ("a.jsonl", "b.jsonl.gz", "orders.csv", "t.parquet"))
    lines = [_event(number) for number in range(23)]
    lines[5:5] = [b"{broken", b"", b'{"id": "e-x", "type": "order", "at": 1}']
    plain.write_bytes(b"\n".join(lines) + b"\n")
    packed.write_bytes(gzip.compress(b"\n".join(map(_event, range(100, 117)))))
    rows = [b"order,time,customer,item,pieces,price"]
    for number in range(9):
        rows += [
            b'o-%d,2025-10-01 08:%02d:00,c-%d,"item ""%d""",2,1.5%d' % (number, number, number % 3, line, line)
            for line in range(1 + number % 3)
        ]
    rows.insert(4, b'o-x,2025-10-01 08:00:00,c-1,"never closed,1,1')
    rows += [b"o-y,no time,c-1,i,1,1", b"too,few"]
    orders.write_bytes(b"\r\n".join(rows) + b"\r\n")
    ids = [f"p-{number}" for number in range(31)]
    pl.DataFrame(
        {"id": ids, "type": ["logout"] * 31, "at": [_NOW] * 30 + [7], "account": [f"a-{place}" for place in range(31)]}
    ).write_parquet(table)
    numbers = [*range(23), *range(100, 117)]
    return [
        FeedExample(
            "json lines",
            lambda batch: FilesFeed([folder / "*.jsonl*"], clock=_clock, batch=batch),
            frozenset(f"e-{number}" for number in numbers),
            2,
        ),
        FeedExample(
            "grouped csv",
            lambda batch: FilesFeed([orders], clock=_clock, mapping=order_mapping(), batch=batch),
            frozenset(f"o-{number}" for number in range(9)),
            3,
        ),
        FeedExample("parquet", lambda batch: FilesFeed([table], clock=_clock, batch=batch), frozenset(ids[:30]), 1),
    ]
