"""A builder of plausible scan results, so that the report, the tables and the exports are tested without a log."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.scan.result import CATEGORIES, TIERS, Cleaned, ScanResult, SourceFacts

FEATURE_UNITS = {
    "visits": "requests",
    "busiest_minute": "requests",
    "active_hours": "hours",
    "duration": "seconds",
    "gap_mean": "seconds",
    "gap_spread": "seconds",
    "distinct_routes": "routes",
    "top_route_share": "share",
    "route_entropy": "bits",
    "offer_share": "share",
    "without_referrer_share": "share",
}
"""The features that the builder fills in, with their units."""

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"

_GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1)"

AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/96.0.4664.45 Safari/537.36",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 15_1 like Mac OS X) {_WEBKIT} Version/15.1 Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Linux; Android 11; Pixel 5) {_WEBKIT} Chrome/95.0.4638.74 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:94.0) Gecko/20100101 Firefox/94.0",
    "python-requests/2.26.0",
    "okhttp/4.9.1",
)

HOSTILE = (
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "\"><svg onload=document.title='owned'>",
    "javascript:document.title='owned'//",
    "<!--<script>",
    "]]>&lt;b&gt;&amp;",
    '=HYPERLINK("http://evil.example","click")',
    "+cmd|' /C calc'!A0",
    "[bold red]markup[/] [link=http://evil.example]x[/link]",
    "\x1b[31mred\x1b[0m\x07\x00\u202egnp.exe\u2028",
)
"""Texts that an attacker would put into a user agent or a URL."""

JUDGED = date(2021, 11, 11)
"""The day that the builder judges: a promotion day."""


def _at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime.combine(JUDGED, time(hour, minute, second))


# Means of log(1 + value) for each category, in the order of FEATURE_UNITS; shares and bits are drawn apart.
_LEVELS = {
    "random": (1.2, 0.9, 0.7, 4.0, 3.6, 3.0, 1.0),
    "monitoring": (3.9, 1.0, 2.6, 10.6, 6.6, 3.2, 1.1),
    "normal": (2.6, 1.4, 1.0, 6.8, 4.2, 4.4, 2.0),
    "activity": (4.9, 3.6, 0.9, 6.4, 1.3, 1.2, 1.0),
}
_SHARES = {
    "random": (6.0, 3.0, 0.8, 0.1, 0.5),
    "monitoring": (9.0, 1.2, 0.6, 0.85, 0.8),
    "normal": (3.0, 4.0, 2.3, 0.08, 0.15),
    "activity": (8.0, 1.5, 0.7, 0.7, 0.75),
}
_REASONS = {
    "monitoring": (
        "monitoring.steady_cadence",
        "asked for the same offer every {gap:.0f} s for {hours:.1f} h; the site's median gap is {median:.0f} s",
    ),
    "activity": (
        "activity.burst",
        "{visits:.0f} page requests, up to {minute:.0f} in one minute; the site's median is {median_minute:.0f}",
    ),
    "random": ("unusual.score", "unlike the other visitors: {share:.0%} of the requests went to one route"),
    "normal": ("unusual.score", "unlike the other visitors: {share:.0%} of the requests went to one route"),
}


def _features(rng: np.random.Generator, category: NDArray[np.str_]) -> dict[str, NDArray[np.float32]]:
    size = len(category)
    values = {name: np.zeros(size, np.float32) for name in FEATURE_UNITS}
    for name, levels in _LEVELS.items():
        rows = np.flatnonzero(category == name)
        for level, feature in zip(levels, list(FEATURE_UNITS)[:7], strict=True):
            drawn = np.expm1(rng.normal(level, 0.55, len(rows)))
            whole = FEATURE_UNITS[feature] in ("requests", "hours", "routes")
            values[feature][rows] = np.maximum(np.round(drawn), 1) if whole else np.maximum(drawn, 0)
        top, rest, bits, offer, without = _SHARES[name]
        values["top_route_share"][rows] = rng.beta(top, rest, len(rows))
        values["route_entropy"][rows] = np.maximum(rng.normal(bits, 0.5, len(rows)), 0)
        values["offer_share"][rows] = rng.beta(offer * 8 + 0.4, (1 - offer) * 8, len(rows))
        values["without_referrer_share"][rows] = rng.beta(without * 6 + 0.3, (1 - without) * 6, len(rows))
    values["active_hours"] = np.minimum(values["active_hours"], 24).astype(np.float32)
    values["duration"] = np.minimum(values["duration"], 86_400).astype(np.float32)
    return values


def _clients(rng: np.random.Generator, size: int) -> list[str]:
    blocks = np.array(["192.0.2", "198.51.100", "203.0.113"])
    if size <= 700:
        fourth = np.concatenate([rng.permutation(256) for _ in range(3)])[:size]
        return [f"{blocks[i // 256]}.{last}" for i, last in enumerate(fourth)]
    numbers = rng.permutation(size)
    return [f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::{number % 251 + 1:x}" for number in numbers]


def _network(client: str) -> str:
    if ":" in client:
        return client.split("::")[0] + "::/64"
    return client.rpartition(".")[0] + ".0/24"


def make_scan_result(
    rng: np.random.Generator,
    *,
    visitors: int = 400,
    days: int = 7,
    flagged_share: float = 0.05,
    hostile: bool = False,
    embedding: bool = True,
    judge_all: bool = False,
) -> ScanResult:
    """A scan result as a small shop's log would give it, judged on the last of `days` days.

    Parameters
    ----------
    rng : where chance comes from.
    visitors : visitors judged; zero is allowed.
    days : local days of the log; the last is judged, the earlier ones are training.
    flagged_share : share of visitors flagged.
    hostile : put texts from `HOSTILE` wherever the log's text goes.
    judge_all : judge every day instead of the last one; visitors are spread over the days.
    embedding : lay out a map of at most 2,000 visitors.
    """
    judged = JUDGED
    all_days = [judged - timedelta(days=back) for back in range(days - 1, -1, -1)]
    category = rng.choice(np.array(CATEGORIES), visitors, p=[0.45, 0.02, 0.515, 0.015])
    wanted = round(visitors * flagged_share)
    order = np.argsort(np.isin(category, ["monitoring", "activity"]) + rng.random(visitors) * 0.2)[::-1]
    flagged = np.zeros(visitors, bool)
    flagged[order[:wanted]] = True
    day = np.full(visitors, days - 1)
    if judge_all and days > 1:
        # Hunters come for the promotion, on the last day.
        usual = rng.random(visitors) < np.where(flagged, 0.6, 0.78)
        day[usual] = rng.integers(0, days - 1, int(usual.sum()))
    features = _features(rng, category)
    medians = {name: float(np.median(column)) if visitors else 0.0 for name, column in features.items()}
    score = np.where(flagged, rng.uniform(0.62, 0.99, visitors), rng.beta(2, 5, visitors) * 0.6).astype(np.float32)
    tiers = np.where(score > 0.85, TIERS[0], np.where(score > 0.7, TIERS[1], TIERS[2]))
    clients = _clients(rng, visitors)
    agents = [AGENTS[i] for i in rng.integers(0, len(AGENTS), visitors)]
    if hostile and visitors:
        for place, row in enumerate(np.flatnonzero(flagged)[: len(HOSTILE)]):
            agents[row] = HOSTILE[place]
    first = [_at(0) + timedelta(seconds=int(s)) for s in rng.integers(0, 40_000, visitors)]
    last = [start + timedelta(seconds=float(length)) for start, length in zip(first, features["duration"], strict=True)]
    codes: list[list[str]] = [[] for _ in range(visitors)]
    reasons: list[list[str]] = [[] for _ in range(visitors)]
    for row in np.flatnonzero(flagged):
        code, words = _REASONS[str(category[row])]
        sentence = words.format(
            gap=features["gap_mean"][row],
            hours=features["duration"][row] / 3600,
            median=medians["gap_mean"],
            visits=features["visits"][row],
            minute=features["busiest_minute"][row],
            median_minute=medians["busiest_minute"],
            share=features["top_route_share"][row],
        )
        codes[row] = [code, "browser.no_referrer"]
        reasons[row] = [sentence, f"{features['without_referrer_share'][row]:.0%} of the requests came from nowhere"]
        if hostile:
            reasons[row].append(f"asked for /{HOSTILE[int(row) % len(HOSTILE)]}")
    frame = pl.DataFrame(
        {
            "visitor": pl.Series(np.arange(visitors, dtype=np.int32)),
            "day": pl.Series([all_days[place] for place in day], dtype=pl.Date),
            "host": pl.Series(["shop.example"] * visitors, dtype=pl.String),
            "client": pl.Series(clients, dtype=pl.String),
            "network": pl.Series([_network(client) for client in clients], dtype=pl.String),
            "session": pl.Series([None] * visitors, dtype=pl.String),
            "user_agent": pl.Series(agents, dtype=pl.String),
            "category": pl.Series(category.tolist(), dtype=pl.String),
            "score": pl.Series(score),
            "rank": pl.Series(
                score + np.where(tiers == TIERS[0], 2, np.where(tiers == TIERS[1], 1, 0)), dtype=pl.Float32
            ),
            "flagged": pl.Series(flagged),
            "tier": pl.Series([str(t) if f else None for t, f in zip(tiers, flagged, strict=True)], dtype=pl.String),
            "pattern": pl.Series([c[0] if c else None for c in codes], dtype=pl.String),
            "reason_codes": pl.Series(codes, dtype=pl.List(pl.String)),
            "reasons": pl.Series(reasons, dtype=pl.List(pl.String)),
            "top_routes": pl.Series([["9 × /deals/{}", "2 × /cart/add"]] * visitors, dtype=pl.List(pl.String)),
            "checkouts": pl.Series(rng.binomial(1, 0.03, visitors), dtype=pl.Int32),
            "first_at": pl.Series(first, dtype=pl.Datetime("us")),
            "last_at": pl.Series(last, dtype=pl.Datetime("us")),
            **{name: pl.Series(column) for name, column in features.items()},
        }
    )
    shown = np.sort(rng.permutation(visitors)[:2000]).astype(np.int64) if embedding else np.empty(0, np.int64)
    centre = {"random": (-8.0, 3.0), "monitoring": (9.0, 7.0), "normal": (0.0, -4.0), "activity": (9.0, -7.0)}
    points = np.array([centre[str(category[row])] for row in shown], np.float32).reshape(len(shown), 2)
    return ScanResult(
        source=SourceFacts(
            files=("shop.example.access.log.gz",),
            format="combined",
            format_note="Apache or nginx combined, recognised from the first 1,000 lines (998 of them fit)",
            lines=visitors * 24 + 37,
            requests=visitors * 24,
            size_bytes=visitors * 24 * 230,
            first_at=datetime.combine(all_days[0], datetime.min.time()),
            last_at=_at(23, 59, 58),
        ),
        cleaned=[
            Cleaned(
                "malformed line", 37, "lines", ("203.0.113.9 - - GET /half", HOSTILE[0] if hostile else "\x16\x03\x01")
            ),
            Cleaned("abnormal URL", 12, "lines", ("192.0.2.77 GET /../../etc/passwd",)),
            Cleaned("too few visits", visitors // 3, "visitors"),
        ],
        warnings=["31 % of the lines came from addresses of one load balancer: log the client address as well"]
        + ([f"unknown field {HOSTILE[1]}"] if hostile else []),
        visitors=frame,
        swarms=_swarms(hostile),
        machines=_machines(hostile),
        routes=_routes(visitors, hostile),
        days=_days(rng, all_days, day, flagged, category, judge_all=judge_all),
        medians=medians,
        features=list(FEATURE_UNITS),
        feature_units=dict(FEATURE_UNITS),
        detector="isolation_forest",
        threshold=0.61,
        budget=0.002,
        embedding=points + rng.normal(0, 2.2, points.shape).astype(np.float32),
        embedding_rows=shown,
        training_days=tuple(all_days if judge_all else all_days[:-1]),
        judged_days=tuple(all_days) if judge_all else (judged,),
        seconds={"read": 2.1, "routes": 0.4, "features": 0.9, "detect": 0.5, "explain": 0.1, "map": 2.2},
    )


def _swarms(hostile: bool) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "swarm": pl.Series([0, 1], dtype=pl.Int32),
            "user_agent": [HOSTILE[0] if hostile else AGENTS[4], AGENTS[0]],
            "networks": pl.Series([112, 9], dtype=pl.Int32),
            "clients": pl.Series([340, 12], dtype=pl.Int32),
            "requests": pl.Series([1020, 31], dtype=pl.Int64),
            "routes": ["/deals/{} → /cart/add", "/ → /product/{}"],
            "first_at": [_at(9, 59, 58), _at(3)],
            "last_at": [_at(10, 4), _at(22)],
            "score": pl.Series([0.93, 0.31], dtype=pl.Float32),
            "flagged": [True, False],
            "reasons": [["340 addresses of 112 networks made the same three requests within 4 minutes"], []],
        },
        schema_overrides={"reasons": pl.List(pl.String)},
    )


def _machines(hostile: bool) -> pl.DataFrame:
    rows = [
        ("192.0.2.10", _GOOGLE, "crawler", "Googlebot", 4210, "in its operator's ranges", False),
        ("192.0.2.11", "bingbot/2.0", "crawler", "bingbot", 2210, "in its operator's ranges", False),
        ("198.51.100.4", "UptimeRobot/2.0", "uptime monitor", "UptimeRobot", 288, "user agent, every 300 s", False),
        ("10.0.0.8", "kube-probe/1.21", "health check", "kube-probe", 8640, "private address", False),
        ("203.0.113.66", _GOOGLE, "crawler", "Googlebot", 912, "outside the ranges", True),
    ]  # fmt: skip
    if hostile:
        rows.append(("203.0.113.67", HOSTILE[2], HOSTILE[1], HOSTILE[0], 5, HOSTILE[3], True))
    names = ["client", "user_agent", "kind", "name", "requests", "evidence", "impostor"]
    return pl.DataFrame(rows, schema=names, orient="row", schema_overrides={"requests": pl.Int64})


def _routes(visitors: int, hostile: bool) -> pl.DataFrame:
    rows = [
        ("/product/{}", "product", 9 * visitors, visitors // 2, 1200, "/product/blue-mug-17"),
        ("/", "other", 4 * visitors, visitors // 2, 1, "/"),
        ("/deals/{}", "offer", 3 * visitors, visitors // 8, 40, "/deals/singles-day"),
        ("/search?q={}", "search", 2 * visitors, visitors // 6, 700, "/search?q=mug"),
        ("/cart/add", "basket", visitors, visitors // 9, 1, "/cart/add"),
        ("/checkout", "checkout", visitors // 10, visitors // 20, 1, "/checkout"),
        ("/static/{}", "asset", 30 * visitors, visitors, 90, "/static/app.css"),
    ]
    if hostile:
        rows.append((HOSTILE[0], HOSTILE[1], 10 * visitors, 4, 2, HOSTILE[4]))
    names = ["route", "role", "requests", "visitors", "urls", "example"]
    whole = dict.fromkeys(("requests", "visitors", "urls"), pl.Int64)
    return pl.DataFrame(rows, schema=names, orient="row", schema_overrides=whole)


def _days(
    rng: np.random.Generator,
    days: list[date],
    day: NDArray[np.int64],
    flagged: NDArray[np.bool_],
    category: NDArray[np.str_],
    *,
    judge_all: bool,
) -> pl.DataFrame:
    judged = np.full(len(days), judge_all)
    judged[-1] = True
    activity = np.arange(len(days)) == len(days) - 1
    crowd = np.bincount(day, minlength=len(days))
    crowd[~judged] = (len(day) * rng.uniform(0.5, 0.7, int((~judged).sum()))).astype(np.int64)

    def count(rows: NDArray[np.bool_]) -> pl.Series:
        return pl.Series(np.bincount(day[rows], minlength=len(days)).astype(np.int64))

    return pl.DataFrame(
        {
            "day": days,
            "requests": pl.Series(24 * crowd, dtype=pl.Int64),
            "visitors": pl.Series(crowd, dtype=pl.Int64),
            "flagged": count(flagged),
            "activity": activity,
            "in_training": ~activity | judge_all,
            "judged": judged,
            **{f"{name}_visitors": count(category == name) for name in CATEGORIES},
        }
    )
