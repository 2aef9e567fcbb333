"""Link previews: somebody shares a page, and the messenger or network fetches its title and picture."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, count_text, finding, from_operator

TITLE = "link preview"
ORDER = 70
UNNAMED: pl.Expr | None = None

SIGNATURES: tuple[Signature, ...] = (
    Signature("facebookexternalhit", "facebookexternalhit", "Meta"),
    Signature("facebookcatalog", "facebookcatalog", "Meta"),
    Signature("facebot", "Facebot", "Meta"),
    Signature("meta-externalhit", "Meta-ExternalHit", "Meta"),
    Signature("meta-externalfetcher", "meta-externalfetcher", "Meta"),
    Signature("whatsapp/", "WhatsApp", "Meta", r"(?i)^whatsapp/"),
    Signature("twitterbot", "Twitterbot", "X", r"(?i)(?<!like )twitterbot"),
    Signature("linkedinbot", "LinkedInBot", "LinkedIn"),
    Signature("telegrambot", "TelegramBot", "Telegram"),
    Signature("slackbot", "Slackbot"),
    Signature("slack-imgproxy", "Slack-ImgProxy"),
    Signature("discordbot", "Discordbot"),
    Signature("skypeuripreview", "SkypeUriPreview"),
    Signature("viber", "Viber", "", r"^Viber"),
    Signature("pinterest/", "Pinterest", "Pinterest", r"(?i)^pinterest/|pinterest\.com/bot"),
    Signature("redditbot", "redditbot"),
    Signature("embedly", "Embedly"),
    Signature("iframely", "Iframely"),
    Signature("vkshare", "vkShare"),
    Signature("odklbot", "OdklBot"),
    Signature("flipboardproxy", "FlipboardProxy"),
    Signature("mastodon/", "Mastodon"),
    Signature("line-poker", "LINE"),
    Signature("kakaotalk-scrap", "KakaoTalk"),
    Signature("snap url preview service", "Snap"),
    Signature("bitlybot", "Bitly"),
    Signature("google-snippet", "Google snippet fetcher", "Google"),
    Signature("developers.google.com/+/web/snippet", "Google snippet fetcher", "Google"),
)

_MOST_PAGES = 60


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows that name a preview fetcher and fetch no more pages than people share.

    Apple's messages app writes `facebookexternalhit` from people's own phones, so an address outside Meta is
    no proof of anything. What is not confirmed by its address must stay below sixty pages a day.
    """
    few = pl.col("page_requests").fill_null(pl.col("requests")) <= _MOST_PAGES
    named = case.filter(from_operator() | few)
    evidence = (
        pl.when(from_operator())
        .then(pl.format("names itself {} and calls from {} of {}", "signature", "network_prefix", "operator"))
        .otherwise(pl.format("names itself {} and fetched {}", "signature", count_text("page_requests", "page")))
    )
    verdict = pl.when(from_operator()).then(pl.lit("verified")).otherwise(pl.lit("declared"))
    return named.select(finding(pl.col("signature"), verdict, evidence))
