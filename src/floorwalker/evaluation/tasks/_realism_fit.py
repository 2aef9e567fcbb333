"""Summary parameters of the real shops, for the simulated one: quantiles, shares, transitions, correlations.

`python -m floorwalker.evaluation.tasks._realism_fit DATA` writes them to `simulation/shop/honest/fitted.json`. Nothing
of a single customer, visit or order is in them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.evaluation.tasks._realism_statistics import _bought, _gaps, _repeats
from floorwalker.evaluation.tasks._realism_tables import BLOCK_DAYS, Tables, read_real

Floats = NDArray[np.float64]
OUT = Path(__file__).parents[2] / "simulation/shop/honest/fitted.json"
_LEVELS = np.concatenate([[0.0, 0.005], np.linspace(0.01, 0.99, 50), [0.995, 1.0]])
_FINE = np.linspace(0.0, 1.0, 401)
_PRICE_CLASSES = 10
PLACES = (1, 2, 3, 5, 9)
"""Places in a visit from which a new class begins."""
SOURCES = {
    "web": "YooChoose, RecSys Challenge 2015, sample prepared by session-rec; data CC BY-NC-ND 4.0",
    "app": "Taobao UserBehavior, Alibaba Tianchi data set 649, 815 users; research use",
    "trade": "D. Chen, Online Retail, UCI 352, 2015; CC BY 4.0",
    "purchase": "Sakar et al., Online Shoppers Purchasing Intention, UCI 468, 2019; CC BY 4.0",
}


def normal_scores(values: Floats) -> Floats:
    """Values as standard normal ones of the same ranks; equal values are spread over their ranks."""
    from statistics import NormalDist

    order = np.argsort(np.argsort(values + 1e-9 * np.sin(np.arange(len(values)) * 12.9898), kind="stable"))
    grid = np.linspace(0.0005, 0.9995, 2000)
    table = np.array([NormalDist().inv_cdf(one) for one in grid])
    return np.asarray(np.interp((order + 0.5) / len(values), grid, table))


def _round(values: Any, digits: int = 5) -> list[float]:
    return [round(float(one), digits) for one in np.asarray(values, dtype=np.float64)]


def _log_quantiles(values: Floats) -> list[float]:
    return _round(np.quantile(np.log(np.maximum(values, 0.5)), _LEVELS), 4)


def _pace(table: pl.DataFrame) -> dict[str, Any]:
    """Gaps, how alike those of one visit are, and how they go with place and number."""
    known = _gaps(table).filter(pl.col("gap").is_not_null())
    z = normal_scores(known["gap"].to_numpy())
    visit, place = known["visit"].to_numpy(), known["place"].to_numpy()
    place_class = np.searchsorted(PLACES, place, side="right") - 1
    shifts = np.array([z[place_class == one].mean() for one in range(len(PLACES))])
    rest = z - shifts[place_class]
    next_one = visit[1:] == visit[:-1]
    two_on = visit[2:] == visit[:-2]
    counts = table.group_by("visit", maintain_order=True).len().filter(pl.col("len") > 1).sort("visit")
    means = (
        pl.DataFrame({"visit": visit, "rest": rest})
        .group_by("visit")
        .agg(pl.col("rest").mean(), pl.len())
        .sort("visit")
    )
    count_scores = normal_scores(counts["len"].to_numpy().astype(np.float64))
    alike = float(np.mean(rest[2:][two_on] * rest[:-2][two_on]))
    # The mean of k gaps has variance alike + (1 - alike) / k: undone, what is left goes with the visit's own pace.
    shrunk = means["rest"].to_numpy() / np.sqrt(alike + (1 - alike) / means["len"].to_numpy())
    return {
        "log_gap": _log_quantiles(known["gap"].to_numpy()),
        "place_shift": _round(shifts),
        "alike": round(alike, 4),
        "next_alike": round(float(np.mean(rest[1:][next_one] * rest[:-1][next_one])), 4),
        "count_by_pace": round(float(np.corrcoef(count_scores, shrunk)[0, 1]), 4),
    }


def _shares(values: NDArray[np.int64], size: int) -> list[float]:
    counts = np.bincount(np.minimum(values, size - 1), minlength=size)
    return _round(counts / counts.sum())


def _revisits(table: pl.DataFrame) -> list[list[float]]:
    """By place class: how often the next view is of the same item, of an earlier one."""
    ordered = table.sort("visit", "at", maintain_order=True).with_columns(
        place=pl.int_range(pl.len()).over("visit"),
        same=(pl.col("item") == pl.col("item").shift(1).over("visit")),
        seen=~pl.struct("visit", "item").is_first_distinct(),
    )
    later = ordered.filter(pl.col("place") > 0)
    classes = np.searchsorted(PLACES, later["place"].to_numpy(), side="right") - 1
    same, seen = later["same"].to_numpy(), later["seen"].to_numpy()
    return [_round([same[classes == one].mean(), (seen & ~same)[classes == one].mean()]) for one in range(len(PLACES))]


def _held(actions: pl.DataFrame) -> list[list[float]]:
    """By kind: how often it is about the item of the action before, about an earlier one of the visit."""
    ordered = actions.sort("visit", "at", maintain_order=True).with_columns(
        place=pl.int_range(pl.len()).over("visit"),
        same=(pl.col("item") == pl.col("item").shift(1).over("visit")),
        seen=~pl.struct("visit", "item").is_first_distinct(),
    )
    later = ordered.filter(pl.col("place") > 0)
    rows = [later.filter(pl.col("kind") == kind) for kind in ("view", "cart", "buy")]
    return [_round([one["same"].mean(), (one["seen"] & ~one["same"]).mean()]) for one in rows]


def _popularity(items: pl.Series) -> list[float]:
    """The share of everything that the most popular items take, by rank."""
    counts = items.value_counts(sort=True)["count"].to_numpy()
    curve = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    ranks = np.geomspace(1, len(counts), 60)
    return [len(counts), *_round(np.interp(np.concatenate([[0.0], ranks]), np.arange(len(curve)), curve))]


def _web(tables: Tables) -> dict[str, Any]:
    clicks = tables.clicks
    counts = clicks.group_by("visit").len()["len"].to_numpy().astype(np.int64)
    hours = (clicks.group_by("visit").agg(pl.col("at").min())["at"].to_numpy() // 3600).astype(np.int64)
    return {
        **_pace(clicks),
        "count_share": _shares(counts, 120),
        "revisit": _revisits(clicks),
        "hour": _shares(hours % 24, 24),
        "weekday": _shares((hours // 24 + 3) % 7, 7),
        "popularity": _popularity(clicks["item"]),
    }


def _app(tables: Tables) -> dict[str, Any]:
    actions = tables.actions.sort("visit", "at", maintain_order=True)
    code = actions["kind"].replace_strict({"view": 0, "cart": 1, "buy": 2}, return_dtype=pl.Int64).to_numpy()
    visit = actions["visit"].to_numpy()
    first = np.concatenate([[True], visit[1:] != visit[:-1]])
    follows = ~first[1:]
    steps = np.bincount((code[:-1] * 3 + code[1:])[follows], minlength=9).reshape(3, 3).astype(np.float64)
    gap = _gaps(actions)["gap"].to_numpy()
    counts = actions.group_by("visit").len()["len"].to_numpy().astype(np.int64)
    hours = (actions.group_by("visit").agg(pl.col("at").min())["at"].to_numpy() // 3600).astype(np.int64)
    every = ((actions["at"].to_numpy() // 3600) % 24).astype(np.int64)
    return {
        **_pace(actions),
        "count_share": _shares(counts, 200),
        "first_kind": _shares(code[first], 3),
        "next_kind": [_round(row / row.sum()) for row in steps],
        "gap_shift": _round([normal_scores(gap[~first])[code[~first] == one].mean() for one in range(3)]),
        "revisit": _revisits(actions.filter(pl.col("kind") == "view")),
        "held": _held(actions),
        "hour": _shares(hours % 24, 24),
        "action_hour": _shares(every, 24),
        # Nine days, Saturday to Sunday: each weekday's share per day of it.
        "weekday": _round(_per_day((hours // 24 + 3) % 7, hours // 24)),
    }


def _per_day(weekday: NDArray[np.int64], day: NDArray[np.int64]) -> Floats:
    counts = np.bincount(weekday, minlength=7) / np.array([len(np.unique(day[weekday == one])) for one in range(7)])
    return np.asarray(counts / counts.sum())


def _trade(tables: Tables) -> dict[str, Any]:
    orders = _bought(tables)
    lines = tables.lines.join(orders.select("invoice", "lines"), on="invoice", how="inner", maintain_order="left")
    price, quantity = lines["price"].to_numpy().astype(np.float64), lines["quantity"].to_numpy().astype(np.float64)
    edges = np.unique(np.quantile(price, np.linspace(0, 1, _PRICE_CLASSES + 1)[1:-1]))
    classes = np.searchsorted(edges, price, side="right")
    quantity_score, within = np.empty(len(price)), []
    for one in range(len(edges) + 1):
        rows = np.flatnonzero(classes == one)
        quantity_score[rows] = normal_scores(quantity[rows])
        within.append(_round(np.quantile(quantity[rows], np.linspace(0.0, 1.0, 101)), 0))
    scored = lines.with_columns(q=pl.Series(quantity_score), p=pl.Series(normal_scores(price)))
    by_order = scored.group_by("invoice", maintain_order=True).agg(pl.col("q").mean(), pl.col("p").mean(), pl.len())
    between_q, between_p = (_between(scored, name) for name in ("q", "p"))
    sized = by_order.filter(pl.col("len") >= 2)
    repeats = _repeats(tables.invoices)
    in_block = repeats.group_by("customer", "block").len()["len"].to_numpy().astype(np.int64)
    hours = ((orders["at"].to_numpy() // 3600 + 72) % 168).astype(np.int64)
    return {
        "lines": _round(np.quantile(orders["lines"].to_numpy(), _FINE), 0),
        "price": _round(np.quantile(price, _FINE), 2),
        "price_edges": _round(edges, 2),
        "quantity": within,
        "quantity_alike": round(between_q, 4),
        "price_alike": round(between_p, 4),
        "quantity_by_lines": round(
            float(np.corrcoef(sized["q"].to_numpy(), normal_scores(sized["len"].to_numpy().astype(np.float64)))[0, 1]),
            4,
        ),
        "hour_of_week": _shares(hours, 168),
        "repeat_days": _round(np.quantile(repeats["days"].drop_nulls().to_numpy(), _LEVELS), 4),
        "orders_in_block": _shares(in_block, 16),
        "block_days": [BLOCK_DAYS],
        "cancelled_share": round(float(tables.invoices["cancelled"].mean()), 4),  # type: ignore[arg-type]
        "popularity": _popularity(lines["item"]),
    }


def _between(scored: pl.DataFrame, name: str) -> float:
    """Variance between orders, freed from that of the mean within them (one-way analysis of variance)."""
    groups = scored.group_by("invoice", maintain_order=True).agg(
        pl.col(name).mean().alias("mean"), pl.col(name).var().alias("var"), pl.len()
    )
    groups = groups.filter(pl.col("len") >= 2)
    degrees = groups["len"].to_numpy() - 1
    within = float((groups["var"].to_numpy() * degrees).sum() / degrees.sum())
    means = groups["mean"].to_numpy()
    return float(np.var(means) - np.mean(within / groups["len"].to_numpy()))


def _purchase(tables: Tables) -> dict[str, Any]:
    visits = tables.visits
    rank = np.argsort(np.argsort(visits["pages"].to_numpy(), kind="stable"), kind="stable")
    fifth = rank * 5 // len(rank)
    bought, weekend = visits["bought"].to_numpy(), visits["weekend"].to_numpy()
    return {
        "by_fifth": _round([bought[fifth == one].mean() for one in range(5)]),
        "on_weekdays": round(float(bought[~weekend].mean()), 4),
        "on_weekends": round(float(bought[weekend].mean()), 4),
        "weekend_share": round(float(weekend.mean()), 4),
    }


def fit(tables: Tables) -> dict[str, Any]:
    """Every parameter, by the part of the shop that it is for."""
    return {
        "sources": SOURCES,
        "levels": _round(_LEVELS),
        "places": list(PLACES),
        "web": _web(tables),
        "app": _app(tables),
        "trade": _trade(tables),
        "purchase": _purchase(tables),
    }


if __name__ == "__main__":
    OUT.write_text(json.dumps(fit(read_real(Path(sys.argv[1]))), separators=(",", ":")) + "\n", "utf-8")
