"""Crawlers of search engines, archives and companies that measure the web."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, claim, finding, from_operator, is_inside

TITLE = "crawler"
ORDER = 80
UNNAMED: pl.Expr | None = None

SIGNATURES: tuple[Signature, ...] = (
    # developers.google.com, Google crawlers; the last two stopped before 2020
    claim("Googlebot", "Googlebot", "Google"),
    claim("Googlebot-Image", "Googlebot-Image", "Google"),
    claim("Googlebot-News", "Googlebot-News", "Google"),
    claim("Googlebot-Video", "Googlebot-Video", "Google"),
    claim("Googlebot-Mobile", "Googlebot-Mobile", "Google"),
    claim("AdsBot-Google", "AdsBot-Google", "Google"),
    claim("AdsBot-Google-Mobile", "AdsBot-Google-Mobile", "Google"),
    claim("Mediapartners-Google", "Mediapartners-Google", "Google"),
    claim("Storebot-Google", "Storebot-Google", "Google"),
    claim("GoogleOther", "GoogleOther", "Google"),
    # bing.com/webmasters
    claim("bingbot", "bingbot", "Microsoft"),
    claim("msnbot", "msnbot", "Microsoft"),
    claim("msnbot-media", "msnbot-media", "Microsoft"),
    claim("adidxbot", "adidxbot", "Microsoft"),
    claim("Applebot", "Applebot", "Apple"),
    # Operators with blocks of their own that do not promise to be complete.
    claim("YandexBot", "YandexBot", "Yandex"),
    Signature("yandex.com/bots", "Yandex", "Yandex"),
    claim("Baiduspider", "Baiduspider", "Baidu"),
    claim("Slurp", "Yahoo! Slurp", "Yahoo"),
    Signature("sogou web spider", "Sogou web spider", "Sogou"),
    Signature("seznambot", "SeznamBot", "Seznam"),
    Signature("mail.ru_bot", "Mail.RU_Bot", "Mail.Ru"),
    Signature("yeti/", "Yeti", "Naver"),
    Signature("ahrefsbot", "AhrefsBot", "Ahrefs"),
    Signature("semrushbot", "SemrushBot", "Semrush"),
    Signature("petalbot", "PetalBot", "Huawei"),
    Signature("aspiegelbot", "AspiegelBot", "Huawei"),
    Signature("dotbot/", "DotBot", "Moz"),
    Signature("duckduckbot", "DuckDuckBot", "DuckDuckGo"),
    Signature("archive.org_bot", "archive.org_bot", "Internet Archive"),
    Signature("exabot", "Exabot", "Exalead"),
    Signature("pinterestbot", "Pinterestbot", "Pinterest"),
    Signature("barkrowler", "Barkrowler"),
    Signature("mj12bot", "MJ12bot"),
    Signature("lightspeedsystemscrawler", "LightspeedSystemsCrawler"),
    Signature("voilabot", "VoilaBot"),
    Signature("siteexplorer.info", "SiteExplorer"),
    Signature("spinn3r", "Spinn3r"),
)


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows that name a crawler: confirmed by address or host name, believed where nothing is published, or
    refuted.

    A proven impostor is answered too, with the verdict `impostor`; a claim that can be neither confirmed
    nor refuted is `unproven`.
    """
    inside = is_inside() | pl.col("network_kind").is_in(["cdn", "load_balancer"]).fill_null(False)
    verdict = (
        pl.when(from_operator() | pl.col("host_confirms"))
        .then(pl.lit("verified"))
        .when(pl.col("host_refutes") & ~inside)
        .then(pl.lit("impostor"))
        .when(inside | pl.col("is_host_named") | ~pl.col("is_refutable"))
        .then(pl.lit("declared"))
        .when(pl.col("is_refuted") & ~pl.col("is_crowded"))
        .then(pl.lit("impostor"))
        .otherwise(pl.lit("unproven"))
    )
    name, operator, host = pl.col("signature"), pl.col("operator"), pl.col("host")
    evidence = (
        pl.when(verdict == "impostor", pl.col("host_refutes"))
        .then(pl.format("claims to be {}, but its address is named {}, which is not {}'s", name, host, operator))
        .when(verdict == "impostor")
        .then(
            pl.format(
                "claims to be {}, but its address {} is in no network of {}{}",
                name,
                "client",
                operator,
                pl.when(pl.col("network_name").is_not_null())
                .then(pl.format("; it belongs to {}", "network_name"))
                .otherwise(pl.lit("")),
            )
        )
        .when(verdict == "verified", pl.col("host_confirms"))
        .then(pl.format("names itself {}, and its address is {}'s host {}", name, operator, host))
        .when(verdict == "verified")
        .then(pl.format("names itself {} and calls from {}, which {} uses for it", name, "network_prefix", operator))
        .when(inside)
        .then(pl.format("names itself {}; behind a proxy its address cannot be checked", name))
        .when("is_host_named")
        .then(pl.format("names itself {}, and the log names its host {}; unconfirmed", name, "client"))
        .when(verdict == "unproven")
        .then(pl.format("claims to be {} from an address that neither proves nor refutes it", name))
        .when(operator == "")
        .then(pl.format("names itself {}; its operator publishes no addresses to check that by", name))
        .otherwise(pl.format("names itself {}; its address is not among those known of {}", name, operator))
    )
    return case.select(finding(name, verdict, evidence))
