"""The tables of a result, made from visitor-days and their judgement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.features.network import networks_of, parse_addresses
from floorwalker.features.visitors import FEATURES
from floorwalker.features.visitors import _columns as c
from floorwalker.scan.judging import Judgement
from floorwalker.scan.reading import Reading
from floorwalker.scan.result import CATEGORIES, TIERS
from floorwalker.scan.visitor_days import ROLE_COLUMN, Rows, VisitorDays

EPOCH = date(1970, 1, 1)
ACTIVITY_LIFT = 1.8
TOP_ROUTES = 3
MOST_TOLD = 5000
FEWEST_DAYS = 3
CATEGORY_COLUMNS = tuple(f"{name}_visitors" for name in CATEGORIES)
SENSITIVE_ROLES = ("offer", "login", "basket", "checkout")


def feature_units() -> dict[str, str]:
    """Unit of each feature."""
    return {feature.name: feature.unit for feature in FEATURES}


def visitor_frame(days: VisitorDays, machines: pl.DataFrame, judgement: Judgement) -> pl.DataFrame:
    """`ScanResult.visitors`."""
    rows = judgement.rows
    client = days.text("client", rows)
    tiers = np.where(judgement.tier < 0, len(TIERS), judgement.tier).astype(np.int64)
    flagged = judgement.tier >= 0
    return pl.DataFrame(
        {
            "visitor": days.visitor[rows].astype(np.int32),
            "day": _dates(days.day[rows]),
            "host": days.text("host", rows),
            "client": client,
            "network": networks_of(parse_addresses(client)),
            "session": days.text("session", rows),
            "user_agent": days.text("user_agent", rows),
            "category": pl.Series(CATEGORIES).gather(pl.Series(judgement.category.astype(np.int64))),
            "score": judgement.score,
            "rank": judgement.rank,
            "flagged": flagged,
            "tier": pl.Series([*TIERS, None], dtype=pl.String).gather(pl.Series(tiers)),
            "pattern": _of_flagged([codes[0] for codes in judgement.codes], judgement.flagged, len(rows), pl.String()),
            "reason_codes": _of_flagged(judgement.codes, judgement.flagged, len(rows), pl.List(pl.String)),
            "reasons": _of_flagged(judgement.sentences, judgement.flagged, len(rows), pl.List(pl.String)),
            "checkouts": days.stat(c.CHECKOUTS_DONE)[rows].astype(np.int32),
            "first_at": days.local_time(c.FIRST_AT, rows),
            "last_at": days.local_time(c.LAST_AT, rows),
            "top_routes": _top_routes(days, rows, judgement.flagged),
            **{feature.name: judgement.features[feature.name].astype(np.float32) for feature in FEATURES},
        }
    )


def _top_routes(days: VisitorDays, rows: Rows, flagged: Rows) -> pl.Series:
    """The routes that a visitor asked for most; of the flagged only, where listing everybody's would take long."""
    told = np.arange(len(rows)) if len(rows) <= MOST_TOLD else flagged
    owner, route, count = days.reading.visitors.routes_of(rows[told])
    names = pl.Series(days.reading.routes.routes, dtype=pl.String)
    texts = (
        pl.DataFrame({"owner": owner, "route": names.gather(pl.Series(route)), "count": count})
        .group_by("owner", maintain_order=True)
        .head(TOP_ROUTES)
        .group_by("owner", maintain_order=True)
        .agg(pl.format("{} × {}", "count", "route").alias("texts"))
    )
    wanted = pl.DataFrame({"owner": rows[told].astype(np.int64)})
    lists = wanted.join(texts, on="owner", how="left", maintain_order="left")["texts"].to_list()
    return _of_flagged([value or [] for value in lists], told, len(rows), pl.List(pl.String))


def _of_flagged(values: list[Any], flagged: Rows, count: int, dtype: pl.DataType) -> pl.Series:
    """Values of the flagged rows spread over all rows: an empty list, or null, elsewhere."""
    place = np.full(count, len(values), np.int64)
    place[flagged] = np.arange(len(values))
    if isinstance(dtype, pl.List):
        return _lists(values).gather(pl.Series(place))
    return pl.Series([*values, None], dtype=dtype).gather(pl.Series(place))


def _lists(values: Sequence[Sequence[str]]) -> pl.Series:
    """Lists of texts as a column, an empty list behind them; from one flat column, ten times as fast as by list."""
    flat = [text for texts in values for text in texts]
    owner = np.repeat(np.arange(len(values)), [len(texts) for texts in values])
    grouped = pl.DataFrame({"owner": owner, "text": pl.Series(flat, dtype=pl.String)}).group_by("owner").agg("text")
    all_owners = pl.DataFrame({"owner": np.arange(len(values) + 1)})
    return all_owners.join(grouped, on="owner", how="left", maintain_order="left")["text"].fill_null(
        pl.Series([[]], dtype=pl.List(pl.String))
    )


