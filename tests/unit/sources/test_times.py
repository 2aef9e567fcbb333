"""Times against Python's own calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.sources.access_log._times import BAD, parse_time

MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 31))  # noqa: DTZ001
OFFSETS = st.integers(-14 * 60, 14 * 60)


def parse(text: str) -> tuple[int, int]:
    """Microseconds and offset of a text."""
    data = np.frombuffer(text.encode() + bytes(16), np.uint8)
    at, offset = parse_time(data, 0, len(text))
    return int(at), int(offset)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@settings(deadline=None)
@given(MOMENTS, OFFSETS)
def test_server_times_and_iso_times(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    whole = aware.replace(microsecond=0)
    assert parse(whole.strftime("%d/%b/%Y:%H:%M:%S %z")) == (micros(whole), minutes)
    assert parse(aware.isoformat()) == (micros(aware), minutes)
    assert parse(aware.strftime("%Y-%m-%d %H:%M:%S,%f%z")) == (micros(aware), minutes)
    assert parse(aware.strftime("%Y/%m/%d %H:%M:%S.%f %z")) == (micros(aware), minutes)


@settings(deadline=None)
@given(MOMENTS)
def test_epochs_of_every_unit(moment: datetime) -> None:
    at = micros(moment.replace(tzinfo=UTC))
    assert parse(f"{at // 10**6}.{at % 10**6:06}") == (at, 0)
    if at >= 10**14:
        assert parse(str(at)) == (at, 0)
        assert parse(str(at * 1000 + 999)) == (at, 0)
        assert parse(str(at // 1000)) == (at // 1000 * 1000, 0)
    assert parse(str(at // 10**6)) == (at // 10**6 * 10**6, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-07-02T22:23:00Z", 1719958980000000),
        ("2024/07/02 22:23:00.125", 1719958980125000),
        ("2024/07-02 22:23:00", BAD),
        ("2024-07-02T22:23:00.1Z", 1719958980100000),
        ("2024-07-02T22:23:00.123456789Z", 1719958980123456),
        ("2024-07-02T22:23:00", 1719958980000000),
        ("2024-07-02\t22:23:00", 1719958980000000),
        ("2024-07-02T22:23:00+02", 1719951780000000),
        ("2016-12-31T23:59:60Z", 1483228799000000),
        ("06/Feb/2024:12:14:14.655", 1707221654655000),
        ("1.7199589801253e9", 1719958980125300),
        ("1.7199589801253E+09", 1719958980125300),
        ("1719958980.", 1719958980000000),
    ],
)
def test_written_in_other_ways(text: str, expected: int) -> None:
    assert abs(parse(text)[0] - expected) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "", "-", "x", "-5", "1e", "1x", "1e99", "12.5.1", "2024-01-01", "99999999999999999999",
        "31/Feb/2024:00:00:00 +0000", "29/Feb/2023:00:00:00 +0000", "00/Jan/2024:00:00:00 +0000",
        "01/Foo/2024:00:00:00 +0000", "01/Jan/1969:00:00:00 +0000", "01/Jan/2024:24:00:00 +0000",
        "01/Jan/2024:00:60:00 +0000", "01/Jan/2024:00:00:61 +0000", "01/Jan/2024:00:00:00 0000",
        "01/Jan/2024:00:00:00 +0", "01/Jan/2024:00:00:00 +0060", "01-Jan-2024:00:00:00 +0000",
        "2024-13-01T00:00:00Z", "2024-01-32T00:00:00Z", "2024-01-01T00:00:00+25:00", "2024-01-01T00.00.00Z",
        "2024-01-01T00:00:00Zulu",
    ],
)  # fmt: skip
def test_impossible_times(text: str) -> None:
    assert parse(text) == (BAD, 0)
