"""What lists inside an event could betray: an order's lines, its coupons; their values, their order, their sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.float64]]


def list_columns(name: str, column: pl.Series, texts: Callable[[str, pl.Series], Columns]) -> Columns:
    """Numbers that a list can be told by: float64 [n] a column.

    Parameters
    ----------
    name : of the field.
    column : lists of texts, numbers or records, n rows.
    texts : makes the columns of a column of texts, as for a plain field.

    Its length; of texts the first, the last and all of them together; of numbers the first, last, lowest, highest, sum,
    the last digits of first and sum, and whether they rise or fall; of records each of their fields.
    """
    made: Columns = {f"length/{name}": floats(column.list.len())}
    inner = column.dtype.inner  # type: ignore[attr-defined]
    if not isinstance(inner, pl.Struct):
        return made | _values(name, column, inner, texts)
    for field in inner.fields:
        part = column.list.eval(pl.element().struct.field(field.name))
        made |= _values(f"{name}.{field.name}", part, field.dtype, texts)
    return made


def sums_columns(events: pl.DataFrame) -> Columns:
    """Whether an order's amounts are what its lines add up to: what is written by another hand may not be.

    Parameters
    ----------
    events : n rows of the events' table; without lines and amounts the answer is empty.
    """
    if not {"lines", "amount_minor", "list_price_minor"} <= set(events.columns):
        return {}
    lines = pl.col("lines").list
    fields = {field.name for field in events["lines"].dtype.inner.fields}  # type: ignore[attr-defined]
    if not {"price_minor", "list_price_minor", "quantity"} <= fields:
        return {}
    one = pl.element().struct.field
    saved = pl.col("discount_minor").fill_null(0) if "discount_minor" in events.columns else pl.lit(0)
    made = events.select(
        paid=lines.eval(one("price_minor") * one("quantity")).list.sum() - pl.col("amount_minor") - saved,
        listed=lines.eval(one("list_price_minor") * one("quantity")).list.sum() - pl.col("list_price_minor"),
        least=lines.eval(one("price_minor") / one("list_price_minor")).list.min(),
        mean=lines.eval(one("price_minor") / one("list_price_minor")).list.mean(),
        none=lines.len() == 0,
    )
    blank = made["none"].fill_null(True).to_numpy()
    found = {f"lines/{name}": floats(made[name]) for name in ("paid", "listed", "least", "mean")}
    for values in found.values():
        values[blank] = np.nan
    return found


def floats(column: pl.Series) -> NDArray[np.float64]:
    """A column as numbers, NaN where it says nothing."""
    return np.array(column.cast(pl.Float64).fill_null(np.nan).to_numpy(), np.float64)


def _values(name: str, column: pl.Series, kind: Any, texts: Callable[[str, pl.Series], Columns]) -> Columns:
    """Columns of lists of texts, numbers or truth values."""
    # An empty list has no values, and an absent one neither.
    full = column.list.drop_nulls()
    share = floats(column.list.eval(pl.element().is_null().cast(pl.Float64)).list.mean())
    made: Columns = {}
    if np.nansum(share) > 0:
        made[f"missing/{name}"] = share
    if full.list.len().fill_null(0).sum() == 0:
        return made
    if kind == pl.String:
        made |= texts(f"{name}[first]", full.list.first())
        made |= texts(f"{name}[last]", full.list.last())
        made |= texts(f"{name}[all]", full.list.eval(pl.element().sort()).list.join("+"))
        made[f"distinct/{name}"] = floats(full.list.n_unique()) / np.maximum(floats(full.list.len()), 1.0)
        return made
    numbers = full.list.eval(pl.element().cast(pl.Float64))
    first, total = floats(numbers.list.first()), floats(numbers.list.sum())
    total[floats(numbers.list.len()) == 0] = np.nan
    made |= {
        f"first/{name}": first,
        f"last/{name}": floats(numbers.list.last()),
        f"lowest/{name}": floats(numbers.list.min()),
        f"highest/{name}": floats(numbers.list.max()),
        f"sum/{name}": total,
        f"rises/{name}": floats(numbers.list.eval(pl.element().diff(null_behavior="drop").sign()).list.mean()),
    }
    if name.endswith("_minor"):
        for part, values in (("first", first), ("sum", total)):
            made[f"cents/{name}[{part}]"] = np.mod(values, 100)
            made[f"tens/{name}[{part}]"] = np.mod(values, 10)
    return made
