"""Coupon and gift-card codes claimed or guessed again and again by one visitor (OAT-002, token cracking)."""

from __future__ import annotations

import numpy as np

from floorwalker.features.visitors import _columns as c
from floorwalker.scan.patterns._pattern import Evidence, Pattern, Values, count_text


def _strength(evidence: Evidence) -> Values:
    posts = evidence.facts.column(c.OFFER_POSTS)
    failures = evidence.facts.column(c.OFFER_FAILURES)
    pages = np.maximum(evidence.features["visits"], 1.0)
    return np.where((posts >= 6) & (posts / pages >= 0.3), posts + failures, 0.0)


def _sentence(evidence: Evidence, row: int) -> str:
    posts = evidence.facts.column(c.OFFER_POSTS)[row]
    failures = evidence.facts.column(c.OFFER_FAILURES)[row]
    return f"claims coupons over and over: {count_text(posts, 'claim')} in a day, {failures:,.0f} of them refused"


PATTERN = Pattern("activity.claims_codes", "strong pattern", "activity", 8.0, True, _strength, _sentence, 2)
