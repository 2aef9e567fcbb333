"""Activity econnoisseurs: a burst of claims and baskets on few pages during a promotion (paper B, category 4)."""

from __future__ import annotations

import numpy as np

from floorwalker.features.visitors import _columns as c
from floorwalker.scan.patterns._pattern import Evidence, Pattern, Values, count_text

FEWEST_IN_A_MINUTE = 8


def _targeted(evidence: Evidence) -> Values:
    """Page requests to offers, basket and checkout."""
    facts = evidence.facts
    return facts.count_of("offer") + facts.count_of("basket") + facts.count_of("checkout")


def _strength(evidence: Evidence) -> Values:
    pages = np.maximum(evidence.features["visits"], 1.0)
    burst = evidence.features["busiest_minute"]
    share = np.minimum(_targeted(evidence) / pages, 1.0)
    narrow = np.maximum(evidence.features["top_route_share"], share)
    applies = (burst >= FEWEST_IN_A_MINUTE) & (share >= 0.5) & (narrow >= 0.5)
    return np.where(applies, burst * share, 0.0)


def _sentence(evidence: Evidence, row: int) -> str:
    burst = evidence.features["busiest_minute"][row]
    posts = evidence.facts.column(c.OFFER_POSTS)[row]
    claims = f", {count_text(posts, 'claim')} sent" if posts else ""
    usual = evidence.medians["busiest_minute"]
    visits = count_text(evidence.features["visits"][row], "visit")
    aim = f"{_targeted(evidence)[row]:,.0f} of {visits} to offers, basket or checkout{claims}"
    return f"bursts on offers: {count_text(burst, 'request')} in one minute (site median {usual:.0f}), {aim}"


PATTERN = Pattern("activity.bursts_on_offers", "strong pattern", "activity", 12.0, True, _strength, _sentence)
