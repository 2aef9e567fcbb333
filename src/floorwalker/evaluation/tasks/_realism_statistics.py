"""What real and simulated shops are compared by: marginals, joint statistics, and the distances between them.

Every distance lies in [0, 1]: Kolmogorov and Smirnov's for numbers, total variation for kinds and for grids of two
numbers, the largest gap between two Lorenz curves for popularity, the plain difference for shares. Grids are cut at the
quantiles of the first sample, which is the real one, or its earlier half.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.evaluation.tasks._realism_tables import BLOCK_DAYS, Tables

Floats = NDArray[np.float64]
LEAST_BOUND = 0.05
"""No bound is stricter than this."""
_DAY = 86_400.0
_CURVE_ROWS = 20_000


@dataclass(frozen=True)
class Statistic:
    """One comparison.

    Parameters
    ----------
    name : its key.
    source : the real data set.
    meaning : in one line.
    joint : whether it looks at two quantities at once.
    distance : of two sets of tables, the real one first.
    """

    name: str
    source: str
    meaning: str
    joint: bool
    distance: Callable[[Tables, Tables], float]


def kolmogorov(one: Floats, other: Floats) -> float:
    """The largest difference between two distribution functions.

    >>> kolmogorov(np.array([1.0, 2.0]), np.array([1.0, 2.0, 2.0, 1.0])), kolmogorov(np.zeros(3), np.ones(3))
    (0.0, 1.0)
    """
    if not len(one) or not len(other):
        return 1.0
    edges = np.union1d(one, other)
    first = np.searchsorted(np.sort(one), edges, side="right") / len(one)
    second = np.searchsorted(np.sort(other), edges, side="right") / len(other)
    return float(np.abs(first - second).max())


def total_variation(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Half the summed difference of the shares of kinds, given as small whole numbers.

    >>> total_variation(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
    0.25
    """
    if not len(one) or not len(other):
        return 1.0
    size = int(max(one.max(), other.max())) + 1
    first = np.bincount(one, minlength=size) / len(one)
    second = np.bincount(other, minlength=size) / len(other)
    return float(np.abs(first - second).sum() / 2)


def lorenz_distance(one: list[str], other: list[str]) -> float:
    """The largest gap between the shares that the most popular items take, at equally long samples."""
    rows = min(len(one), len(other), _CURVE_ROWS)
    if not rows:
        return 1.0
    grid = np.linspace(0.0, 1.0, 201)
    curves = []
    for items in (one, other):
        places = np.linspace(0, len(items) - 1, rows).astype(np.int64)
        counts = np.sort(np.unique(np.asarray(items, dtype=object)[places].astype(str), return_counts=True)[1])[::-1]
        share = np.concatenate([[0.0], np.cumsum(counts) / rows])
        curves.append(np.interp(grid, np.linspace(0.0, 1.0, len(share)), share))
    return float(np.abs(curves[0] - curves[1]).max())


def grid_distance(one: tuple[Floats, Floats], other: tuple[Floats, Floats], bins: int = 5) -> float:
    """Total variation over a grid cut at the quantiles of the first sample's two columns."""
    if not len(one[0]) or not len(other[0]):
        return 1.0
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1])) for column in one]
    cells = []
    for pair in (one, other):
        first, second = (np.searchsorted(edge, column, side="right") for edge, column in zip(edges, pair, strict=True))
        cells.append((first * (len(edges[1]) + 1) + second).astype(np.int64))
    return total_variation(cells[0], cells[1])


def own_ranks(values: Floats) -> Floats:
    """Ranks within the sample, 0 to 1: compares shapes of things that are counted differently."""
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return np.asarray((order + 0.5) / max(1, len(values)))


def _floats(table: pl.DataFrame, name: str | pl.Expr) -> Floats:
    return table.select(name).to_series().drop_nulls().cast(pl.Float64).to_numpy()


def _gaps(table: pl.DataFrame) -> pl.DataFrame:
    at, place = pl.col("at"), pl.int_range(pl.len())
    return table.sort("visit", "at", maintain_order=True).with_columns(
        gap=at.diff().over("visit"), before=at.diff().shift(1).over("visit"), place=place.over("visit")
    )


def _visits(table: pl.DataFrame) -> pl.DataFrame:
    at, item = pl.col("at"), pl.col("item")
    return _gaps(table).group_by("visit", maintain_order=True).agg(
        count=pl.len(),
        seconds=at.max() - at.min(),
        distinct=item.n_unique() / pl.len(),
        gap=pl.col("gap").median(),
    )  # fmt: skip


