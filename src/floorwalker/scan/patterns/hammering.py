"""Forms sent over and over: coupons, sign-ins or payments, whatever the site calls them (OAT-008, OAT-016)."""

from __future__ import annotations

import numpy as np

from floorwalker.features.visitors import _columns as c
from floorwalker.scan.patterns._pattern import Evidence, Pattern, Values, count_text
from floorwalker.scan.phrases import say_share

FEWEST_POSTS = 8
"""A purchase sends a handful of forms: basket, address, payment, perhaps a coupon."""
MANY_POSTS = 25


def _strength(evidence: Evidence) -> Values:
    facts, features = evidence.facts, evidence.features
    posts = facts.column(c.POSTS)
    sensitive = facts.column(c.OFFER_POSTS) + facts.column(c.LOGIN_POSTS) + facts.column(c.CHECKOUT_POSTS)
    bare = (features["assets_per_page"] < 0.1) & evidence.site_fetches_assets
    blind = features["without_referrer_share"] >= 0.9
    # A page that asks its server at every tap (a variation picker, a filter) sends forms too, but in a browser, hardly
    # refused, and for nothing that is worth money.
    told = (sensitive >= 0.5 * posts) | (features["error_share"] >= 0.3)
    # Where most of what everybody sends is POST (one API for all, a recorder of mouse moves), many say nothing.
    rare = evidence.medians.get("post_share", 0.0) < 0.5
    no_page = told | ((bare | blind | (posts >= MANY_POSTS)) & rare)
    applies = (posts >= FEWEST_POSTS) & (features["post_share"] >= 0.5) & no_page
    return np.where(applies, posts * features["post_share"], 0.0)


def _sentence(evidence: Evidence, row: int) -> str:
    posts = evidence.facts.column(c.POSTS)[row]
    visits = count_text(evidence.features["visits"][row], "visit")
    usual = evidence.medians["post_share"]
    burst = count_text(evidence.features["busiest_minute"][row], "request")
    return (
        f"sends forms over and over: {posts:,.0f} of {visits} send data (site median {say_share(usual, 1.0)}), "
        f"up to {burst} in one minute"
    )


PATTERN = Pattern("activity.sends_forms", "strong pattern", "activity", 6.0, True, _strength, _sentence, 0)
