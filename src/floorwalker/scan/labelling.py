"""Checking a scan by hand: a sheet of visitors to label, and the labels back into precision and recall.

Paper B labelled 3,000 visitors a site to know how good its detectors were. A simple random sample would hold hardly an
abuser, so ours is stratified: by evidence tier, category and score, the unflagged included. Each row carries the
inverse of its chance to be drawn, and every figure is weighted by it, so that the sheet speaks for the whole log.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.errors import InputError, UsageError
from floorwalker.scan.export import FORMULA_STARTS
from floorwalker.scan.label_metrics import Judged, Scored, judge, judged_json, judged_table
from floorwalker.scan.labels import Labels, read_labels
from floorwalker.scan.masking import MASKED
from floorwalker.scan.phrases import printable
from floorwalker.scan.result import CATEGORIES, TIERS, ScanResult

if TYPE_CHECKING:
    from floorwalker.scan.comparison import Comparison
    from floorwalker.scan.job import ScanOutcome, ScanRequest

__all__ = [
    "Judged",
    "Labels",
    "Scored",
    "compare_detectors",
    "draw_sample",
    "judge",
    "judged_json",
    "judged_table",
    "read_labels",
    "visitor_keys",
    "write_sample",
]

DEFAULT_SIZE = 300
BANDS = (0.5, 0.8)
"""Shares of the cut-off that part the unflagged into low, middling and nearly flagged ones."""

INSTRUCTIONS = (
    "# Write yes in the column label where the visitor abuses the shop, no where it does not, ? where you cannot tell.",
    "# Judge by what the row shows and by the log itself. What the scan thought of a visitor is left out on purpose.",
    "# Leave key, stratum and weight as they are: they join the labels back to the log. Rows are in random order.",
)


def visitor_keys(visitors: pl.DataFrame) -> list[str]:
    """A key for each row that the next scan of the same log gives again: from day, host, client, session, user agent.

    >>> frame = pl.DataFrame({"day": ["2021-11-11"], "host": [None], "client": ["192.0.2.1"], "session": [None],
    ...                       "user_agent": ["curl/7"]})
    >>> visitor_keys(frame)
    ['25a15b445d00da14']
    """
    parts = [visitors[name].cast(pl.String).to_list() for name in ("day", "host", "client", "session", "user_agent")]
    return [
        hashlib.blake2b("\x1f".join(part or "" for part in row).encode("utf-8", "replace"), digest_size=8).hexdigest()
        for row in zip(*parts, strict=True)
    ]


def compare_detectors(request: ScanRequest, outcome: ScanOutcome, labels: Labels) -> Comparison:
    """Every detector against the labels, with and without merged routes (see `scan.comparison`)."""
    from floorwalker.scan.comparison import compare_detectors as compare  # it needs all of the scan, a sheet does not

    return compare(request, outcome, labels)


def choose_strata(result: ScanResult) -> NDArray[np.int64]:
    """A stratum for each row of `visitors`: tier by category for the flagged, score band by category for the others."""
    visitors = result.visitors
    category = visitors["category"].replace_strict(list(CATEGORIES), range(len(CATEGORIES)), default=len(CATEGORIES))
    tier = visitors["tier"].replace_strict(list(TIERS), range(len(TIERS)), default=len(TIERS) - 1).to_numpy()
    share = visitors["score"].to_numpy() / max(result.threshold, 1e-9)
    band = len(TIERS) + (len(BANDS) - np.searchsorted(np.array(BANDS), share, side="right"))
    level = np.where(visitors["flagged"].to_numpy(), tier, band)
    strata: NDArray[np.int64] = level.astype(np.int64) * (len(CATEGORIES) + 1) + category.to_numpy().astype(np.int64)
    return strata


def allocate(sizes: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
    """How many rows to draw of each stratum: in proportion to the square root of its size, at least two where it can.

    The square root lies between equal shares, which serve the rare strata, and proportional ones, which serve the sum.

    >>> allocate(np.array([4, 100, 10_000]), 30).tolist()
    [2, 4, 24]
    """
    if not len(sizes):
        return np.zeros(0, np.int64)
    drawn = np.minimum(sizes, 2)
    while drawn.sum() > wanted:
        drawn[np.argmax(drawn * 1e9 + sizes)] -= 1
    pull = np.sqrt(sizes)
    while drawn.sum() < min(wanted, int(sizes.sum())):
        room = sizes - drawn
        share = np.where(room > 0, pull, 0.0)
        extra = np.minimum(np.floor((wanted - drawn.sum()) * share / share.sum()).astype(np.int64), room)
        if not extra.any():
            extra[np.argmax(np.where(room > 0, pull / (drawn + 1), -1))] = 1
        drawn = drawn + extra
    result: NDArray[np.int64] = drawn
    return result


def draw_sample(result: ScanResult, n: int = DEFAULT_SIZE, *, seed: int) -> pl.DataFrame:
    """The rows of a sheet, in random order, with `key`, `stratum` and `weight`; where there are fewer than `n`, all.

    Up to half of the rows are flagged visitors, because precision rests on them alone.
    """
    if n < 1:
        raise UsageError(f"a sample of {n} visitors", allowed="1 or more")
    if not result.visitors.height:
        raise InputError("there is no visitor to label", allowed="a scan with judged visitors")
    rng = np.random.default_rng(seed)
    strata = choose_strata(result)
    found, inverse, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    caught = found < len(TIERS) * (len(CATEGORIES) + 1)
    flagged, others = int(sizes[caught].sum()), int(sizes[~caught].sum())
    half = min(flagged, max(n // 2, n - others))
    counts = np.zeros(len(sizes), np.int64)
    counts[caught] = allocate(sizes[caught].astype(np.int64), half)
    counts[~caught] = allocate(sizes[~caught].astype(np.int64), n - half)
    chosen = np.concatenate(
        [rng.choice(np.flatnonzero(inverse == place), count, replace=False) for place, count in enumerate(counts)]
    ).astype(np.int64)
    chosen = rng.permutation(chosen)
    weights = sizes[inverse[chosen]] / counts[inverse[chosen]]
    rows = result.visitors[chosen]
    # Strata are numbered at random: their order would tell the labeller what the scan thought.
    names = rng.permutation(len(sizes))
    return rows.with_columns(
        pl.Series("key", visitor_keys(rows), dtype=pl.String),
        pl.Series("stratum", names[inverse[chosen]] + 1),
        pl.Series("weight", weights),
    )


def write_sample(
    result: ScanResult, path: Path, n: int = DEFAULT_SIZE, *, seed: int, shown: ScanResult | None = None
) -> int:
    """Write a sheet to label by hand, as CSV; the answer is the number of its rows.

    Parameters
    ----------
    result : what a scan found, unmasked: the keys are made from it.
    path : the sheet to write.
    n : rows wanted.
    seed : the same seed draws the same rows.
    shown : the masked copy of `result`, where addresses shall not be shown. The keys still are hashes of the unmasked
        visitors: who holds the log can join them, and who can guess an address can check the guess.
    """
    if result.visitors["client"].head(1000).str.contains(MASKED).any():
        raise UsageError(
            "the result to draw the sheet from is masked, so that its keys would join to nothing",
            fix="hand in the unmasked result, and the masked one as `shown`",
        )
    rows = draw_sample(result, n, seed=seed)
    if shown is not None:
        rows = _show_masked(rows, result, shown)
    features = [name for name in result.features if name in rows.columns]
    facts = ["client", "network", "session", "host", "user_agent", "day", "first_at", "last_at", "checkouts"]
    # A scan of very many visitors lists the routes of the flagged alone: shown, they would tell who was flagged.
    if "top_routes" in rows.columns and rows.filter(pl.col("top_routes").list.len() == 0).height == 0:
        facts.append("top_routes")
    lists = [name for name in facts if isinstance(rows.schema[name], pl.List)]
    sheet = rows.with_columns(
        pl.col("user_agent").map_elements(printable, return_dtype=pl.String),
        pl.lit("").alias("label"),
        pl.lit("").alias("note"),
        *(pl.col(name).list.join(" | ") for name in lists),
    ).select(
        "label",
        "note",
        *facts,
        *(pl.col(name).round(3) for name in features),
        "key",
        "stratum",
        pl.col("weight").round(6),
    )
    texts = [name for name, kind in sheet.schema.items() if kind == pl.String]
    guarded = sheet.with_columns(
        pl.when(pl.col(name).str.contains(FORMULA_STARTS)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    )
    body = guarded.write_csv(datetime_format="%Y-%m-%d %H:%M:%S")
    path.write_text("\n".join(f'"{line}"' for line in INSTRUCTIONS) + "\n" + body, encoding="utf-8")
    return sheet.height


_MASKED_COLUMNS = ("client", "network", "session", "user_agent", "top_routes")


def _show_masked(rows: pl.DataFrame, result: ScanResult, shown: ScanResult) -> pl.DataFrame:
    if shown.visitors.height != result.visitors.height:
        raise UsageError("the masked result has other visitors", allowed="mask_result of the same result")
    places = {(v, d): i for i, (v, d) in enumerate(result.visitors.select("visitor", "day").iter_rows())}
    picked = shown.visitors[[places[pair] for pair in rows.select("visitor", "day").iter_rows()]]
    return rows.with_columns(picked[name] for name in _MASKED_COLUMNS if name in picked.columns)
