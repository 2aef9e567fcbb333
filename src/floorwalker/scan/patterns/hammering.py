"""Forms sent over and over: coupons, sign-ins or payments, whatever the site calls them (OAT-008, OAT-016)."""

from __future__ import annotations

import numpy as np

from floorwalker.features.visitors import _columns as c
from floorwalker.scan.patterns._pattern import Evidence, Pattern, Values, count_text

FEWEST_POSTS = 8
"""A purchase sends a handful of forms: basket, address, payment, perhaps a coupon."""


def _strength(evidence: Evidence) -> Values:
    posts = evidence.facts.column(c.POSTS)
    share = evidence.features["post_share"]
    # Whoever fills a long basket looks at each product before sending it; whoever hammers a form does not.
    return np.where((posts >= FEWEST_POSTS) & (share >= 0.5), posts * share, 0.0)


def _sentence(evidence: Evidence, row: int) -> str:
    posts = evidence.facts.column(c.POSTS)[row]
    visits = count_text(evidence.features["visits"][row], "visit")
    usual = evidence.medians["post_share"]
    burst = count_text(evidence.features["busiest_minute"][row], "request")
    return (
        f"sends forms over and over: {posts:,.0f} of {visits} send data (site median {usual:.0%}), "
        f"up to {burst} in one minute"
    )


PATTERN = Pattern("activity.sends_forms", "strong pattern", "activity", 6.0, True, _strength, _sentence)
