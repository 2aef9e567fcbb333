"""The tables that real and simulated shops are compared on, and how the real ones are read.

Every table has a column `at` (seconds, local time as far as the source tells it), so that it can be cut into two halves
in time. What a set's makers did to it (YooChoose: rare items and visits of one click left out) is done to the
simulated table too, in `prepare_clicks`.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from floorwalker.errors import InputError

VISIT_GAP = 1800
"""Seconds without an action after which a new visit begins, as web analytics has it."""
BLOCK_DAYS = 30
"""Repeat purchases are counted within blocks of so many days, since a simulated month sees no longer interval."""
WINDOW_SECONDS = 2460
"""Length of the real access log: 41 minutes. Simulated requests are cut into windows of that length."""
_ITEM_SUPPORT = 5
_LONGEST_CROWD = 60
_TAOBAO_FIRST, _TAOBAO_END = 1_511_539_200, 1_512_316_800
_FILES = r"^/(?:image|static|settings|ajax|site|amp|m/static|apple|favicon|discountLabel|plugins|OneSignal)|\.\w{2,5}$"
_MACHINES = r"(?i)bot|crawl|spider|slurp|facebookexternal"


@dataclass(frozen=True)
class Tables:
    """What one shop did.

    Parameters
    ----------
    clicks : views of items on the web: `visit`, `at`, `item` (YooChoose).
    actions : what customers of an app did: `user`, `visit`, `at`, `item`, `kind` (view, cart, buy) (Taobao).
    invoices : orders and cancellations of trade customers: `customer`, `invoice`, `at`, `cancelled`, `lines`, `amount`
        in main units (Online Retail).
    lines : of the orders: `invoice`, `at`, `item`, `quantity`, `price` (Online Retail).
    visits : one row a visit: `at`, `pages`, `bought`, `weekend` (Online Shoppers; `at` is the month).
    requests : requests for pages: `visitor`, `at` (zanbil).
    """

    clicks: pl.DataFrame
    actions: pl.DataFrame
    invoices: pl.DataFrame
    lines: pl.DataFrame
    visits: pl.DataFrame
    requests: pl.DataFrame

    def half(self, which: int) -> Tables:
        """The earlier (0) or the later (1) half of every table, cut at the median time; visits stay whole."""
        return Tables(
            clicks=_half(self.clicks, which, "visit"),
            actions=_half(self.actions, which, "visit"),
            invoices=_half(self.invoices, which),
            lines=_half(self.lines, which),
            visits=_half(self.visits, which),
            requests=_half(self.requests, which),
        )


def _half(table: pl.DataFrame, which: int, whole: str | None = None) -> pl.DataFrame:
    at = pl.col("at").min().over(whole) if whole else pl.col("at")
    later = at > table["at"].median()
    return table.filter(later if which else ~later)


def prepare_clicks(clicks: pl.DataFrame) -> pl.DataFrame:
    """As YooChoose was prepared: items with five clicks at least, then visits with two clicks at least."""
    common = clicks.filter(pl.len().over("item") >= _ITEM_SUPPORT)
    return common.filter(pl.len().over("visit") >= 2).sort("visit", "at")


def cut_visits(actions: pl.DataFrame) -> pl.DataFrame:
    """Number the visits of each user: a new one after `VISIT_GAP` seconds without an action."""
    ordered = actions.sort("user", "at", maintain_order=True)
    gap = pl.col("at").diff().over("user")
    return ordered.with_columns(visit=(gap.is_null() | (gap > VISIT_GAP)).cast(pl.Int64).cum_sum())


def cut_requests(requests: pl.DataFrame) -> pl.DataFrame:
    """Visitors within a window of the access log's length; who asks for more pages than a person could is left out."""
    return requests.filter(pl.len().over("visitor") <= _LONGEST_CROWD).sort("visitor", "at")


def read_real(data: Path) -> Tables:
    """The public data below a folder; `InputError` names what is missing."""
    invoices, lines = _read_retail(_find(data, "online_retail/online_retail.parquet"))
    return Tables(
        clicks=_read_clicks(data),
        actions=_read_actions(_find(data, "clickstream_samples/taobao_UserBehavior_84k.csv.gz")),
        invoices=invoices,
        lines=lines,
        visits=_read_visits(_find(data, "online_shoppers/online_shoppers_intention.csv.gz")),
        requests=_read_requests(_find(data, "access_logs/zanbil_access_10k.log.gz")),
    )