def other_visitors(days: VisitorDays, judgement: Judgement) -> pl.DataFrame:
    """Visitor-days that were not judged alone, too sparse or on other days: `visitor`, `client`, `checkouts`.

    A blocklist must know them, since they share addresses with the flagged.
    """
    rest = np.ones(len(days), bool)
    rest[judgement.rows] = False
    rows = np.flatnonzero(rest)
    return pl.DataFrame(
        {
            "visitor": days.visitor[rows].astype(np.int32),
            "client": days.text("client", rows),
            "checkouts": days.stat(c.CHECKOUTS_DONE)[rows].astype(np.int32),
        }
    )


def machine_frame(days: VisitorDays, machines: pl.DataFrame) -> pl.DataFrame:
    """`ScanResult.machines`: visitors set apart, over all days, busiest first."""
    rows = np.flatnonzero(machines["kind"].is_not_null().to_numpy())
    return (
        machines[rows]
        .select("kind", "name", "verdict", "evidence", "impostor")
        .with_columns(
            days.text("client", rows),
            days.text("user_agent", rows),
            pl.Series("requests", days.stat(c.REQUESTS)[rows].astype(np.int64)),
        )
        .group_by("client", "user_agent", "kind", "name", maintain_order=True)
        .agg(
            pl.col("verdict").first(),
            pl.col("requests").sum(),
            pl.col("evidence").first(),
            pl.col("impostor").any(),
        )
        .sort("requests", descending=True)
    )


def route_frame(reading: Reading) -> pl.DataFrame:
    """`ScanResult.routes`, busiest first."""
    count = len(reading.requests_by_route)
    _, visitors = reading.visitors.route_counts(count)
    urls = np.bincount(reading.route_of_target, minlength=count)
    example = np.full(count, -1, np.int32)
    example[reading.route_of_target[::-1]] = np.arange(len(reading.route_of_target), dtype=np.int32)[::-1]
    return (
        pl.DataFrame(
            {
                "route": pl.Series(reading.routes.routes[:count], dtype=pl.String),
                "role": pl.Series(reading.routes.roles[:count], dtype=pl.String),
                "requests": reading.requests_by_route,
                "visitors": visitors[:count],
                "urls": urls.astype(np.int64),
                "example": reading.log.tables.target.texts(example),
            }
        )
        .filter(pl.col("requests") > 0)
        .sort("requests", descending=True)
    )


def day_frame(
    days: VisitorDays, visitors: pl.DataFrame, *, judged: Sequence[int], training: Sequence[int]
) -> pl.DataFrame:
    """`ScanResult.days`: an activity day draws at least 1.8 times the usual requests to offers, among three days or
    more."""
    all_days = pl.DataFrame(
        {
            "day": _dates(days.day),
            "requests": days.stat(c.REQUESTS).astype(np.int64),
            "offers": days.stat(ROLE_COLUMN["offer"]).astype(np.int64),
        }
    )
    table = (
        all_days.group_by("day")
        .agg(pl.col("requests").sum(), pl.len().cast(pl.Int64).alias("visitors"), pl.col("offers").sum())
        .sort("day")
    )
    enough = len(table) >= FEWEST_DAYS
    usual = float(np.median(table["offers"].to_numpy())) if len(table) else 0.0
    active = table["offers"].to_numpy() >= ACTIVITY_LIFT * max(usual, 1.0) if enough else np.zeros(len(table), bool)
    counts = visitors.group_by("day").agg(
        pl.col("flagged").sum().cast(pl.Int64).alias("flagged"),
        *[(pl.col("category") == name).sum().cast(pl.Int64).alias(f"{name}_visitors") for name in CATEGORIES],
    )
    return (
        table.with_columns(
            pl.Series("activity", active),
            pl.col("day").is_in(_dates(np.array(training, np.int64)).implode()).alias("in_training"),
            pl.col("day").is_in(_dates(np.array(judged, np.int64)).implode()).alias("judged"),
        )
        .join(counts, on="day", how="left", maintain_order="left")
        .with_columns(pl.col("flagged", *CATEGORY_COLUMNS).fill_null(0))
        .select("day", "requests", "visitors", "flagged", "activity", "in_training", "judged", *CATEGORY_COLUMNS)
    )


def _dates(day: NDArray[np.int64]) -> pl.Series:
    return pl.Series("day", day.astype(np.int32)).cast(pl.Date)


def day_text(day: int) -> str:
    """A day number as a date.

    >>> day_text(18942)
    '2021-11-11'
    """
    return (EPOCH + timedelta(days=int(day))).isoformat()
