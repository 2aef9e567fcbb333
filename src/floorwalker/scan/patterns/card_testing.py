"""Payments sent again and again, most of them refused (OAT-001, carding; OAT-010, card cracking)."""

from __future__ import annotations

import numpy as np

from floorwalker.features.visitors import _columns as c
from floorwalker.scan.patterns._pattern import Evidence, Pattern, Values, count_text


def _strength(evidence: Evidence) -> Values:
    posts = evidence.facts.column(c.CHECKOUT_POSTS)
    failures = evidence.facts.column(c.CHECKOUT_FAILURES)
    applies = (posts >= 6) & (failures >= 0.6 * posts)
    return np.where(applies, failures, 0.0)


def _sentence(evidence: Evidence, row: int) -> str:
    posts = evidence.facts.column(c.CHECKOUT_POSTS)[row]
    failures = evidence.facts.column(c.CHECKOUT_FAILURES)[row]
    return f"tests payments: {count_text(posts, 'payment')} sent to checkout, {failures:,.0f} of them refused"


PATTERN = Pattern("checkout.tests_payments", "strong pattern", "activity", 6.0, True, _strength, _sentence, 2)
