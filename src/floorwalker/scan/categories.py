"""Paper B's four categories of visitors, told apart by stated rules.

The paper finds them by eye in a t-SNE map: random visitors (few, short visits), monitoring visitors (specific pages,
long,
infrequent), normal visitors (scattered pages, more time) and specific-page visitors (many visits in a short time,
targeted), which it calls activity. Abusers sit in the second and the fourth, but not everyone there is one:
a category describes, a flag accuses.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.scan.patterns import Evidence
from floorwalker.scan.result import CATEGORIES

RANDOM, MONITORING, NORMAL, ACTIVITY = range(len(CATEGORIES))

FEW_VISITS = 6
SHORT_SECONDS = 60.0
LONG_SECONDS = 3 * 3600.0
SLOW_AN_HOUR = 60.0
BURST_A_MINUTE = 10.0
TARGETED_SHARE = 0.6


def categorise(evidence: Evidence) -> NDArray[np.int8]:
    """Index into `CATEGORIES` for each visitor-day, int8 [n].

    Random: fewer than six page requests, or all within a minute and not a burst. Monitoring: at least 60 % on one
    route, at most 60 page requests in an active hour, for three hours or (in a shorter log) most of its length.
    Activity:
    ten or more page requests in one minute, at least 60 % on one route. Normal: everyone else.
    """
    features = evidence.features
    visits = features["visits"]
    targeted = features["top_route_share"] >= TARGETED_SHARE
    slow = visits / np.maximum(features["active_hours"], 1.0) <= SLOW_AN_HOUR
    long = features["duration"] >= np.minimum(LONG_SECONDS, 0.6 * evidence.span_hours * 3600.0)
    burst = features["busiest_minute"] >= BURST_A_MINUTE
    category = np.full(len(evidence), NORMAL, np.int8)
    category[(visits < FEW_VISITS) | ((features["duration"] < SHORT_SECONDS) & ~burst)] = RANDOM
    category[targeted & slow & long & (visits >= FEW_VISITS)] = MONITORING
    category[targeted & burst] = ACTIVITY
    return category
