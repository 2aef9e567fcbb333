"""Private addresses: the shop's own machines and people, inside the network."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, finding, is_inside

TITLE = "private address"
ORDER = 99
UNNAMED: pl.Expr | None = is_inside()

SIGNATURES: tuple[Signature, ...] = ()


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows whose address nobody on the open internet can have, and those that the shop named as its own.

    Documentation ranges are left in, since nothing real comes from there. Where most of a log comes from
    private addresses they are a proxy's, and its visitors are judged like any other: then no row is answered
    (`is_unroutable` is false for all).
    """
    inside = case.filter(is_inside())
    evidence = (
        pl.when("is_own")
        .then(pl.lit("one of the shop's own addresses"))
        .otherwise(pl.format("a {} address", pl.col("network_kind").str.replace("_", "-")))
    )
    return inside.select(finding(pl.lit("inside"), "verified", evidence))
