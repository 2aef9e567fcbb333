"""The features of a visitor on one day, declared in one table.

Paper B names three groups of three features and leaves the table out; these are our nine. Everything rests on page and
API requests: assets that a browser fetches by itself say nothing about what a person wants. Further groups can be
switched on by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.features.visitors import _columns as c
from floorwalker.registry import nearest_name

Stats = NDArray[np.float64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Facts:
    """What the kernels know of `n` visitor-days: `stats` float64 [n, COLUMNS], `distinct_targets` float64 [n],
    `history` by name, float64 [n] each, and the index of each role's column."""

    stats: Stats
    distinct_targets: Values
    history: Mapping[str, Values]
    role: Mapping[str, int]

    def column(self, position: int) -> Values:
        """One running statistic of every visitor-day."""
        return self.stats[:, position]

    def count_of(self, role: str) -> Values:
        """Requests to routes of one role."""
        return self.stats[:, c.ROLE_0 + self.role[role]]


@dataclass(frozen=True)
class Feature:
    """A named number.

    Parameters
    ----------
    name : as it stands in reports and exports.
    group : the switchable group that it belongs to.
    unit : `requests`, `seconds`, `share`, `bits`, …
    meaning : what it is and why it tells hunters from customers.
    compute : facts of `n` visitor-days to float64 [n].
    logarithmic : compared on a logarithmic scale, because it spans orders of magnitude.
    """

    name: str
    group: str
    unit: str
    meaning: str
    compute: Callable[[Facts], Values]
    logarithmic: bool = False


def _spread(squares: int, count: int) -> Callable[[Facts], Values]:
    def compute(facts: Facts) -> Values:
        return np.sqrt(facts.column(squares) / np.maximum(facts.column(count), 1.0))

    return compute


def _share(part: int, whole: int = c.PAGES) -> Callable[[Facts], Values]:
    def compute(facts: Facts) -> Values:
        return facts.column(part) / np.maximum(facts.column(whole), 1.0)

    return compute


def _gap_variation(base: int) -> Callable[[Facts], Values]:
    def compute(facts: Facts) -> Values:
        mean = facts.column(base + c.GAP_MEAN_OF)
        spread = _gap_deviation(facts, base, c.GAP_SQUARES_OF)
        variation: Values = np.where(mean > 0.0, spread / np.maximum(mean, 1e-9), 0.0)
        return variation

    return compute


def _gap_deviation(facts: Facts, base: int, squares: int) -> Values:
    deviation: Values = np.sqrt(np.maximum(facts.column(base + squares), 0.0) / _gap_count(facts, base))
    return deviation


def _gap_count(facts: Facts, base: int) -> Values:
    seen = facts.column(c.REQUESTS if base == c.REQUEST_GAP else c.BEACONS)
    return np.maximum(seen - 1.0, 1.0)


def _gap_log_spread(base: int) -> Callable[[Facts], Values]:
    return lambda facts: _gap_deviation(facts, base, c.GAP_LOG_SQUARES_OF)


def _gap_skew(base: int) -> Callable[[Facts], Values]:
    def compute(facts: Facts) -> Values:
        cubes = facts.column(base + c.GAP_CUBES_OF) / _gap_count(facts, base)
        # A thousandth of a second keeps a timer without any spread from dividing by nothing.
        skew: Values = cubes / (_gap_deviation(facts, base, c.GAP_SQUARES_OF) + 0.001) ** 3
        return skew

    return compute


def _role_share(*roles: str) -> Callable[[Facts], Values]:
    def compute(facts: Facts) -> Values:
        total: Values = np.zeros(len(facts.stats))
        for role in roles:
            total = total + facts.count_of(role)
        return total / np.maximum(facts.column(c.PAGES), 1.0)

    return compute


def _entropy(facts: Facts) -> Values:
    pages = np.maximum(facts.column(c.PAGES), 1.0)
    nats: Values = np.log(pages) - facts.column(c.ROUTE_COUNT_LOG) / pages
    bits: Values = np.maximum(nats, 0.0) / np.log(2.0)
    return bits


