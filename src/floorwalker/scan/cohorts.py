"""Visitors with few visits, laid out for the search for swarms."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.features.network import networks_of, parse_addresses
from floorwalker.features.visitors import _columns as c
from floorwalker.scan.visitor_days import ROLE_COLUMN, Rows, VisitorDays

SENSITIVE_ROLES = ("offer", "login", "basket", "checkout")
MOST_PAGES = 12
"""Page requests above which a visitor is no member of a cohort: its steps are its own."""


def cohort_frame(days: VisitorDays, rows: Rows) -> pl.DataFrame:
    """The table that `find_swarms` reads, one row for each of these visitor-days."""
    client = days.text("client", rows)
    pages = np.maximum(days.stat(c.PAGES)[rows], 1.0)
    sensitive = np.zeros(len(rows))
    for role in SENSITIVE_ROLES:
        sensitive += days.stat(ROLE_COLUMN[role])[rows]
    sequence = days.whole(c.SEQUENCE)[rows]
    return pl.DataFrame(
        {
            "row": rows.astype(np.int64),
            "day": days.day[rows],
            "user_agent": days.text("user_agent", rows),
            "client": client,
            "network": networks_of(parse_addresses(client)),
            "sequence": sequence,
            "routes": _sequence_texts(days, rows, sequence),
            "requests": days.stat(c.PAGES)[rows].astype(np.int64),
            "assets": days.stat(c.ASSETS)[rows].astype(np.int64),
            "without_referrer": days.stat(c.WITHOUT_REFERRER)[rows] / pages,
            "sensitive": (sensitive > 0) | (days.stat(c.POSTS)[rows] > 0),
            "first_at": days.local_time(c.FIRST_AT, rows),
            "last_at": days.local_time(c.LAST_AT, rows),
        }
    )


def _sequence_texts(days: VisitorDays, rows: Rows, sequence: NDArray[np.int64]) -> pl.Series:
    """The routes of each sparse visitor-day as text, looked up once for each distinct sequence."""
    _, first, inverse = np.unique(sequence, return_index=True, return_inverse=True)
    chosen = rows[first]
    owner, route, _ = days.reading.visitors.routes_of(chosen)
    names = pl.Series(days.reading.routes.routes, dtype=pl.String)
    texts = (
        pl.DataFrame({"owner": owner, "route": names.gather(pl.Series(route))})
        .group_by("owner", maintain_order=True)
        .agg(pl.col("route").str.join(" + "))
    )
    wanted = pl.DataFrame({"owner": chosen.astype(np.int64)})
    joined = wanted.join(texts, on="owner", how="left", maintain_order="left")["route"]
    return joined.gather(pl.Series(inverse))
