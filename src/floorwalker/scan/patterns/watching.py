"""Monitoring econnoisseurs: low and slow on offers or on one page, hour after hour (paper B, category 2)."""

from __future__ import annotations

import numpy as np

from floorwalker.features.visitors import _columns as c
from floorwalker.scan.patterns._pattern import Evidence, Pattern, Values, count_text, duration_text

FEWEST_WATCHES = 8
WHOLE_DAY_HOURS = 24.0


def _watches(evidence: Evidence) -> Values:
    """Requests spent watching: to offers, to the one URL that fills most of the visit, or to the same few again."""
    again = evidence.features["visits"] * evidence.features["revisit_share"]
    return np.maximum(np.maximum(evidence.facts.count_of("offer"), evidence.facts.column(c.MAJORITY)), again)


def _strength(evidence: Evidence) -> Values:
    pages = np.maximum(evidence.features["visits"], 1.0)
    watches = _watches(evidence)
    share = np.minimum(watches / pages, 1.0)
    # A day's log covers 24 hours; a shorter one cannot show more hours than it has.
    hours_seen = np.minimum(evidence.span_hours, WHOLE_DAY_HOURS)
    coverage = np.minimum(evidence.features["active_hours"] / np.maximum(hours_seen, 1.0), 1.0)
    slow = pages / np.maximum(evidence.features["active_hours"], 1.0) <= 60.0
    applies = (watches >= FEWEST_WATCHES) & (share >= 0.5) & slow & (evidence.features["duration"] >= 3 * 3600)
    applies &= evidence.facts.column(c.CHECKOUTS_DONE) == 0
    gap_mean = np.maximum(evidence.features["gap_mean"], 1.0)
    variation = evidence.features["gap_spread"] / gap_mean
    steadiness = np.clip(1.5 - variation, 0.0, 1.0)
    # People visit in sittings: gaps vary far more than their mean, and most hours of the day are empty.
    return np.where(applies, share * (coverage * 2.0 + steadiness), 0.0)


def _sentence(evidence: Evidence, row: int) -> str:
    watches = _watches(evidence)[row]
    gap = evidence.features["gap_mean"][row]
    spread = evidence.features["gap_spread"][row]
    hours = evidence.features["active_hours"][row]
    usual = evidence.medians["active_hours"]
    visits = count_text(evidence.features["visits"][row], "visit")
    seen = f"{count_text(watches, 'look')} of {visits} over {count_text(hours, 'hour')} of the day"
    rhythm = f"every {duration_text(gap)} ± {duration_text(spread)}"
    return f"watches offers or the same few pages: {seen} (site median {usual:.0f}), {rhythm}"


PATTERN = Pattern("monitoring.watches_offers", "strong pattern", "monitoring", 0.9, True, _strength, _sentence)
