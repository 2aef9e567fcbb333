"""Machines of two real logs: the declared ones are recognised, and no browser is."""

import gzip
import os
import re
from pathlib import Path

import polars as pl
import pytest

from floorwalker.features.network import Networks
from floorwalker.scan.machines import recognise

pytestmark = pytest.mark.data

LINE = re.compile(r'(\S+) \S+ \S+ \[[^]]*\] "\S+ (\S+)[^"]*" \d+ \S+ "[^"]*" "((?:[^"\\]|\\.)*)"')
PICTURE = r"\.(?:jpe?g|png|gif|ico|webp|svg)$|^/image/"


def read(name: str) -> pl.DataFrame:
    """One row a visitor, with the verdict beside its counts."""
    path = Path(os.environ.get("FLOORWALKER_DATA", "-")) / "access_logs" / name
    if not path.exists():
        pytest.skip("FLOORWALKER_DATA does not name the folder of public data sets")
    with gzip.open(path, "rt", errors="replace") as stream:
        rows = [found.groups() for line in stream if (found := LINE.match(line))]
    lines = pl.DataFrame(rows, schema=["client", "target", "user_agent"], orient="row").with_columns(
        pl.col("user_agent").replace("-", None),
        picture=pl.col("target").str.split("?").list.first().str.to_lowercase().str.contains(PICTURE),
        feed=pl.col("target").str.contains(r"(?i)rss|atom|/feed|\.xml"),
    )
    facts = lines.group_by("client", "user_agent", maintain_order=True).agg(
        requests=pl.len(),
        page_requests=(~pl.col("picture")).sum(),
        asset_requests=pl.col("picture").sum(),
        image_requests=pl.col("picture").sum(),
        feed_requests=pl.col("feed").sum(),
        distinct_routes=pl.col("target").str.extract("^(/[^/?]*)").n_unique(),
    )
    return pl.concat([facts, recognise(facts, networks=Networks.default())], how="horizontal")


@pytest.fixture(scope="module")
def shop() -> pl.DataFrame:
    return read("zanbil_access_10k.log.gz")


@pytest.fixture(scope="module")
def blog() -> pl.DataFrame:
    return read("semicomplete_apache_10k.log.gz")


def test_machines_of_the_shop(shop: pl.DataFrame) -> None:
    verified = shop.filter(pl.col("verdict") == "verified").group_by("name").agg(pl.col("requests").sum())
    requests = dict(verified.iter_rows())
    for name, least in {
        "Googlebot": 2000,
        "bingbot": 800,
        "Googlebot-Image": 170,
        "Applebot": 120,
        "AhrefsBot": 400,
        "UptimeRobot": 80,
        "inside": 70,
    }.items():
        assert requests.get(name, 0) >= least, name
    loaders = shop.filter(pl.col("kind") == "app", pl.col("requests") >= 10)
    assert loaders["client"].n_unique() >= 6
    assert not shop["impostor"].any()


@pytest.mark.parametrize("log", ["shop", "blog"])
def test_whoever_declares_a_big_crawler_is_set_apart_or_refuted(log: str, request: pytest.FixtureRequest) -> None:
    visitors = request.getfixturevalue(log)
    declared = visitors.filter(
        pl.col("user_agent").str.contains("(?i)googlebot|bingbot|msnbot|applebot|yandexbot|slurp|uptimerobot")
    )
    assert len(declared) >= 20
    assert declared["kind"].null_count() == 0


@pytest.mark.parametrize("log", ["shop", "blog"])
def test_no_browser_is_taken_for_a_machine(log: str, request: pytest.FixtureRequest) -> None:
    visitors = request.getfixturevalue(log)
    # What a browser says: a platform and an engine, and no bot's name, page or mail address.
    browsers = visitors.filter(
        pl.col("user_agent").str.contains(r"^Mozilla/[45]\.0 \((?:Windows|Macintosh|X11|iPhone|iPad|Linux|Android)"),
        ~pl.col("user_agent").str.contains(
            r"(?i)https?:|bot|crawl|spider|preview|google|yahoo|flipboard|monitor|@|\+|slurp|ggpht|facebook|facetime"
        ),
    )
    assert len(browsers) >= 150
    taken = browsers.filter(pl.col("kind").is_not_null() & (pl.col("kind") != "private address"))
    assert taken.select("kind", "name", "user_agent").rows() == []


def test_false_googlebots_of_the_blog_are_proven(blog: pl.DataFrame) -> None:
    impostors = blog.filter("impostor")
    assert impostors["name"].unique().to_list() == ["Googlebot"]
    assert impostors["client"].n_unique() == 3
    # The verified ones did two hundred times as much.
    assert blog.filter(pl.col("name") == "Googlebot", pl.col("verdict") == "verified")["requests"].sum() > 400


def test_scripts_and_libraries_are_left_to_be_judged(blog: pl.DataFrame) -> None:
    scripts = blog.filter(pl.col("user_agent").str.contains(r"(?i)^(?:wget|python|curl|ruby|java|libwww|php)\b"))
    assert len(scripts) >= 3
    assert scripts["kind"].null_count() == len(scripts)
