"""The benchmark's log: millions of combined lines, streamed to disk in bounded memory.

Its shape is what the benchmark needs (many visitors, many distinct targets, pages with their files, crawlers,
abusers), not
its behaviour: numbers on detection come from `generate`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.simulation.access_log._addresses import AddressBook
from floorwalker.simulation.access_log._agents import AgentBook
from floorwalker.simulation.access_log._chance import hash_unit

_BLOCK = 250_000
_HOST = "https://shop.example"
_FIRST_SECOND = 1_635_955_200  # 4 November 2021, midnight at UTC+8
_ZONE = "+0800"
_ACTS = ("/cart/add", "/cart/remove", "/login", "/checkout/address", "/checkout/pay", "/coupon/claim")
_CRAWLER_NAMES = (
    "Googlebot/2.1; +http://www.google.com/bot.html",
    "bingbot/2.0; +http://www.bing.com/bingbot.htm",
)
_LONGEST = 3_000  # seconds: no session is longer, so that little is carried from block to block
_PERSON, _CRAWLER, _SCRAPER, _WATCHER = range(4)


@dataclass(frozen=True)
class _Texts:
    """Pieces of lines by code: `head` and `tail` by visitor, `request` by target, `referrer` by target + 1 (0 = none,
    the last one = the origin alone)."""

    head: pl.Series
    tail: pl.Series
    request: pl.Series
    referrer: pl.Series
    pages: int
    images: int


@dataclass(frozen=True)
class _Sessions:
    visitor: NDArray[np.int32]
    kind: NDArray[np.uint8]
    start: NDArray[np.float64]
    length: NDArray[np.int64]
    first_target: NDArray[np.int64]


def write_large_log(path: Path, *, lines: int, seed: int, visitors: int, urls: int, days: int) -> None:
    """Write a combined log of a given size, in the order of time.

    Memory grows with visitors, distinct targets and sessions, not with lines; about 230 bytes a line.

    Parameters
    ----------
    path : where.
    lines : exactly so many.
    seed : the same arguments give the same bytes.
    visitors : distinct pairs of address and user agent.
    urls : distinct request targets.
    days : length.

    Raises
    ------
    UsageError : fewer lines than the visitors and targets need.
    """
    if min(lines, visitors, urls, days) < 1 or lines < 6 * visitors or lines < 4 * urls or urls < 100:
        raise UsageError(
            f"{lines} lines, {visitors} visitors, {urls} urls, {days} days",
            allowed="urls >= 100, lines >= 6 × visitors and >= 4 × urls",
        )
    chance = np.random.default_rng([seed, 0xB16])
    sessions = _plan(chance, lines, visitors, urls, days)
    texts = _write_pieces(chance, sessions, visitors, urls)
    bounds = np.searchsorted(np.cumsum(sessions.length), np.arange(0, lines, _BLOCK))
    bounds = np.unique(np.append(bounds, len(sessions.length)))
    carried = _empty()
    with path.open("wb") as out:
        for low, high in pairwise(bounds):
            made = _requests(chance, sessions, slice(int(low), int(high)), texts, urls)
            joined = {name: np.concatenate([carried[name], made[name]]) for name in made}
            order = np.argsort(joined["at"], kind="stable")
            until = sessions.start[high] if high < len(sessions.start) else np.inf
            count = int(np.searchsorted(joined["at"][order], until))
            out.write(_lines({name: column[order[:count]] for name, column in joined.items()}, texts))
            carried = {name: column[order[count:]] for name, column in joined.items()}


def _empty() -> dict[str, NDArray[Any]]:
    return {
        "at": np.empty(0), "visitor": np.empty(0, np.int32), "target": np.empty(0, np.int64),
        "referrer": np.empty(0, np.int64), "draw": np.empty(0),
    }  # fmt: skip


def _plan(chance: Generator, lines: int, visitors: int, urls: int, days: int) -> _Sessions:
    """Who comes when for how many lines: every visitor at least once, crawlers enough to see every target."""
    machines = max(3, visitors // 2500)
    crawled = int(urls * 1.02) + machines
    runs = max(machines, -(-crawled // 400))
    people = visitors - machines
    left = lines - crawled
    visits = max(people, left // 22)
    who = np.concatenate([np.arange(people), (people * chance.random(visits - people) ** 1.5).astype(np.int64)])
    weights = np.exp(0.8 * chance.standard_normal(visits))
    kind = np.full(people, _PERSON, np.uint8)
    odd = chance.permutation(people)
    kind[odd[: people // 200]] = _SCRAPER
    kind[odd[people // 200 : people // 100]] = _WATCHER
    weights *= np.array([1.0, 0.0, 6.0, 1.5])[kind[who]]
    length = np.concatenate([1 + _share_out(left - visits, weights), 1 + _share_out(crawled - runs, np.ones(runs))])
    visitor = np.concatenate(
        [who, people + np.concatenate([np.arange(machines), chance.integers(0, machines, runs - machines)])]
    )
    kinds = np.concatenate([kind[who], np.full(runs, _CRAWLER, np.uint8)])
    first = np.concatenate([np.zeros(visits, np.int64), np.cumsum(length[visits:]) - length[visits:]])
    hours = np.array(
        (1.6, 0.9, 0.5, 0.4, 0.4, 0.5, 1, 2, 3, 4, 5, 5.4, 5.6, 5.3, 5, 5, 5.1, 5.2, 5.6, 6.6, 7.6, 7.8, 6.2, 3.6)
    )
    draw = chance.choice(24, len(length), p=hours / hours.sum())
    start = chance.integers(0, days, len(length)) * 86_400.0 + (draw + chance.random(len(length))) * 3600.0
    start *= 1.0 - _LONGEST / (days * 86_400.0)
    order = np.argsort(start, kind="stable")
    return _Sessions(visitor[order].astype(np.int32), kinds[order], start[order], length[order], first[order])


def _share_out(total: int, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    edges = np.floor(np.cumsum(weights) / weights.sum() * total + 0.5).astype(np.int64)
    edges[-1] = total
    return np.diff(np.concatenate([[0], edges]))


def _requests(chance: Generator, sessions: _Sessions, part: slice, texts: _Texts, urls: int) -> dict[str, NDArray[Any]]:
    length = sessions.length[part]
    session = np.repeat(np.arange(len(length)), length)
    count = len(session)
    place = np.arange(count) - np.repeat(np.cumsum(length) - length, length)
    kind = sessions.kind[part][session]
    is_person = kind == _PERSON
    draw = chance.random((4, count))
    is_page = ~is_person | (place == 0) | (draw[0] < 0.2)
    quick, slow = chance.standard_exponential(count), np.exp(2.8 + chance.standard_normal(count))
    pace = np.array([0.0, 7.0, 1.2, 60.0])[kind]
    gap = np.where(is_person, np.where(is_page, slow, 0.25 * quick), pace * (0.9 + 0.2 * quick))
    gap[place == 0] = 0.0
    ends = np.cumsum(gap)
    since = ends - np.repeat(ends[np.cumsum(length) - length], length)
    at = sessions.start[part][session] + np.minimum(since, _LONGEST * (0.5 + 0.5 * draw[1]))
    pages, images = texts.pages, texts.images
    popular = np.minimum(np.exp(draw[2] * np.log(pages)).astype(np.int64), pages) - 1
    place_of = (popular * 7919) % pages  # the popular are spread over all types of page
    picture = pages + np.minimum((images * draw[2] ** 3).astype(np.int64), images - 1)
    static = pages + images + (draw[3] * (urls - pages - images)).astype(np.int64)
    target = np.where(is_page, place_of, np.where(draw[3] < 0.75, picture, static))
    watched = (sessions.visitor[part][session].astype(np.int64) * 31 + place % 2) % pages
    target = np.where(kind == _WATCHER, watched, target)
    target = np.where(kind == _SCRAPER, (sessions.visitor[part][session] + place) % pages, target)
    target = np.where(kind == _CRAWLER, (sessions.first_target[part][session] + place) % urls, target)
    last_page = np.maximum.accumulate(np.where(is_page & is_person, np.arange(count), 0))
    from_page = np.where(is_page, np.concatenate([[0], last_page[:-1]]), last_page)
    referrer = np.where(is_person & (place > 0), target[from_page] + 1, 0)
    # Browsers of the time often send no more than the origin, some send nothing.
    manner = hash_unit(sessions.visitor[part], 17)[session]
    referrer = np.where((referrer > 0) & (manner < 0.95), np.where(manner < 0.2, 0, urls + 1), referrer)
    return {
        "at": at,
        "visitor": sessions.visitor[part][session],
        "target": target,
        "referrer": referrer,
        "draw": draw[1],
    }


def _lines(rows: dict[str, NDArray[Any]], texts: _Texts) -> bytes:
    if not len(rows["at"]):
        return b""
    seconds = rows["at"].astype(np.int64)
    distinct, place = np.unique(seconds, return_inverse=True)
    local = pl.from_epoch(pl.Series(distinct + _FIRST_SECOND + 8 * 3600), time_unit="s")
    stamps = local.dt.strftime(f'%d/%b/%Y:%H:%M:%S {_ZONE}] "')
    target = rows["target"]
    typical = np.exp(7.4 + 3.4 * hash_unit(target, 5)).astype(np.int64)
    status = np.where(
        rows["draw"] < 0.955, 200, np.where(rows["draw"] < 0.985, 304, np.where(rows["draw"] < 0.997, 404, 302))
    )
    size = np.where(status == 200, typical, np.where(status == 304, 0, 548))
    frame = pl.DataFrame(
        [
            texts.head.gather(rows["visitor"]).alias("a"), stamps.gather(place).alias("b"),
            texts.request.gather(target).alias("c"),
            pl.Series("d", status), pl.Series("e", size),
            texts.referrer.gather(rows["referrer"]).alias("f"), texts.tail.gather(rows["visitor"]).alias("g"),
        ]
    )  # fmt: skip
    joined = frame.select(pl.concat_str("a", "b", "c", "d", pl.lit(" "), "e", "f", "g"))
    buffer = io.BytesIO()
    joined.write_csv(buffer, include_header=False, quote_style="never")
    return buffer.getvalue()


def _write_pieces(chance: Generator, sessions: _Sessions, visitors: int, urls: int) -> _Texts:
    """The texts of all visitors and targets."""
    targets, pages, images = _targets(chance, urls)
    book, agents = AddressBook(chance), AgentBook()
    codes, addresses = book.texts(book.home(chance, 2 * visitors, v6_share=0.03))
    # Distinct addresses, so that every visitor is a pair of its own.
    _, first = np.unique(codes, return_index=True)
    client = addresses.gather(codes[np.sort(first)][:visitors])
    chosen = agents.people(chance, chance.random(visitors) < 0.6)
    agent = (
        pl.Series(agents.texts).gather(chosen).str.replace(r"Chrome/(\d+)\.0\.(\d+)\.\d+", "Chrome/${1}.0.${2}.PATCH")
    )
    patch = pl.Series((hash_unit(np.arange(visitors), 9) ** 2 * 180).astype(np.int64)).cast(pl.String)
    frame = pl.DataFrame({"client": client, "agent": agent, "patch": patch})
    kind = np.zeros(visitors, np.uint8)
    kind[sessions.visitor] = sessions.kind
    is_google = pl.col("row") % 5 < 3
    google, bing = (pl.lit(f"Mozilla/5.0 (compatible; {name})") for name in _CRAWLER_NAMES)
    crawler = pl.when(is_google).then(google).otherwise(bing)
    # Crawlers come from published blocks, one address each.
    block = pl.when(is_google).then(pl.lit("66.249.")).otherwise(pl.lit("40.77."))
    third = pl.when(is_google).then(64 + (pl.col("row") // 254) % 16).otherwise(167 + (pl.col("row") // 254) % 16)
    published = pl.concat_str(block, third, pl.lit("."), 1 + pl.col("row") % 254)
    script = pl.lit("python-requests/2.26.0")
    frame = frame.with_columns(pl.Series("kind", kind), pl.Series("row", np.arange(visitors))).with_columns(
        pl.when(pl.col("kind") == _CRAWLER).then(crawler).when(pl.col("kind") == _SCRAPER).then(script)
        .otherwise(pl.col("agent").str.replace("PATCH", pl.col("patch"))).alias("agent"),
        pl.when(pl.col("kind") == _CRAWLER).then(published)
        .otherwise("client").alias("client"),
    )  # fmt: skip
    head = frame.select(pl.concat_str("client", pl.lit(" - - [")))["client"]
    tail = frame.select(pl.concat_str(pl.lit(' "'), "agent", pl.lit('"')).alias("t"))["t"]
    text = pl.DataFrame({"t": targets})
    method = pl.when(pl.col("t").is_in(_ACTS)).then(pl.lit("POST ")).otherwise(pl.lit("GET "))
    request = text.select(pl.concat_str(method, "t", pl.lit(' HTTP/1.1" ')).alias("t"))["t"]
    referrer = text.select(pl.concat_str(pl.lit(f' "{_HOST}'), "t", pl.lit('"')).alias("t"))["t"]
    return _Texts(
        head,
        tail,
        request,
        pl.concat([pl.Series("t", [' "-"']), referrer, pl.Series("t", [f' "{_HOST}/"'])]),
        pages,
        images,
    )


def _targets(chance: Generator, urls: int) -> tuple[pl.Series, int, int]:
    """Distinct targets: pages first, then pictures, then a few common files; with the numbers of pages and pictures."""
    files = min(24, urls // 10)
    images = urls // 4
    pages = urls - files - images
    words = np.array(_words(chance, 900))
    number = np.arange(pages)
    picked = [pl.Series(words[chance.integers(0, len(words), pages)]) for _ in range(2)]
    sort = chance.random(pages)
    frame = pl.DataFrame({"n": number + 10_000, "a": picked[0], "b": picked[1], "s": sort, "k": number % 977})
    product = pl.concat_str(pl.lit("/product/"), "n", pl.lit("/"), "a", pl.lit("-"), "b")
    category = pl.concat_str(pl.lit("/category/"), "a", pl.lit("/"), "b", pl.lit("?page="), "n")
    filters = pl.concat_str(pl.lit("/filter/b"), "k", pl.lit(",p"), "n", pl.lit("?sort="), "a")
    search = pl.concat_str(pl.lit("/search?q="), "a", pl.lit("+"), "b", pl.lit("&from="), "n")
    offer = pl.concat_str(pl.lit("/deals/"), "a", pl.lit("-"), "n")
    page = (
        pl.when(pl.col("s") < 0.6).then(product).when(pl.col("s") < 0.72).then(category)
        .when(pl.col("s") < 0.85).then(filters)
        .when(pl.col("s") < 0.97).then(search).otherwise(offer)
    )  # fmt: skip
    picture = pl.DataFrame({"n": np.arange(images) + 40_000, "k": np.arange(images) % 3}).select(
        pl.concat_str(pl.lit("/image/"), "n", pl.lit("/product/"), 100 * (pl.col("k") + 1), pl.lit(".jpg")).alias("t")
    )["t"]
    acts = list(_ACTS[: files // 3])
    common = pl.Series(
        "t",
        acts
        + [f"/static/{words[k]}.{k * 7919 + 13:x}.{('css', 'js', 'woff2')[k % 3]}" for k in range(files - len(acts))],
    )
    return pl.concat([frame.select(page.alias("t"))["t"], picture, common]), pages, images


def _words(chance: Generator, count: int) -> list[str]:
    heads, tails = (
        ("ba", "ke", "lo", "mi", "nu", "ra", "sto", "ti", "vel", "zan", "pre", "gul"),
        ("n", "r", "s", "ta", "lo", "mi", "x", "nd"),
    )
    found: dict[str, None] = {}
    while len(found) < count:
        size = int(chance.integers(1, 4))
        found[
            "".join(heads[int(k)] for k in chance.integers(0, len(heads), size))
            + tails[int(chance.integers(0, len(tails)))]
        ] = None
    return list(found)