def _find(data: Path, name: str) -> Path:
    path = data / name
    if not path.exists():
        raise InputError(f"{name} is missing below {data}", fix="name the folder of the public data sets")
    return path


def _read_clicks(data: Path) -> pl.DataFrame:
    # Two hours: the shop is European, the times are UTC in April.
    parts = [
        pl.read_csv(_find(data, f"clickstream_samples/yoochoose-clicks-100k_{part}.txt.gz"), separator="\t")
        for part in ("train_full", "test")
    ]
    table = pl.concat(parts).rename({"SessionId": "visit", "ItemId": "item", "Time": "at"})
    return prepare_clicks(table.select("visit", pl.col("at") + 7200, pl.col("item").cast(pl.String)))


def _read_actions(path: Path) -> pl.DataFrame:
    names = ["user", "item", "category", "kind", "at"]
    table = pl.read_csv(path, has_header=False, new_columns=names)
    kinds = {"pv": "view", "cart": "cart", "buy": "buy"}
    table = table.filter(pl.col("at").is_between(_TAOBAO_FIRST, _TAOBAO_END, closed="left"), pl.col("kind") != "fav")
    return cut_visits(
        table.select(
            "user",
            (pl.col("at") + 8 * 3600).cast(pl.Float64),
            pl.col("item").cast(pl.String),
            pl.col("kind").replace_strict(kinds),
        )
    )


def _read_retail(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    table = pl.read_parquet(path).filter(pl.col("CustomerID").is_not_null())
    table = table.select(
        customer=pl.col("CustomerID").cast(pl.Int64).cast(pl.String),
        invoice="InvoiceNo",
        at=pl.col("InvoiceDate").dt.epoch("s").cast(pl.Float64),
        cancelled=pl.col("InvoiceNo").str.starts_with("C"),
        item="StockCode",
        quantity="Quantity",
        price="UnitPrice",
    )
    return make_invoices(table), table.filter(~pl.col("cancelled")).select("invoice", "at", "item", "quantity", "price")


def make_invoices(lines: pl.DataFrame) -> pl.DataFrame:
    """One row an invoice out of its lines."""
    return (
        lines.group_by("invoice", maintain_order=True)
        .agg(
            pl.col("customer").first(),
            pl.col("at").min(),
            pl.col("cancelled").first(),
            lines=pl.len(),
            amount=(pl.col("quantity") * pl.col("price")).sum(),
        )
        .sort("customer", "at")
    )


def _read_visits(path: Path) -> pl.DataFrame:
    months = ["Feb", "Mar", "May", "June", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    pages = pl.col("Administrative") + pl.col("Informational") + pl.col("ProductRelated")
    return pl.read_csv(path).select(
        at=pl.col("Month").replace_strict({month: float(place) for place, month in enumerate(months)}),
        pages=pages,
        bought="Revenue",
        weekend="Weekend",
    )


def _read_requests(path: Path) -> pl.DataFrame:
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as log:
        lines = pl.Series("line", log.read().splitlines())
    pattern = (
        r'^(?<ip>\S+) \S+ \S+ \[[^:]+:(?<hour>\d+):(?<minute>\d+):(?<second>\d+) [^\]]+\] "'
        r'(?<method>\S+) (?<target>\S+)[^"]*" (?<status>\d+) \S+ "[^"]*" "(?<agent>[^"]*)"'
    )
    table = lines.to_frame().select(pl.col("line").str.extract_groups(pattern).alias("found")).unnest("found")
    seconds = (
        pl.col("hour").cast(pl.Int64) * 3600 + pl.col("minute").cast(pl.Int64) * 60 + pl.col("second").cast(pl.Int64)
    )
    path_only = pl.col("target").str.split("?").list.first()
    table = table.filter(~pl.col("agent").str.contains(_MACHINES), ~path_only.str.contains(_FILES))
    return cut_requests(table.select(visitor=pl.concat_str("ip", "agent"), at=seconds.cast(pl.Float64)))
