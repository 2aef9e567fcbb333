from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from floorwalker.errors import UsageError
from floorwalker.simulation.access_log import GeneratedLog, write_log

LINE = re.compile(r'(\S+) - - \[(.+?)\] "(\S+) (\S+) HTTP/1\.1" (\d{3}) (\d+) "([^"]*)" "([^"]*)"(.*)')


def test_combined_lines_hold_every_request(busy: GeneratedLog, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    write_log(busy, path)
    lines = path.read_text().splitlines()
    assert len(lines) == busy.requests.height
    for position in (0, 17, len(lines) - 1):
        found = LINE.fullmatch(lines[position])
        assert found is not None
        row = busy.requests.row(position, named=True)
        assert found[1] == row["client"]
        assert found[4] == row["target"]
        assert (found[7], found[8]) == (row["referrer"] or "-", row["user_agent"] or "-")
        assert found[9] == ""
    assert "+0800" in lines[0]
    assert lines[0].split("[")[1].startswith("04/Nov/2021:00:0")


def test_the_time_zone_is_the_one_asked_for(busy: GeneratedLog, tmp_path: Path) -> None:
    path = tmp_path / "west.log"
    write_log(busy, path, utc_offset_minutes=-210)
    first = path.read_text().splitlines()[0]
    assert "[03/Nov/2021:12:30:" in first
    assert " -0330]" in first
    write_log(replace(busy, utc_offset_minutes=60), path)
    assert "[03/Nov/2021:17:00:" in path.read_text().splitlines()[0]


def test_gz_is_compressed_and_equal_each_time(busy: GeneratedLog, tmp_path: Path) -> None:
    write_log(busy, tmp_path / "a.log.gz")
    write_log(busy, tmp_path / "b.log.gz")
    write_log(busy, tmp_path / "c.log")
    assert (tmp_path / "a.log.gz").read_bytes() == (tmp_path / "b.log.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.log.gz").read_bytes()) == (tmp_path / "c.log").read_bytes()


def test_extra_fields_follow_the_combined_ones(busy: GeneratedLog, tmp_path: Path) -> None:
    path = tmp_path / "extra.log"
    write_log(busy, path, format="combined_extra")
    with path.open() as lines:
        found = LINE.fullmatch(next(lines).rstrip("\n"))
    assert found is not None
    assert found[9].endswith('"tiny.example"')


def test_json_lines_are_json(busy: GeneratedLog, tmp_path: Path) -> None:
    path = tmp_path / "access.json"
    write_log(busy, path, format="json")
    with path.open() as lines:
        record = json.loads(next(lines))
    row = busy.requests.row(0, named=True)
    assert record["request_uri"] == row["target"]
    assert datetime.fromisoformat(record["time"]).timestamp() == pytest.approx(row["at"] / 1e6, abs=1e-4)
    assert record["time"].startswith("2021-11-04T00:0")
    assert record["time"].endswith("+08:00")


def test_an_unknown_format_is_refused(busy: GeneratedLog, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="allowed: combined"):
        write_log(busy, tmp_path / "x", format="syslog")
