"""The tables of `_realism_tables`, out of a simulated run: honest customers only, like compared with like.

Web visits stand beside YooChoose and Online Shoppers, app visits beside Taobao, orders of trade customers beside Online
Retail (whose customers were mostly such), page requests of everybody beside the access log.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from floorwalker.evaluation.tasks._realism_tables import (
    WINDOW_SECONDS,
    Tables,
    cut_requests,
    cut_visits,
    make_invoices,
    prepare_clicks,
)

TRADE = "trade_customer"
MACHINES = ("verified_crawler", "price_comparison")
_HOUR = 3_600.0
_APP = ("app", "mini_program")
_OFFSETS = {"GB": 0, "US": -5, "CN": 8}
"""Hours from UTC in winter by country of the customer, where it is not one."""


def read_simulated(folder: Path) -> Tables:
    """The tables of the run in a folder."""
    columns = ["id", "type", "at", "session", "device", "ip", "user_agent", "channel", "country", "item", "order",
               "account", "lines", "amount_minor", "currency", "url"]  # fmt: skip
    honest = pl.scan_parquet(folder / "truth.parquet").filter(pl.col("adversary") == "").select("id", "segment")
    events = (
        pl.scan_parquet(folder / "events.parquet")
        .select(columns)
        .join(honest, on="id", how="inner", maintain_order="left")
    )
    offset = pl.col("country").replace_strict(_OFFSETS, default=1, return_dtype=pl.Int64)
    table = events.with_columns(local=pl.col("at") / 1e6 + offset.fill_null(1) * _HOUR).collect()
    people = table.filter(~pl.col("segment").is_in([TRADE, *MACHINES]))
    invoices, lines = _trade(table)
    return Tables(
        clicks=_clicks(people),
        actions=_actions(people),
        invoices=invoices,
        lines=lines,
        visits=_visits(people),
        requests=_requests(table),
    )


def _clicks(people: pl.DataFrame) -> pl.DataFrame:
    views = people.filter(
        pl.col("type") == "page_view", pl.col("item").is_not_null(), ~pl.col("channel").is_in(_APP),
        pl.col("session").is_not_null(), pl.col("url").str.contains("/item/", literal=True),
    )  # fmt: skip
    return prepare_clicks(views.select(visit="session", at=pl.col("local").round(3), item="item"))


def _actions(people: pl.DataFrame) -> pl.DataFrame:
    app = people.filter(pl.col("channel").is_in(_APP)).with_columns(user=pl.coalesce("account", "device"))
    seen = app.filter(
        pl.col("type") == "page_view", pl.col("item").is_not_null(), pl.col("url").str.contains("/item/", literal=True)
    )
    put = app.filter(pl.col("type") == "add_to_cart", pl.col("item").is_not_null())
    bought = app.filter(pl.col("type") == "order").select("user", "local", "lines").explode("lines")
    bought = bought.select("user", at="local", item=pl.col("lines").struct.field("item"), kind=pl.lit("buy"))
    parts = [
        table.select("user", at="local", item="item", kind=pl.lit(kind))
        for table, kind in ((seen, "view"), (put, "cart"))
    ]
    # Taobao's times are whole seconds.
    return cut_visits(pl.concat([*parts, bought]).select("user", pl.col("at").floor(), "item", "kind"))


def _trade(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    orders = table.filter(pl.col("segment") == TRADE, pl.col("type") == "order", pl.col("currency") == "EUR")
    lines = orders.select(
        customer="account", invoice="order", at="local", cancelled=pl.lit(False), lines="lines"
    ).explode("lines").unnest("lines").select(
        "customer", "invoice", "at", "cancelled", "item", "quantity", price=(pl.col("price_minor") / 100.0).round(2)
    )  # fmt: skip
    back = table.filter(
        pl.col("type").is_in(["order_cancelled", "refund_issued"]), pl.col("order").is_in(orders["order"].implode())
    ).select(
        customer="account", invoice=pl.lit("C") + pl.col("order"), at="local", cancelled=pl.lit(True), item=pl.lit(""),
        quantity=pl.lit(-1, dtype=pl.Int64), price=(pl.col("amount_minor") / 100.0).round(2),
    )  # fmt: skip
    invoices = make_invoices(pl.concat([lines, back]))
    return invoices, lines.select("invoice", "at", "item", "quantity", "price")


def _visits(people: pl.DataFrame) -> pl.DataFrame:
    page = pl.col("type").is_in(["page_view", "search"])
    web = people.filter(~pl.col("channel").is_in(_APP), pl.col("session").is_not_null())
    visits = web.group_by("session", maintain_order=True).agg(
        pl.col("local").min().alias("at"), pages=page.sum(), bought=(pl.col("type") == "order").any()
    )
    weekday = ((pl.col("at") // 86_400).cast(pl.Int64) + 3) % 7
    return visits.filter(pl.col("pages") > 0).select("at", "pages", "bought", weekend=weekday >= 5)


def _requests(table: pl.DataFrame) -> pl.DataFrame:
    pages = table.filter(pl.col("type").is_in(["page_view", "search"]), ~pl.col("segment").is_in(MACHINES))
    window = (pl.col("local") // WINDOW_SECONDS).cast(pl.Int64).cast(pl.String)
    return cut_requests(pages.select(visitor=pl.concat_str("ip", "user_agent", window, ignore_nulls=True), at="local"))
