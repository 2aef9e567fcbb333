"""Columns at a time against one value at a time, and CSV that comes back as it was written."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st

from floorwalker.sources.feeds._csv import CsvReader
from floorwalker.sources.mapping import Mapper, parse_mapping
from floorwalker.sources.mapping._currencies import exponent

NOW = 1_760_000_000_000_000


AMOUNTS = st.decimals(0, 10**9, places=6, allow_nan=False)
CODES = st.sampled_from(["EUR", "JPY", "KWD", "UYW", "USD", "ISK"])


@given(st.lists(st.tuples(AMOUNTS, CODES), min_size=1, max_size=20))
def test_minor_units_are_those_of_exact_arithmetic(rows: list[tuple[Decimal, str]]) -> None:
    fields = {
        "type": {"constant": "order"}, "at": "at", "order": "n", "currency": "c",
        "amount_minor": {"column": "total", "unit": "major"},
    }  # fmt: skip
    frame = pl.DataFrame(
        {
            "at": [str(NOW)] * len(rows), "n": [str(place) for place in range(len(rows))],
            "c": [code for _, code in rows], "total": [format(amount, "f") for amount, _ in rows],
        }
    )  # fmt: skip
    mapped = Mapper(parse_mapping({"fields": fields}, name="x"), frame.columns, "t").map(frame, now=NOW)
    found = [msgspec.json.decode(body)["amount_minor"] for _, body in mapped.bodies]
    wanted = [
        int((amount * 10 ** exponent(code)).quantize(Decimal(1), rounding=ROUND_HALF_UP)) for amount, code in rows
    ]
    assert found == wanted


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2029, 12, 31)),  # noqa: DTZ001
    st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_local_times_are_those_of_the_zone(moment: datetime, zone: str) -> None:
    moment = moment.replace(microsecond=0)
    aware = moment.replace(tzinfo=ZoneInfo(zone))
    back = aware.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assume(back == moment)  # an hour that the clock left out names no instant
    table = {"fields": {"type": {"constant": "search"}, "at": "at"}, "read": {"time_zone": zone}}
    frame = pl.DataFrame({"at": [moment.isoformat(sep=" ")]})
    mapped = Mapper(parse_mapping(table, name="x"), frame.columns, "t").map(frame, now=NOW)
    (body,) = [msgspec.json.decode(body) for _, body in mapped.bodies]
    assert body["at"] == int(aware.timestamp()) * 1_000_000


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_csv_comes_back_as_it_was_written(rows: list[list[str]], delimiter: str) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    data = file.getvalue().encode()
    lines, offset = [], 0
    for line in data.split(b"\n")[:-1]:
        offset += len(line) + 1
        lines.append((line, offset, False))
    records = list(CsvReader(delimiter, "utf-8", 3).read(iter(lines)))
    assert [one.cells for one in records] == rows
    assert records[-1].end == len(data)
    assert [one.line for one in records[1:]] == [
        sum(1 + "".join(row).count("\n") for row in rows[:place]) + 1 for place in range(1, len(rows))
    ]


@given(st.binary(max_size=300), st.integers(1, 4))
def test_any_bytes_are_cut_into_records_and_none_is_lost(data: bytes, width: int) -> None:
    lines, offset = [], 0
    for line in data.split(b"\n"):
        offset += len(line) + 1
        lines.append((line, offset, False))
    records = list(CsvReader(",", "utf-8", width).read(iter(lines)))
    kept = [line for one in records for line in one.text.split(b"\n") if line.strip()]
    assert kept == [line for line in data.split(b"\n") if line.strip()]
    assert all(one.end >= before.end for before, one in pairwise(records))
    assert all(len(one.cells) == width for one in records if isinstance(one.cells, list))
