"""Prefetch and rendering proxies: a page loaded ahead, read aloud, measured or shown for somebody else."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, count_text, finding, from_operator_or_home

TITLE = "prefetch"
ORDER = 75
UNNAMED: pl.Expr | None = None

SIGNATURES: tuple[Signature, ...] = (
    Signature("google-read-aloud", "Google-Read-Aloud", "Google"),
    Signature("chrome privacy preserving prefetch proxy", "Chrome prefetch proxy", "Google"),
    Signature("googleimageproxy", "GoogleImageProxy", "Google"),
    Signature("via ggpht.com", "GoogleImageProxy", "Google"),
    Signature("google web preview", "Google Web Preview", "Google"),
    Signature("google favicon", "Google Favicon", "Google"),
    Signature("google page speed insights", "PageSpeed Insights", "Google"),
    Signature("chrome-lighthouse", "Chrome-Lighthouse", "Google"),
    Signature("google-site-verification", "Google-Site-Verification", "Google"),
    Signature("google-structured-data-testing-tool", "Google rich results test", "Google"),
    Signature("google-inspectiontool", "Google-InspectionTool", "Google"),
    Signature("google-adwords-instant", "Google-Adwords-Instant", "Google"),
    Signature("googleweblight", "Google Web Light", "Google"),
    Signature("google-http-java-client", "Google service", "Google"),
    Signature("bingpreview", "BingPreview", "Microsoft"),
    Signature("microsoftpreview", "MicrosoftPreview", "Microsoft"),
    Signature("yahoomailproxy", "YahooMailProxy", "Yahoo"),
    Signature("yahoo link preview", "Yahoo Link Preview", "Yahoo"),
    Signature("yahoocachesystem", "YahooCacheSystem", "Yahoo"),
    Signature("duckduckgo-favicons-bot", "DuckDuckGo favicons", "DuckDuckGo"),
    Signature("ptst/", "WebPageTest"),
    Signature("gtmetrix", "GTmetrix"),
    Signature("cloudflare-prefetch", "Cloudflare prefetch"),
    Signature("cloudflare-alwaysonline", "Cloudflare Always Online"),
)

_MOST_PAGES = 60


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows that name such a service and call from its operator's network, or fetch no more than people
    would."""
    home = from_operator_or_home()
    few = pl.col("page_requests").fill_null(pl.col("requests")) <= _MOST_PAGES
    named = case.filter(home | few)
    evidence = (
        pl.when(home)
        .then(pl.format("names itself {} and calls from a network of {}", "signature", "operator"))
        .otherwise(pl.format("names itself {} and fetched {}", "signature", count_text("page_requests", "page")))
    )
    verdict = pl.when(home).then(pl.lit("verified")).otherwise(pl.lit("declared"))
    return named.select(finding(pl.col("signature"), verdict, evidence))
