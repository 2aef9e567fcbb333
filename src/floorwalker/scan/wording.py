"""Numbers as an analyst reads them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.visitors import FEATURES
from floorwalker.scan.model import VisitorModel
from floorwalker.scan.patterns._pattern import duration_text

MOST_SENTENCES = 3
NOTABLE_SPREADS = 2.0

_LABELS = {
    "visits": "page requests on the day",
    "busiest_minute": "page requests in the busiest minute",
    "active_hours": "hours with requests",
    "duration": "time from first to last request",
    "gap_mean": "mean gap between requests",
    "gap_spread": "spread of the gaps",
    "distinct_routes": "kinds of page",
    "top_route_share": "requests to the commonest kind of page",
    "route_entropy": "variety in kinds of page, in bits",
    "request_gap_variation": "spread of all gaps over their mean",
    "request_gap_log_spread": "spread of the logarithm of all gaps",
    "request_gap_longest": "longest gap between any two requests",
    "request_gap_skew": "skewness of all gaps",
    "beacon_gap_variation": "spread of the gaps between beacons over their mean",
    "beacon_gap_log_spread": "spread of the logarithm of the gaps between beacons",
    "beacon_gap_longest": "longest gap between two beacons",
    "beacon_gap_skew": "skewness of the gaps between beacons",
    "back_share": "requests that go back to the URL before the last",
    "log_gap_mean": "mean logarithm of the gaps",
    "log_gap_spread": "spread of the logarithm of the gaps",
    "repeated_gap_share": "gaps equal to the one before",
    "distinct_targets": "different URLs",
    "revisit_share": "requests to a URL seen before",
    "same_target_share": "requests that repeat the URL just before",
    "same_route_share": "requests that stay on one kind of page",
    "assets_per_page": "assets fetched a page",
    "without_referrer_share": "requests without a referrer",
    "error_share": "requests answered with an error",
    "post_share": "requests that send data",
    "head_share": "requests that only look (HEAD)",
    "offer_share": "requests to offers",
    "product_share": "requests to products",
    "search_share": "requests to search",
    "login_share": "requests to sign-in",
    "checkout_share": "requests to basket and checkout",
    "active_days": "days with requests",
    "offer_days": "days with requests to offers",
}
UNITS = {feature.name: feature.unit for feature in FEATURES}


def value_text(feature: str, value: float) -> str:
    """A feature's value with its unit.

    >>> value_text("top_route_share", 0.934), value_text("gap_mean", 1800.0), value_text("visits", 1234)
    ('93 %', '30 min', '1,234')
    """
    unit = UNITS.get(feature, "")
    if unit == "share":
        return f"{100 * value:.0f} %"
    if unit == "seconds":
        return duration_text(value)
    if unit in ("bits", "log seconds") or (value < 10 and value != round(value)):
        return f"{value:.2f}"
    return f"{value:,.0f}"


def label(feature: str) -> str:
    """What a feature is called in a sentence."""
    return _LABELS.get(feature, feature.replace("_", " "))


def unusual_sentences(
    model: VisitorModel, features: Mapping[str, NDArray[np.float64]], deviations: NDArray[np.float32], row: int
) -> list[str]:
    """The features that stand out most of one visitor-day, each with the site's median; at most three.

    Parameters
    ----------
    features : name to float64 [m].
    deviations : float32 [d], spreads from the median of this visitor-day, in the model's order.
    row : position of the visitor-day in `features`.
    """
    sentences = []
    for position in np.argsort(-np.abs(deviations))[:MOST_SENTENCES]:
        away = float(deviations[position])
        if abs(away) < NOTABLE_SPREADS:
            break
        name = model.features[position].name
        given = value_text(name, float(features[name][row]))
        usual = value_text(name, model.medians[name])
        sentences.append(f"{label(name)}: {given} (site median {usual})")
    return sentences
