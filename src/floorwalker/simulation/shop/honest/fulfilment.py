"""What comes after an order: money taken, goods sent, cancelled, sent back, complained about, praised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.fitted import Floats, Ints, pick

DAY_SECONDS = 86_400.0
REASONS = ("not_as_described", "damaged", "wrong_size", "changed_mind", "not_received", "late", "wrong_item")
_REASON_SHARES = np.array([0.17, 0.13, 0.24, 0.28, 0.05, 0.06, 0.07])
NOT_RECEIVED = 4
CANCEL_REASONS = ("changed_mind", "found_cheaper", "too_slow", "wrong_address", "out_of_stock")
_CANCEL_SHARES = np.array([0.46, 0.18, 0.14, 0.1, 0.12])
SUPPORT_REASONS = ("where_is_my_order", "invoice", "change_of_address", "refund", "product_question", "complaint")
_SUPPORT_SHARES = np.array([0.34, 0.15, 0.1, 0.16, 0.15, 0.1])


@dataclass
class Aftermath:
    """What happens to `k` orders later, flattened to `m` rows.

    Parameters
    ----------
    order, act, reason, line : int64 [m]; `reason` is a position in the texts of its act, `line` of the order's lines
        that it is about; -1 where there is none.
    at : float64 [m], seconds since the order.
    share : float64 [m], of the order's amount that is given back, 1.0 elsewhere.
    returned : int64 [m], 1 where the goods come back, 0 where they stay, -1 elsewhere.
    rating : float64 [m], stars as a share, NaN where there are none.
    """

    order: Ints
    act: Ints
    at: Floats
    reason: Ints
    line: Ints
    share: Floats
    returned: Ints
    rating: Floats


def plan_aftermath(
    rng: Generator,
    *,
    digital: NDArray[np.bool_],
    lines: Ints,
    return_share: Floats,
    review_share: Floats,
    cancel_share: Floats | float = 0.025,
    support_share: Floats | float = 0.045,
) -> Aftermath:
    """Draw what comes after orders.

    Parameters
    ----------
    digital : bool [k], nothing is sent.
    lines : int64 [k], how many lines each order has.
    return_share, review_share, cancel_share, support_share : probabilities, by order.
    """
    count = len(lines)
    rows: list[tuple[Ints, int, Floats, Ints, Ints, Floats, Ints, Floats]] = []

    def add(
        order: Ints, act: int, at: Floats, *, reason: Ints | None = None, line: Ints | None = None,
        share: Floats | None = None, returned: Ints | None = None, rating: Floats | None = None,
    ) -> None:  # fmt: skip
        size = len(order)
        none = np.full(size, -1)
        rows.append((
            order, act, at, none if reason is None else reason, none if line is None else line,
            np.ones(size) if share is None else share, none if returned is None else returned,
            np.full(size, np.nan) if rating is None else rating,
        ))  # fmt: skip

    everyone = np.arange(count)
    cancelled = rng.random(count) < cancel_share
    hours = rng.lognormal(2.6, 0.8, count) * 3600.0
    sent = everyone[~cancelled & ~digital]
    cancel_at = np.minimum(rng.lognormal(8.2, 1.3, count), hours * 0.95)
    captured = np.where(digital, 20.0 + 100.0 * rng.random(count), hours)
    add(everyone[~cancelled], Act.CAPTURED, (captured - 30.0 * rng.random(count))[~cancelled])
    gone = everyone[cancelled]
    add(gone, Act.CANCELLED, cancel_at[gone], reason=pick(rng.random(len(gone)), _CANCEL_SHARES))
    add(gone, Act.VOIDED, cancel_at[gone] + 1.0 + 40.0 * rng.random(len(gone)))
    add(sent, Act.SHIPPED, hours[sent])
    travel = (0.8 + rng.lognormal(0.55, 0.55, count)) * DAY_SECONDS
    there = np.where(digital, captured, hours + travel)
    add(sent, Act.DELIVERED, there[sent])
    # Money back: goods most often return, small parcels are let go.
    back = everyone[~cancelled & (rng.random(count) < return_share)]
    asked = there[back] + rng.lognormal(1.1, 0.8, len(back)) * DAY_SECONDS
    reason = pick(rng.random(len(back)), _REASON_SHARES)
    goods = ((rng.random(len(back)) < 0.82) & (reason != NOT_RECEIVED) & ~digital[back]).astype(np.int64)
    part = np.where(
        (lines[back] > 1) & (rng.random(len(back)) < 0.6),
        np.maximum(1.0, np.floor(rng.random(len(back)) * lines[back])) / np.maximum(lines[back], 1),
        1.0,
    )
    which = (rng.random(len(back)) * lines[back]).astype(np.int64)
    add(back, Act.REFUND_REQUESTED, asked, reason=reason, line=which, share=part, returned=goods)
    arrived = asked + (2.0 + rng.lognormal(1.1, 0.5, len(back))) * DAY_SECONDS
    coming = goods == 1
    add(back[coming], Act.RETURN, arrived[coming], reason=reason[coming], line=which[coming], share=part[coming])
    granted = (rng.random(len(back)) < 0.94) | coming
    paid = np.where(
        coming, arrived + rng.random(len(back)) * DAY_SECONDS, asked + rng.lognormal(0.2, 0.8, len(back)) * DAY_SECONDS
    )
    add(
        back[granted],
        Act.REFUND_ISSUED,
        paid[granted],
        reason=reason[granted],
        line=which[granted],
        share=part[granted],
        returned=goods[granted],
    )
    # Praise and blame: who is unhappy writes more often.
    unhappy = np.zeros(count, dtype=np.bool_)
    unhappy[back] = True
    happy = pick(rng.random(count), np.array([0.03, 0.04, 0.1, 0.27, 0.56]))
    stars = np.where(unhappy, pick(rng.random(count), np.array([0.34, 0.24, 0.2, 0.14, 0.08])), happy)
    wait = there + rng.lognormal(1.2, 0.9, count) * DAY_SECONDS
    writes = ~cancelled & (rng.random(count) < review_share * np.where(unhappy, 1.8, 1.0))
    rates = ~cancelled & ~writes & (rng.random(count) < 1.3 * review_share)
    for act, chosen in ((Act.REVIEW, everyone[writes]), (Act.RATING, everyone[rates])):
        line = (rng.random(len(chosen)) * lines[chosen]).astype(np.int64)
        add(chosen, act, wait[chosen], line=line, rating=stars[chosen] / 4.0)
    calls = everyone[rng.random(count) < support_share * np.where(unhappy, 3.0, 1.0)]
    when = rng.lognormal(0.6, 0.8, len(calls)) * DAY_SECONDS
    add(calls, Act.SUPPORT, when, reason=pick(rng.random(len(calls)), _SUPPORT_SHARES))
    acts = np.concatenate([np.full(len(row[0]), row[1]) for row in rows])
    order, at, reason_of, line_of, share, returned, rating = (
        np.concatenate([row[place] for row in rows]) for place in (0, 2, 3, 4, 5, 6, 7)
    )
    return Aftermath(order, acts.astype(np.int64), at, reason_of, line_of, share, returned, rating)
