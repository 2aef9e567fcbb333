"""Sign-in tried far more often than people sign in (OAT-008, credential stuffing; OAT-007, cracking)."""

from __future__ import annotations

import numpy as np

from floorwalker.features.visitors import _columns as c
from floorwalker.scan.patterns._pattern import Evidence, Pattern, Values, count_text


def _strength(evidence: Evidence) -> Values:
    posts = evidence.facts.column(c.LOGIN_POSTS)
    failures = evidence.facts.column(c.LOGIN_FAILURES)
    pages = np.maximum(evidence.features["visits"], 1.0)
    # An office behind one address signs in often too, but browses far more than it signs in.
    applies = (posts >= 8) & (posts / pages >= 0.4) & (failures >= 0.5 * posts)
    return np.where(applies, posts, 0.0)


def _sentence(evidence: Evidence, row: int) -> str:
    posts = evidence.facts.column(c.LOGIN_POSTS)[row]
    failures = evidence.facts.column(c.LOGIN_FAILURES)[row]
    visits = count_text(evidence.features["visits"][row], "visit")
    return f"tries sign-ins: {count_text(posts, 'sign-in')} sent, {failures:,.0f} not successful, among {visits}"


PATTERN = Pattern("login.tries_credentials", "strong pattern", "activity", 10.0, True, _strength, _sentence, 2)
