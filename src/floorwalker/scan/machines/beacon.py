"""Beacons: clients that send counting pixels and measurements and never open a page, such as readers of the
shop's mails."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, count_text, finding, share

TITLE = "beacon"
ORDER = 95
UNNAMED: pl.Expr | None = pl.col("beacon_requests").fill_null(0) > 0

SIGNATURES: tuple[Signature, ...] = ()


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows with beacon requests and nothing else; who opens a single page is a visitor."""
    sends_only = case.filter(pl.col("beacon_requests").fill_null(0) > 0, share("beacon_requests") >= 1.0)
    evidence = pl.format("sent {} and opened no page", count_text("beacon_requests", "beacon"))
    return sends_only.select(finding(pl.lit("beacon"), "behaviour", evidence))
