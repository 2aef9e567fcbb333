"""A generated log, written as a server would write it, is read back as what was generated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from floorwalker.events.requests import METHODS
from floorwalker.simulation.access_log import GeneratedLog, write_log
from floorwalker.sources.access_log import AccessLog


@pytest.mark.parametrize(
    ("name", "format_"),
    [("a.log", "combined"), ("a.log.gz", "combined"), ("b.log", "combined_extra"), ("c.json", "json")],
)
def test_what_is_written_is_read(busy: GeneratedLog, tmp_path: Path, name: str, format_: str) -> None:
    path = tmp_path / name
    write_log(busy, path, format=format_)
    log = AccessLog([path])
    batches = list(log.batches())
    assert sum(count for _, count, _, _ in log.cleaned) == 0
    wanted = busy.requests
    if format_ != "json":
        wanted = wanted.with_columns(pl.col("at") // 1_000_000 * 1_000_000)

    def column(field: str) -> np.ndarray:
        return np.concatenate([getattr(batch, field) for batch in batches])

    assert np.array_equal(column("at"), wanted["at"].to_numpy())
    assert np.array_equal(column("status"), wanted["status"].to_numpy())
    assert np.array_equal(column("size"), wanted["size"].to_numpy())
    assert set(np.unique(column("utc_offset"))) == {480}
    assert pl.Series(METHODS).gather(column("method")).to_list() == wanted["method"].to_list()
    for field, texts in (("client", "client"), ("user_agent", "user_agent"), ("target", "target")):
        read = getattr(log.tables, field).texts(column(field))
        assert read.to_list() == wanted[texts].to_list(), field
    hosts = wanted["referrer"].str.extract("^https?://([^/]+)")
    assert log.tables.referrer_host.texts(column("referrer_host")).to_list() == hosts.to_list()
