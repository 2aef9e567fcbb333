"""The data behind the flagged table and the map: read by the page's script, never put into the page as HTML."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.scan.phrases import printable
from floorwalker.scan.report.density import feature_label, feature_meaning
from floorwalker.scan.result import CATEGORIES, TIERS, ScanResult

MOST_ROWS = 2000
"""Flagged rows in the page; the CSV holds them all."""

MOST_PLACED = 5000
"""Visitors on the map."""

RANKED_AMONG = 200_000
"""Visitors that a flagged one's features are compared with: where there are more, evenly spaced rows."""

AGENT_LIMIT = 400
REASON_LIMIT = 600
ROUTES_COLUMN = "top_routes"
"""A list of texts in `visitors`, where the scan gives one: the routes that the visitor asked for most."""


class _Dictionary:
    """Texts by number, so that a user agent of a thousand visitors stands in the page once."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.texts: list[str] = []
        self._places: dict[str, int] = {}

    def place(self, text: str | None) -> int:
        if text is None:
            return -1
        known = self._places.get(text)
        if known is None:
            known = self._places[text] = len(self.texts)
            self.texts.append(printable(text, self.limit))
        return known


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None


def rank_shares(column: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of visitors that each wanted value stands above, ties counting half; NaN for missing values.

    >>> rank_shares(np.array([1.0, 2.0, 2.0, 3.0]), np.array([2.0, 9.0])).tolist()
    [0.5, 1.0]
    """
    known = column[np.isfinite(column)]
    if len(known) > RANKED_AMONG:
        known = known[:: len(known) // RANKED_AMONG + 1]
    if not len(known):
        return np.full(len(wanted), np.nan)
    ordered = np.sort(known)
    middle = (np.searchsorted(ordered, wanted, "left") + np.searchsorted(ordered, wanted, "right")) / 2
    return np.where(np.isfinite(wanted), middle / len(ordered), np.nan)


def suspects_data(result: ScanResult, *, most: int = MOST_ROWS) -> dict[str, Any]:
    """The flagged rows, strongest first, as arrays and dictionaries of texts."""
    flagged = result.flagged.head(most)
    agents, patterns = _Dictionary(AGENT_LIMIT), _Dictionary(80)
    values = [flagged[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in result.features]
    shares = [
        rank_shares(result.visitors[name].cast(pl.Float64).fill_null(np.nan).to_numpy(), wanted)
        for name, wanted in zip(result.features, values, strict=True)
    ]
    has_routes = ROUTES_COLUMN in flagged.columns
    rows = []
    for place, row in enumerate(flagged.iter_rows(named=True)):
        rows.append(
            {
                "id": row["visitor"],
                "day": str(row["day"]),
                "host": printable(row["host"] or "", 120),
                "client": printable(row["client"] or "", 80),
                "network": printable(row["network"] or "", 80),
                "session": printable(row["session"] or "", 80),
                "agent": agents.place(row["user_agent"]),
                "tier": TIERS.index(row["tier"]) if row["tier"] in TIERS else len(TIERS) - 1,
                "category": CATEGORIES.index(row["category"]) if row["category"] in CATEGORIES else -1,
                "score": _short(row["score"]),
                "pattern": patterns.place(row["pattern"]),
                "codes": [printable(code, 80) for code in row["reason_codes"] or []],
                "reasons": [printable(reason, REASON_LIMIT) for reason in row["reasons"] or []],
                "checkouts": row["checkouts"],
                "first": _seconds(row["first_at"]),
                "last": _seconds(row["last_at"]),
                "values": [_short(float(column[place])) for column in values],
                "shares": [_short(float(share[place])) for share in shares],
                "routes": [printable(route, 160) for route in (row[ROUTES_COLUMN] or [])[:8]] if has_routes else [],
            }
        )
    return {
        "rows": rows,
        "agents": agents.texts,
        "patterns": patterns.texts,
        "tiers": list(TIERS),
        "categories": list(CATEGORIES),
        "features": [
            {
                "label": feature_label(name),
                "meaning": feature_meaning(name),
                "unit": result.feature_units.get(name, ""),
                "median": _short(float(result.medians.get(name, np.nan))),
            }
            for name in result.features
        ],
    }


def _seconds(moment: Any) -> str:
    return "" if moment is None else str(moment.isoformat(sep=" ", timespec="seconds"))


def map_data(result: ScanResult, *, most: int = MOST_PLACED) -> dict[str, Any]:
    """The map's points as whole numbers from 0 to 1000, what to say on hover, and which row of the table each is."""
    points, rows = result.embedding, result.embedding_rows
    if len(rows) > most:
        flags = result.visitors["flagged"].to_numpy()[rows]
        kept = np.sort(np.argsort(~flags, kind="stable")[:most])
        points, rows = points[kept], rows[kept]
    if not len(rows):
        return {"x": [], "y": [], "category": [], "flag": [], "client": [], "agent": [], "agents": [], "score": []}
    low, high = np.nanquantile(points, [0.001, 0.999], axis=0)
    spread = 20 + (np.nan_to_num(points.astype(np.float64)) - low) / np.maximum(high - low, 1e-9) * 960
    placed = np.clip(spread, 4, 996).round().astype(int)
    chosen = result.visitors.select(
        "visitor", "day", "client", "session", "user_agent", "category", "score", "flagged"
    )[rows]
    order = {
        (row["visitor"], row["day"]): place
        for place, row in enumerate(result.flagged.select("visitor", "day").head(MOST_ROWS).iter_rows(named=True))
    }
    agents = _Dictionary(120)
    names = [
        printable(client or session or "", 80) for client, session in chosen.select("client", "session").iter_rows()
    ]
    keys = zip(chosen["visitor"].to_list(), chosen["day"].to_list(), chosen["flagged"].to_list(), strict=True)
    return {
        "x": placed[:, 0].tolist(),
        "y": placed[:, 1].tolist(),
        "category": [CATEGORIES.index(name) if name in CATEGORIES else 0 for name in chosen["category"].to_list()],
        # -1: not flagged; -2: flagged but past the table's end; else the row of the table.
        "flag": [order.get((visitor, day), -2) if flag else -1 for visitor, day, flag in keys],
        "client": names,
        "agent": [agents.place(text) for text in chosen["user_agent"].to_list()],
        "agents": agents.texts,
        "score": [_short(float(score)) for score in chosen["score"].to_list()],
    }
