"""What every kind of machine is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

VERDICTS = ("verified", "declared", "behaviour", "impostor", "unproven")
"""How a machine was recognised.

`verified`: its address is where the operator says that it calls from. `declared`: it says what it is, and
nothing is published to check that by, or the check is not possible here. `behaviour`: it does what only such
a machine does. `impostor`: it claims a crawler whose addresses are published, and calls from somebody else's.
`unproven`: its claim can neither be confirmed nor refuted, so it is no machine set apart but a visitor judged
like any other.
"""

COUNTS = (
    "page_requests",
    "asset_requests",
    "feed_requests",
    "callback_requests",
    "beacon_requests",
    "health_requests",
    "image_requests",
)
FACTS = ("requests", *COUNTS, "gap_mean", "gap_spread", "top_route_share", "distinct_routes")
"""Columns of a visitor's facts that the kinds read, beside `client` and `user_agent`; a missing one is
null."""


@dataclass(frozen=True)
class Signature:
    """A text by which a machine names itself in its user agent.

    Parameters
    ----------
    token : part of the user agent, compared without regard to case.
    name : the machine's name as its operator writes it.
    operator : who runs it; empty where nobody publishes addresses for it.
    pattern : regular expression that the user agent must match too; empty where the token is telling enough.
    """

    token: str
    name: str
    operator: str = ""
    pattern: str = ""


def claim(token: str, name: str, operator: str) -> Signature:
    """A signature that counts as a claim to be somebody: the word must stand alone.

    `like Googlebot`, `not-googlebot` and `MyGooglebotTester` name somebody else, and no impostor may be made
    of them.
    """
    pattern = rf"(?i)(?<!like )(?<![\w-]){re.escape(token)}(?![a-z])"
    return Signature(token.lower(), name, operator, pattern)


def share(column: str) -> pl.Expr:
    """Part of a visitor's requests that one count makes up; 0 where the count is unknown."""
    return pl.col(column).fill_null(0) / pl.col("requests").clip(lower_bound=1)


def from_operator() -> pl.Expr:
    """Whether the address lies where the operator that the visitor names says that its machines are."""
    return ((pl.col("operator") != "") & (pl.col("network_name") == pl.col("operator"))).fill_null(False)


def from_operator_or_home() -> pl.Expr:
    """As `from_operator`, or anywhere else in the operator's own network: enough for what people trigger
    there."""
    return from_operator() | pl.col("is_at_home")


def is_inside() -> pl.Expr:
    """Whether the address is the shop's own or of no one on the open internet."""
    return pl.col("is_own") | pl.col("is_unroutable")


def is_browser() -> pl.Expr:
    """Whether the user agent has the form that all browsers share."""
    return pl.col("user_agent").str.starts_with("Mozilla/") | pl.col("user_agent").str.starts_with("Opera/")


def stays_on_few_routes(most: int = 4) -> pl.Expr:
    """Whether the visitor keeps to a few routes, as a probe does; unknown counts as yes."""
    return (pl.col("distinct_routes") <= most).fill_null(True) | (pl.col("top_route_share") >= 0.9).fill_null(False)


def count_text(column: str, noun: str) -> pl.Expr:
    """A count with its noun, 0 where it is unknown.

    >>> pl.DataFrame({"pages": [1, 2, None]}).select(count_text("pages", "page")).to_series().to_list()
    ['1 page', '2 pages', '0 pages']
    """
    count = pl.col(column).fill_null(0)
    return pl.format("{} {}", count, pl.when(count == 1).then(pl.lit(noun)).otherwise(pl.lit(noun + "s")))


def finding(name: pl.Expr, verdict: pl.Expr | str, evidence: pl.Expr) -> list[pl.Expr]:
    """The columns that a kind answers with, for the rows that it recognises."""
    word = pl.lit(verdict) if isinstance(verdict, str) else verdict
    return [pl.col("row"), name.alias("name"), word.alias("verdict"), evidence.alias("evidence")]
