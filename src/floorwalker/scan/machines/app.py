"""The shop's app and its libraries: loaders of pictures, and apps that many phones carry."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, finding, share

TITLE = "app"
ORDER = 90
UNNAMED: pl.Expr | None = None

SIGNATURES: tuple[Signature, ...] = (
    Signature("okhttp", "okhttp"),
    Signature("cfnetwork/", "CFNetwork"),
    Signature("dalvik/", "Dalvik"),
    Signature("dart/", "Dart", "", r"^Dart/|\(dart:io\)"),
    Signature("alamofire", "Alamofire"),
    Signature("glide", "Glide", "", r"(?i)^glide"),
    Signature("sdwebimage", "SDWebImage"),
    Signature("kingfisher", "Kingfisher", "", r"(?i)kingfisher/"),
    Signature("coil", "Coil", "", r"^coil/"),
    Signature("volley/", "Volley"),
    Signature("afnetworking", "AFNetworking"),
    Signature("expo/", "Expo", "", r"^Expo/"),
    Signature("applecoremedia", "AppleCoreMedia"),
    Signature("networkingextension", "Safari helper"),
    Signature("com.apple.", "Apple system service", "", r"^com\.apple\."),
)

_FEWEST_NETWORKS = 20
_FEW_PAGES = 20


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows with the user agent of an app's library that load pictures only, or whose app many networks carry.

    A scraper may use the same libraries, so the name alone explains nothing. Pictures alone harm nobody. And
    an app that is on many phones loads pictures beside its data and visits different routes, while a
    scraper's cohort fetches one kind of page.
    """
    files = pl.max_horizontal(share("image_requests"), share("asset_requests"), share("beacon_requests"))
    pages = pl.col("page_requests").fill_null(0)
    # The looser rule allows for picture routes that were not told from pages; so few pages harm nobody.
    loader = (files >= 0.9) | ((files >= 0.6) & (pages <= _FEW_PAGES))
    family = pl.col("user_agent").str.replace_all(r"[\d.]+", "")
    # A bare library names no app: `okhttp/4.9.1` is everybody's.
    named = pl.col("user_agent").str.contains(
        r"(?i)^[a-z][\w .-]*/[\d.]+.*(okhttp|cfnetwork|alamofire|dart|afnetworking)"
    )
    people = pl.col("network").n_unique().over(family)
    pictures = (pl.col("image_requests").fill_null(0).sum() / pl.col("requests").sum()).over(family)
    usual = pages.median().over(family)
    carried = (
        named
        & (people >= _FEWEST_NETWORKS)
        & (pictures >= 0.3)
        & (pages <= 5 * usual + 20)
        & ((pl.col("top_route_share") < 0.8) | (pl.col("page_requests") < 5)).fill_null(True)
    )
    apps = case.with_columns(loader=loader, carried=carried.fill_null(False), people=people)
    evidence = (
        pl.when("loader")
        .then(pl.format("{} that loads pictures and files only", "signature"))
        .otherwise(pl.format("an app that {} networks carry, at an ordinary pace", "people"))
    )
    return apps.filter(pl.col("loader") | pl.col("carried")).select(finding(pl.col("signature"), "behaviour", evidence))
