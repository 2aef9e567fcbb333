"""Feed readers and collectors of product feeds."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, finding, from_operator_or_home, is_browser, share

TITLE = "feed reader"
ORDER = 50
UNNAMED: pl.Expr | None = share("feed_requests") >= 0.95

SIGNATURES: tuple[Signature, ...] = (
    Signature("feedfetcher-google", "Feedfetcher-Google", "Google", r"(?i)(?<!like )feedfetcher-google"),
    Signature("feedburner", "FeedBurner", "Google"),
    Signature("universalfeedparser", "UniversalFeedParser"),
    Signature("tiny tiny rss", "Tiny Tiny RSS"),
    Signature("feedly/", "Feedly"),
    Signature("feedbin", "Feedbin"),
    Signature("freshrss", "FreshRSS"),
    Signature("inoreader", "Inoreader"),
    Signature("newsblur", "NewsBlur"),
    Signature("netvibes", "Netvibes"),
    Signature("netnewswire", "NetNewsWire"),
    Signature("liferea", "Liferea"),
    Signature("akregator", "Akregator"),
    Signature("newsfire", "NewsFire"),
    Signature("reeder/", "Reeder"),
    Signature("newsify", "Newsify"),
    Signature("digg feed fetcher", "Digg Feed Fetcher"),
    Signature("livejournal.com", "LiveJournal"),
    Signature("simplepie", "SimplePie"),
    Signature("magpierss", "MagpieRSS"),
    Signature("miniflux", "Miniflux"),
    Signature("theoldreader", "The Old Reader"),
    Signature("rssowl", "RSSOwl"),
    Signature("vienna/", "Vienna"),
    Signature("windows-rss-platform", "Windows RSS Platform"),
    Signature("apple-pubsub", "Apple PubSub"),
    Signature("gwene", "Gwene"),
    Signature("yarr", "Yarr", "", r"(?i)\byarr/"),
)


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows that name a feed reader, and clients without a browser's user agent that ask for feeds and
    nothing else.

    A reader fetches the pictures and now and then the page of an entry, but it does not walk the catalogue:
    below half of its requests on feeds it must stay below thirty pages, or keep to three routes.
    """
    feeds = share("feed_requests")
    pages = pl.col("page_requests").fill_null(0) - pl.col("feed_requests").fill_null(0)
    # A feed whose address does not show that it is one is still a single address.
    modest = (feeds >= 0.5) | (pages < 30) | (pl.col("distinct_routes") <= 3).fill_null(False)
    named = (pl.col("signature") != "") & (modest | from_operator_or_home())
    by_route = (feeds >= 0.95) & ~is_browser().fill_null(False) & (pl.col("requests") >= 2)
    evidence = (
        pl.when(named & from_operator_or_home())
        .then(pl.format("names itself {} and calls from a network of {}", "signature", "operator"))
        .when(named)
        .then(pl.format("names itself {}; {} of its requests are for feeds", "signature", _percent(feeds)))
        .otherwise(pl.lit("asks for feeds and nothing else"))
    )
    verdict = (
        pl.when(named & from_operator_or_home())
        .then(pl.lit("verified"))
        .when(named)
        .then(pl.lit("declared"))
        .otherwise(pl.lit("behaviour"))
    )
    name = pl.when(named).then(pl.col("signature")).otherwise(pl.lit("feed reader"))
    return case.filter(named | by_route).select(finding(name, verdict, evidence))


def _percent(part: pl.Expr) -> pl.Expr:
    return pl.format("{} %", (part * 100).round(0).cast(pl.Int64))
