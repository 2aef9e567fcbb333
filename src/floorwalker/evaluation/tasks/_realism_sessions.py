"""Can a boosted tree tell real visits from simulated ones? A classifier two-sample test (Lopez-Paz and Oquab 2017)."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.evaluation.tasks._realism_tables import Tables
from floorwalker.metrics import roc_auc

MOST = 12_000
"""Visits of each kind."""
_DAY = 86_400.0


def describe_visits(table: pl.DataFrame, *, kinds: bool, shares: bool = False) -> pl.DataFrame:
    """One row a visit: numbers that both sides know.

    Parameters
    ----------
    table : actions with `visit`, `at` (seconds) and `item`, `kind` where `kinds` is asked for, and `user` where visits
        of one customer are known to be.
    shares : beside them the mean logarithm of the items' shares of the table's actions, which tells a shop of thousands
        of things from one of millions whatever people do there.

    Counts, length, logarithms of the pauses (mean, least, most, spread, first, last), different items, repeats of the
    item before, hour and weekday, how popular the items are in their own shop (`stand`: their mean, least, most); with
    `kinds` the carts, the purchases and the first and last action too.
    """
    at, item = pl.col("at"), pl.col("item")
    gap = (at.diff().over("visit").clip(0.5)).log()
    table = table.sort("visit", "at", maintain_order=True).with_columns(
        gap=gap, again=(item == item.shift(1).over("visit")).cast(pl.Float64)
    )
    table = stand(table)
    columns = {
        "count": pl.len(),
        "seconds": (at.max() - at.min()).log1p(),
        "gap_mean": pl.col("gap").mean(),
        "gap_least": pl.col("gap").min(),
        "gap_most": pl.col("gap").max(),
        "gap_spread": pl.col("gap").std(),
        "gap_first": pl.col("gap").drop_nulls().first(),
        "gap_last": pl.col("gap").last(),
        "distinct": item.n_unique() / pl.len(),
        "again": pl.col("again").mean(),
        "hour": (at.min() // 3600) % 24,
        "weekday": (at.min() // 86_400 + 3) % 7,
        "popularity": pl.col("standing").mean(),
        "popularity_least": pl.col("standing").min(),
        "popularity_most": pl.col("standing").max(),
    }
    if kinds:
        kind = pl.col("kind").replace_strict({"view": 0, "cart": 1, "buy": 2}, return_dtype=pl.Int64)
        columns |= {
            "carts": (pl.col("kind") == "cart").sum(),
            "purchases": (pl.col("kind") == "buy").sum(),
            "first_kind": kind.first(),
            "last_kind": kind.last(),
        }
    if shares:
        table = table.with_columns(share=(pl.len().over("item") / pl.len()).log())
        columns["share"] = pl.col("share").mean()
    return table.group_by("visit", maintain_order=True).agg(**columns).drop("visit")


def stand(table: pl.DataFrame) -> pl.DataFrame:
    """The table with a column `standing`: the place of each action's item among all, from rarely wanted to most wanted.

    The share of the table's actions on items that fewer people wanted (visits, where people are not known), and a drawn
    part of the item's own share: between 0 and 1 and, over all actions, evenly spread in every shop, however many
    things it has and however small the sample. Items that equally many people wanted stand in a drawn order. Without
    the draws (fixed ones) the number of ties and the very shares of the items would tell one shop from another: the
    randomised probability integral transform of a discrete variable (Brockwell 2007).
    """
    who = "user" if "user" in table.columns else "visit"
    items = (
        table.group_by("item")
        .agg(people=pl.col(who).n_unique(), actions=pl.len())
        .sort("people", pl.col("item").hash(seed=0x57A), "item")
        .with_columns(before=pl.col("actions").cum_sum() - pl.col("actions"))
    )
    placed = table.join(items.select("item", "actions", "before"), on="item", how="left", maintain_order="left")
    drawn = pl.Series("drawn", np.random.default_rng(0x57A).random(len(table)))
    return placed.with_columns(standing=(pl.col("before") + drawn * pl.col("actions")) / len(table)).drop(
        "actions", "before"
    )


def same_days(real: pl.DataFrame, simulated: pl.DataFrame) -> pl.DataFrame:
    """Visits of as many whole days in a row, beginning on the same weekday, in the middle of the simulated run."""
    first = np.floor(float(np.quantile(real["at"].to_numpy(), 0.001)) / _DAY)
    days = int(np.floor(float(np.quantile(real["at"].to_numpy(), 0.999)) / _DAY) - first) + 1
    begin = np.floor(float(simulated["at"].min()) / _DAY) + 3  # type: ignore[arg-type]
    begin += (first - begin) % 7
    start = pl.col("at").min().over("visit") / _DAY
    return simulated.filter((start >= begin) & (start < begin + days))


def tell_apart(
    real: pl.DataFrame, simulated: pl.DataFrame, *, seed: int, trees: int = 150
) -> tuple[float, dict[str, float]]:
    """Cross-validated ROC AUC of a boosted tree, and of the best of the fields alone.

    Parameters
    ----------
    real, simulated : by `describe_visits`; the larger one is thinned to the smaller one's rows.
    trees : of the boosted model.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    rows = min(len(real), len(simulated), MOST)
    rng = np.random.default_rng([seed, 0xC25])
    parts = [
        table[np.sort(rng.permutation(len(table))[:rows])].cast(pl.Float64).to_numpy() for table in (real, simulated)
    ]
    values = np.concatenate(parts)
    label = np.repeat([0, 1], rows)
    model = HistGradientBoostingClassifier(random_state=seed, max_iter=trees)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    # One thread: small trees gain nothing from more, and suffer where the machine is busy.
    with threadpool_limits(1):
        told: NDArray[np.float64] = cross_val_predict(model, values, label, cv=folds, method="predict_proba")[:, 1]
    single = {}
    for place, name in enumerate(real.columns):
        column = np.nan_to_num(values[:, place], nan=-1.0)
        area = roc_auc(label == 1, column)
        single[name] = round(float(max(area, 1.0 - area)), 4)
    return float(roc_auc(label == 1, told)), single


def compare_sessions(
    real: Tables, simulated: Tables, *, seed: int, shares: bool = False
) -> dict[str, tuple[float, dict[str, float]]]:
    """For web visits (YooChoose) and app visits (Taobao): how well a boosted tree tells them apart.

    `shares` as `describe_visits` takes it.
    """
    answer = {}
    for name, table, kinds in (("yoochoose", "clicks", False), ("taobao", "actions", True)):
        one, other = getattr(real, table), getattr(simulated, table)
        both = (describe_visits(some, kinds=kinds, shares=shares) for some in (one, same_days(one, other)))
        answer[name] = tell_apart(*both, seed=seed)
    return answer
