"""What is known of a review's user and of its product from their other reviews, without any label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.evaluation.tasks._reviews_data import Reviews
from floorwalker.kernels import kernel

WINDOWS = (1, 7, 30, 120, 365)
COLUMNS = (
    "reviews", "mean_stars", "spread_of_stars", "mean_distance", "largest_distance", "share_one", "share_five",
    "share_newcomers", "distance_from_mean", "share_same_stars", "days_to_previous", "days_to_next", "days_since_first",
    "days_until_last", "same_day", "rank", "relative_rank", *(f"reviews_{days}d" for days in WINDOWS),
    *(f"newcomers_{days}d" for days in WINDOWS), "newcomers_same_stars", "same_stars_30d", "distance_30d",
)  # fmt: skip
"""Of the other reviews of the same user, or of the same product. Distance: of stars from the product's mean."""


def describe_history(reviews: Reviews, *, past: bool) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Columns of each review: its own, its user's, its product's.

    Parameters
    ----------
    past : whether only reviews of earlier days count; else all do, as in a study of finished history.

    Returns
    -------
    float32 [n, C] with NaN where there is no other review, and the C names.
    """
    nothing = np.zeros(len(reviews))
    plain = {"day": reviews.day, "stars": reviews.stars.astype(np.float64)}
    number = _describe(reviews.user, plain, nothing, nothing, past)[:, 0].astype(np.float64)
    mean = _describe(reviews.product, plain, nothing, nothing, past)[:, 1]
    distance = np.nan_to_num(np.abs(plain["stars"] - mean))
    parts = [_describe(ids, plain, distance, number, past) for ids in (reviews.user, reviews.product)]
    own = np.stack([reviews.stars, distance.astype(np.float32)], axis=1)
    names = ("stars", "distance", *(f"{side}.{name}" for side in ("user", "product") for name in COLUMNS))
    return np.hstack([own, *parts]), names


def _describe(
    ids: NDArray[np.int64],
    plain: dict[str, NDArray[Any]],
    distance: NDArray[np.float64],
    others: NDArray[np.float64],
    past: bool,
) -> NDArray[np.float32]:
    order = np.lexsort((plain["day"], ids))
    answer = np.full((len(ids), len(COLUMNS)), np.nan, np.float32)
    windows = np.array(WINDOWS, np.int64)
    _walk_groups(ids, order, plain["day"], plain["stars"], distance, others == 0, past, windows, answer)
    return answer


@kernel
def _walk_groups(
    ids: Any, order: Any, day: Any, stars: Any, distance: Any, newcomer: Any, past: bool, windows: Any, answer: Any
) -> None:
    first = 0
    nodes = len(ids)
    while first < nodes:
        last = first
        while last < nodes and ids[order[last]] == ids[order[first]]:
            last += 1
        for place in range(first, last):
            _describe_one(order, first, last, order[place], day, stars, distance, newcomer, past, windows, answer)
        first = last


@kernel
def _describe_one(
    order: Any, first: int, last: int, row: int, day: Any, stars: Any, distance: Any, newcomer: Any, past: bool,
    windows: Any, answer: Any,
) -> None:  # fmt: skip
    many = len(windows)
    near = np.zeros((4, many), np.float64)
    count = same = same_newcomers = same_day = earlier = ones = fives = newcomers = 0
    total = squares = away = farthest = 0.0
    previous = following = -1
    start = end = day[row]
    for place in range(first, last):
        other = order[place]
        gap = day[row] - day[other]
        if other == row or (past and gap <= 0):
            continue
        count += 1
        total += stars[other]
        squares += stars[other] * stars[other]
        away += distance[other]
        farthest = max(farthest, distance[other])
        ones += stars[other] == 1
        fives += stars[other] == 5
        newcomers += newcomer[other]
        is_same = stars[other] == stars[row]
        same += is_same
        same_newcomers += is_same and newcomer[other]
        same_day += gap == 0
        if gap > 0:
            earlier += 1
            previous = gap
        if gap < 0 and following < 0:
            following = -gap
        start = min(start, day[other])
        end = max(end, day[other])
        for window in range(many):
            if abs(gap) <= windows[window]:
                near[0, window] += 1
                near[1, window] += newcomer[other]
                near[2, window] += is_same
                near[3, window] += stars[other]
    found = answer[row]
    found[0] = count
    if count:
        mean = total / count
        found[1] = mean
        found[2] = np.sqrt(max(0.0, squares / count - mean * mean))
        found[3] = away / count
        found[4] = farthest
        found[5] = ones / count
        found[6] = fives / count
        found[7] = newcomers / count
        found[8] = stars[row] - mean
        found[9] = same / count
        found[16] = earlier / count
    if previous >= 0:
        found[10] = previous
    if following >= 0:
        found[11] = following
    found[12] = day[row] - start
    found[13] = end - day[row]
    found[14] = same_day
    found[15] = earlier
    for window in range(many):
        found[17 + window] = near[0, window]
        if near[0, window] > 0:
            found[17 + many + window] = near[1, window] / near[0, window]
    after = 17 + 2 * many
    if same:
        found[after] = same_newcomers / same
    if near[0, 2] > 0:
        found[after + 1] = near[2, 2] / near[0, 2]
        found[after + 2] = near[3, 2] / near[0, 2] - stars[row]