def _repeats(invoices: pl.DataFrame) -> pl.DataFrame:
    bought = invoices.filter(~pl.col("cancelled"), pl.col("amount") > 0)
    start = bought["at"].min()
    block = ((pl.col("at") - start) // (BLOCK_DAYS * _DAY)).cast(pl.Int64)
    return bought.with_columns(block=block).sort("customer", "at").with_columns(
        days=pl.col("at").diff().over("customer", "block") / _DAY
    )  # fmt: skip


def _bought(tables: Tables) -> pl.DataFrame:
    return tables.invoices.filter(~pl.col("cancelled"), pl.col("amount") > 0)


def _steps(tables: Tables) -> NDArray[np.int64]:
    """Pairs of an action and the next: begin, view, cart, buy, end."""
    code = pl.col("kind").replace_strict({"view": 1, "cart": 2, "buy": 3}, return_dtype=pl.Int64)
    table = tables.actions.sort("visit", "at", maintain_order=True).select("visit", code=code)
    before = pl.col("code").shift(1).over("visit").fill_null(0)
    steps = table.with_columns(before=before, last=pl.col("visit") != pl.col("visit").shift(-1).fill_null(-1))
    pairs = steps.select(pl.col("before") * 5 + pl.col("code")).to_series().to_numpy()
    ends = steps.filter(pl.col("last")).select(pl.col("code") * 5 + 4).to_series().to_numpy()
    return np.concatenate([pairs, ends]).astype(np.int64)


def _hour(table: pl.DataFrame) -> NDArray[np.int64]:
    return ((_floats(table, "at") // 3600) % 24).astype(np.int64)


def _hour_of_week(table: pl.DataFrame) -> NDArray[np.int64]:
    return ((_floats(table, "at") // 3600) % 168).astype(np.int64)


def _kinds(tables: Tables) -> NDArray[np.int64]:
    codes = tables.actions["kind"].replace_strict({"view": 0, "cart": 1, "buy": 2}, return_dtype=pl.Int64)
    return codes.to_numpy().astype(np.int64)


def _by(measure: Callable[[Tables], Floats]) -> Callable[[Tables, Tables], float]:
    return lambda real, other: kolmogorov(measure(real), measure(other))


def _of_kinds(measure: Callable[[Tables], NDArray[np.int64]]) -> Callable[[Tables, Tables], float]:
    return lambda real, other: total_variation(measure(real), measure(other))


def _of_shares(measure: Callable[[Tables], Floats]) -> Callable[[Tables, Tables], float]:
    return lambda real, other: abs(float(measure(real).mean()) - float(measure(other).mean()))


def _pairs(table: pl.DataFrame, first: str, second: str) -> tuple[Floats, Floats]:
    both = table.select(pl.col(first).cast(pl.Float64), pl.col(second).cast(pl.Float64)).drop_nulls()
    return both[first].to_numpy(), both[second].to_numpy()


def _of_grid(measure: Callable[[Tables], tuple[Floats, Floats]]) -> Callable[[Tables, Tables], float]:
    return lambda real, other: grid_distance(measure(real), measure(other))


def _pages_and_purchase(tables: Tables) -> NDArray[np.int64]:
    quintile = np.minimum((own_ranks(_floats(tables.visits, "pages")) * 5).astype(np.int64), 4)
    return quintile * 2 + _floats(tables.visits, "bought").astype(np.int64)


def _weekend_and_purchase(tables: Tables) -> NDArray[np.int64]:
    return (_floats(tables.visits, "weekend") * 2 + _floats(tables.visits, "bought")).astype(np.int64)


_YOOCHOOSE, _TAOBAO = "clickstream_samples (YooChoose)", "clickstream_samples (Taobao)"
_RETAIL, _SHOPPERS, _ZANBIL = "online_retail", "online_shoppers", "access_logs (zanbil)"

STATISTICS: tuple[Statistic, ...] = (
    Statistic("item_gap", _YOOCHOOSE, "seconds between two views of items in a web visit", False,
              _by(lambda t: _floats(_gaps(t.clicks), "gap"))),
    Statistic("visit_items", _YOOCHOOSE, "views of items in a web visit", False,
              _by(lambda t: _floats(_visits(t.clicks), "count"))),
    Statistic("visit_seconds", _YOOCHOOSE, "from the first to the last view of an item in a web visit", False,
              _by(lambda t: _floats(_visits(t.clicks), "seconds"))),
    Statistic("distinct_items", _YOOCHOOSE, "different items among the views of a web visit (revisits)", False,
              _by(lambda t: _floats(_visits(t.clicks), "distinct"))),
    Statistic("item_popularity", _YOOCHOOSE, "share of the views that the most popular items take", False,
              lambda real, other: lorenz_distance(real.clicks["item"].to_list(), other.clicks["item"].to_list())),
    Statistic("action_gap", _TAOBAO, "seconds between two actions in an app visit", False,
              _by(lambda t: _floats(_gaps(t.actions), "gap"))),
    Statistic("visit_actions", _TAOBAO, "actions in an app visit", False,
              _by(lambda t: _floats(_visits(t.actions), "count"))),
    Statistic("action_kinds", _TAOBAO, "views, carts and purchases among the actions", False, _of_kinds(_kinds)),
    Statistic("hour_of_day", _TAOBAO, "local hour of an action", False, _of_kinds(lambda t: _hour(t.actions))),
    Statistic("order_hour_of_week", _RETAIL, "hour of the week of an order", False,
              _of_kinds(lambda t: _hour_of_week(_bought(t)))),
    Statistic("order_lines", _RETAIL, "lines of an order", False, _by(lambda t: _floats(_bought(t), "lines"))),
    Statistic("order_amount", _RETAIL, "value of an order", False, _by(lambda t: _floats(_bought(t), "amount"))),
    Statistic("unit_price", _RETAIL, "price of a piece, by line", False, _by(lambda t: _floats(t.lines, "price"))),
    Statistic("line_quantity", _RETAIL, "pieces on a line", False, _by(lambda t: _floats(t.lines, "quantity"))),
    Statistic("line_popularity", _RETAIL, "share of the lines that the most popular items take", False,
              lambda real, other: lorenz_distance(real.lines["item"].to_list(), other.lines["item"].to_list())),
    Statistic("cancelled_share", _RETAIL, "share of invoices that take goods back", False,
              _of_shares(lambda t: _floats(t.invoices, "cancelled"))),
    Statistic("repeat_days", _RETAIL, "days to a customer's next order within thirty days", False,
              _by(lambda t: _floats(_repeats(t.invoices), "days"))),
    Statistic("orders_in_30_days", _RETAIL, "orders of a customer who buys within thirty days", False,
              _by(lambda t: _floats(_repeats(t.invoices).group_by("customer", "block").len(), "len"))),
    Statistic("purchase_share", _SHOPPERS, "share of visits that end in an order", False,
              _of_shares(lambda t: _floats(t.visits, "bought"))),
    Statistic("weekend_share", _SHOPPERS, "share of visits on Saturday and Sunday", False,
              _of_shares(lambda t: _floats(t.visits, "weekend"))),
    Statistic("page_gap", _ZANBIL, "seconds between two pages that an address and browser ask for", False,
              _by(lambda t: _floats(t.requests.with_columns(gap=pl.col("at").diff().over("visitor")), "gap"))),
    Statistic("gap_by_position", _YOOCHOOSE, "gap × place in the visit", True,
              _of_grid(lambda t: _pairs(_gaps(t.clicks), "gap", "place"))),
    Statistic("gap_by_gap_before", _YOOCHOOSE, "gap × the gap before it", True,
              _of_grid(lambda t: _pairs(_gaps(t.clicks), "gap", "before"))),
    Statistic("items_by_pace", _YOOCHOOSE, "views in a visit × its median gap", True,
              _of_grid(lambda t: _pairs(_visits(t.clicks), "count", "gap"))),
    Statistic("distinct_by_items", _YOOCHOOSE, "different items × views in a visit", True,
              _of_grid(lambda t: _pairs(_visits(t.clicks), "distinct", "count"))),
    Statistic("funnel", _TAOBAO, "an action × the next one, begin and end included", True, _of_kinds(_steps)),
    Statistic("kind_by_hour", _TAOBAO, "kind of action × six parts of the day", True,
              _of_kinds(lambda t: _hour(t.actions) // 4 * 3 + _kinds(t))),
    Statistic("amount_by_lines", _RETAIL, "value × lines of an order", True,
              _of_grid(lambda t: _pairs(_bought(t), "amount", "lines"))),
    Statistic("price_by_quantity", _RETAIL, "price × pieces of a line", True,
              _of_grid(lambda t: _pairs(t.lines, "price", "quantity"))),
    Statistic("purchase_by_pages", _SHOPPERS, "order or none × fifth of the visits by their pages", True,
              _of_kinds(_pages_and_purchase)),
    Statistic("purchase_by_weekend", _SHOPPERS, "order or none × weekend", True, _of_kinds(_weekend_and_purchase)),
)  # fmt: skip
"""Every statistic, marginals first."""


def measure_bounds(real: Tables) -> dict[str, float]:
    """For each statistic max(.05, twice the distance between the earlier and the later half of the real data)."""
    halves = real.half(0), real.half(1)
    return {one.name: max(LEAST_BOUND, round(2.0 * one.distance(*halves), 4)) for one in STATISTICS}