def _column(position: int) -> Callable[[Facts], Values]:
    return lambda facts: facts.column(position)


def _history(name: str) -> Callable[[Facts], Values]:
    return lambda facts: facts.history[name]


FEATURES: tuple[Feature, ...] = (
    # Paper B's nine, in its three groups.
    Feature("visits", "visits", "requests", "page requests on the day", _column(c.PAGES), True),
    Feature(
        "busiest_minute",
        "visits",
        "requests",
        "page requests in the fullest clock minute: people read, bursts do not",
        _column(c.BUSIEST_MINUTE),
        True,
    ),
    Feature(
        "active_hours",
        "visits",
        "hours",
        "clock hours with a page request: watchers come back all day",
        _column(c.ACTIVE_HOURS),
        True,
    ),
    Feature(
        "duration",
        "time",
        "seconds",
        "from the first page request of the day to the last",
        lambda facts: np.maximum(facts.column(c.LAST_PAGE_AT) - facts.column(c.FIRST_PAGE_AT), 0.0),
        True,
    ),
    Feature("gap_mean", "time", "seconds", "mean gap between page requests", _column(c.GAP_MEAN), True),
    Feature(
        "gap_spread",
        "time",
        "seconds",
        "standard deviation of the gaps: small beside a steady mean is a timer",
        _spread(c.GAP_SQUARES, c.GAPS),
        True,
    ),
    Feature("distinct_routes", "pages", "routes", "different types of page asked for", _column(c.ROUTES), True),
    Feature(
        "top_route_share",
        "pages",
        "share",
        "share of page requests that went to the commonest route",
        _share(c.TOP_ROUTE),
    ),
    Feature(
        "route_entropy",
        "pages",
        "bits",
        "entropy of the routes: low is targeted, high is scattered",
        _entropy,
    ),
    # Gaps between all requests, assets and beacons among them: what the browser does by itself.
    Feature(
        "request_gap_variation",
        "cadence",
        "ratio",
        "standard deviation of the gaps between all requests over their mean",
        _gap_variation(c.REQUEST_GAP),
    ),
    Feature(
        "request_gap_log_spread",
        "cadence",
        "log seconds",
        "standard deviation of log(1 + gap) between all requests",
        _gap_log_spread(c.REQUEST_GAP),
    ),
    Feature(
        "request_gap_longest",
        "cadence",
        "seconds",
        "longest gap between all requests",
        _column(c.REQUEST_GAP + c.GAP_LONGEST_OF),
        True,
    ),
    Feature(
        "request_gap_skew",
        "cadence",
        "ratio",
        "skewness of the gaps between all requests: people pause, timers do not",
        _gap_skew(c.REQUEST_GAP),
    ),
    # The same for the beacons of scripts in the page: a person's come as the person moves.
    Feature(
        "beacon_gap_variation",
        "beacon_cadence",
        "ratio",
        "standard deviation of the gaps between beacons of scripts in the page over their mean",
        _gap_variation(c.BEACON_GAP),
    ),
    Feature(
        "beacon_gap_log_spread",
        "beacon_cadence",
        "log seconds",
        "standard deviation of log(1 + gap) between beacons of scripts in the page",
        _gap_log_spread(c.BEACON_GAP),
    ),
    Feature(
        "beacon_gap_longest",
        "beacon_cadence",
        "seconds",
        "longest gap between beacons of scripts in the page",
        _column(c.BEACON_GAP + c.GAP_LONGEST_OF),
        True,
    ),
    Feature(
        "beacon_gap_skew",
        "beacon_cadence",
        "ratio",
        "skewness of the gaps between beacons of scripts in the page: people pause, timers do not",
        _gap_skew(c.BEACON_GAP),
    ),
    # How a person finds the way: back again, and to what was seen before.
    Feature(
        "back_share",
        "navigation",
        "share",
        "share of page requests, from the third on, to the URL before the last: the back button",
        lambda facts: facts.column(c.BACKS) / np.maximum(facts.column(c.PAGES) - 2.0, 1.0),
    ),
    Feature(
        "same_target_share",
        "navigation",
        "share",
        "share of page requests that repeat the URL just before",
        _share(c.SAME_TARGET, c.GAPS),
    ),
    Feature(
        "revisit_share",
        "navigation",
        "share",
        "share of page requests to a URL seen before on the day",
        lambda facts: 1.0 - np.minimum(facts.distinct_targets / np.maximum(facts.column(c.PAGES), 1.0), 1.0),
    ),
    # How the gaps are distributed: timers and scripts against reading.
    Feature("log_gap_mean", "rhythm", "log seconds", "mean of log(1 + gap)", _column(c.LOG_GAP_MEAN)),
    Feature(
        "log_gap_spread",
        "rhythm",
        "log seconds",
        "standard deviation of log(1 + gap): people mix glances with long pauses",
        _spread(c.LOG_GAP_SQUARES, c.GAPS),
    ),
    Feature(
        "repeated_gap_share",
        "rhythm",
        "share",
        "share of gaps equal to the one before, within a second or 5 %",
        _share(c.REPEATED_GAPS, c.GAPS),
    ),
    # Which pages, below the level of routes.
    Feature(
        "distinct_targets",
        "targets",
        "URLs",
        "different URLs asked for (HyperLogLog, standard error 13 %)",
        lambda facts: facts.distinct_targets,
        True,
    ),
    Feature(
        "same_route_share",
        "targets",
        "share",
        "share of page requests to the route just before",
        _share(c.SAME_ROUTE, c.GAPS),
    ),
    # What a real browser does by itself.
    Feature(
        "assets_per_page",
        "browser",
        "requests",
        "asset requests per page request: scripts fetch none",
        _share(c.ASSETS),
        True,
    ),
    Feature(
        "without_referrer_share",
        "browser",
        "share",
        "share of page requests without a referrer",
        _share(c.WITHOUT_REFERRER),
    ),
    Feature(
        "error_share",
        "browser",
        "share",
        "share of requests answered 4xx",
        _share(c.CLIENT_ERRORS, c.REQUESTS),
    ),
    Feature(
        "post_share",
        "browser",
        "share",
        "share of page requests that change something (POST)",
        _share(c.POSTS),
    ),
    Feature("head_share", "browser", "share", "share of page requests that only look (HEAD)", _share(c.HEADS)),
    # What they came for.
    Feature(
        "offer_share",
        "purpose",
        "share",
        "share of page requests to offers, coupons and stock",
        _role_share("offer"),
    ),
    Feature(
        "product_share",
        "purpose",
        "share",
        "share of page requests to products and categories",
        _role_share("product", "category"),
    ),
    Feature("search_share", "purpose", "share", "share of page requests to search", _role_share("search")),
    Feature("login_share", "purpose", "share", "share of page requests to sign-in", _role_share("login")),
    Feature(
        "checkout_share",
        "purpose",
        "share",
        "share of page requests to basket and checkout",
        _role_share("basket", "checkout"),
    ),
    # How the day stands in the days before it.
    Feature(
        "active_days",
        "history",
        "days",
        "days of the window with page requests",
        _history("active_days"),
        True,
    ),
    Feature(
        "offer_days",
        "history",
        "days",
        "days of the window with requests to offers",
        _history("offer_days"),
        True,
    ),
)

NINE = tuple(feature.name for feature in FEATURES if feature.group in ("visits", "time", "pages"))
"""Names of paper B's nine features."""

GROUPS = tuple(dict.fromkeys(feature.group for feature in FEATURES))
"""Names of the groups, the paper's three first."""


def select_features(groups: Iterable[str]) -> tuple[Feature, ...]:
    """The features of these groups, in the table's order; an unknown group raises `UsageError`.

    >>> [feature.name for feature in select_features(["visits"])]
    ['visits', 'busiest_minute', 'active_hours']
    """
    wanted = list(groups)
    for group in wanted:
        if group not in GROUPS:
            close = nearest_name(group, list(GROUPS))
            raise UsageError(
                f"unknown feature group {group!r}",
                allowed=", ".join(GROUPS),
                fix=f"did you mean {close!r}?" if close else "",
            )
    return tuple(feature for feature in FEATURES if feature.group in wanted)
