"""From the checkout to the order: the bank's check, declines, second tries, the promise of the money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.fitted import Floats, Ints, pick

DECLINE_CODES = (
    "insufficient_funds",
    "do_not_honor",
    "expired_card",
    "incorrect_cvc",
    "issuer_unavailable",
    "limit_exceeded",
)
_CODE_SHARES = np.array([0.42, 0.24, 0.1, 0.12, 0.05, 0.07])
RESULTS = ("frictionless", "challenged", "attempted", "failed", "abandoned", "unavailable")
_RESULT_SHARES = np.array([0.6, 0.33, 0.04, 0.0, 0.0, 0.03])
_FAILED_SHARES = np.array([0.0, 0.0, 0.0, 0.6, 0.4, 0.0])
DECLINED = 0.045
"""Share of honest first payments that the bank refuses."""
_TRIES_AGAIN = 0.72
_CHECKED = 0.46
"""Share of card payments that the bank checks by 3-D Secure."""
CHECK_FAILS = 0.02
"""Share of these checks that fail or are given up."""
MOST_TRIES = 3


@dataclass
class Payments:
    """What happens between checkout and order, for `k` orders, flattened to `m` rows.

    Parameters
    ----------
    order, act, attempt, result, code, card : int64 [m]; `result` and `code` are positions in `RESULTS` and
        `DECLINE_CODES`, -1 where there is none; `card` is the position of the card used.
    share : float64 [m], how much of the time from checkout to order has passed.
    paid : bool [k], whether an order comes of it. paid_card : int64 [k].
    """

    order: Ints
    act: Ints
    attempt: Ints
    result: Ints
    code: Ints
    card: Ints
    share: Floats
    paid: np.ndarray
    paid_card: Ints


def plan_payments(
    rng: Generator,
    count: int,
    *,
    declined: Floats | float = DECLINED,
    cards: Ints | int = 1,
    checked: Floats | float = _CHECKED,
    again: float = _TRIES_AGAIN,
    check_fails: float = CHECK_FAILS,
) -> Payments:
    """Draw the payments of `count` orders.

    Parameters
    ----------
    declined : probability that the bank refuses a payment, by order; 1 for storms, 0 for those that must go through.
    cards : how many cards the buyer has, by order.
    checked : probability of 3-D Secure, by order; 0 where no card pays.
    again : probability of another try after a refusal.
    check_fails : probability that a check by 3-D Secure comes to nothing.
    """
    refuse = np.broadcast_to(np.asarray(declined, dtype=np.float64), count)
    has = np.broadcast_to(np.asarray(cards, dtype=np.int64), count)
    check = np.broadcast_to(np.asarray(checked, dtype=np.float64), count)
    orders, acts, attempts, results, codes, used, shares = ([] for _ in range(7))

    def add(
        order: Ints,
        act: int,
        attempt: int,
        share: Floats,
        card: Ints,
        result: Ints | None = None,
        code: Ints | None = None,
    ) -> None:
        none = np.full(len(order), -1)
        orders.append(order)
        acts.append(np.full(len(order), act))
        attempts.append(np.full(len(order), attempt))
        shares.append(share)
        used.append(card)
        results.append(none if result is None else result)
        codes.append(none if code is None else code)

    everyone = np.arange(count)
    add(everyone, Act.CHECKOUT, 0, 0.42 + 0.1 * rng.random(count), np.zeros(count, dtype=np.int64))
    going, card = everyone, np.zeros(count, dtype=np.int64)
    paid = np.zeros(count, dtype=np.bool_)
    paid_card = np.zeros(count, dtype=np.int64)
    for attempt in range(MOST_TRIES):
        begin = 0.58 + 0.13 * attempt
        number = len(going)
        failing = np.zeros(number, dtype=np.bool_)
        asked = rng.random(number) < check[going]
        wrong = asked & (rng.random(number) < check_fails)
        result = np.where(wrong, pick(rng.random(number), _FAILED_SHARES), pick(rng.random(number), _RESULT_SHARES))
        add(
            going[asked],
            Act.THREE_D_SECURE,
            attempt,
            (begin + 0.04 * rng.random(number))[asked],
            card[asked],
            result[asked],
        )
        failing = (rng.random(number) < refuse[going]) | wrong
        refused = failing & ~(wrong & (result == 4))
        code = pick(rng.random(number), _CODE_SHARES)
        code[wrong] = 1
        at = begin + 0.06 + 0.03 * rng.random(number)
        add(going[refused], Act.DECLINED, attempt, at[refused], card[refused], None, code[refused])
        done = going[~failing]
        paid[done] = True
        paid_card[done] = card[~failing]
        last = 1.0 - 0.01 * rng.random(len(done)) - 1e-4
        add(done, Act.AUTHORISED, attempt, last, card[~failing])
        add(done, Act.ORDER, attempt, np.ones(len(done)), card[~failing])
        stays = failing & (rng.random(number) < again)
        other = (card + 1) % np.maximum(has[going], 1)
        going, card = going[stays], np.where(rng.random(number) < 0.5, other, card)[stays]
    pieces = [np.concatenate(column) for column in (orders, acts, attempts, results, codes, used, shares)]
    by = np.lexsort((pieces[6], pieces[0]))
    order, act, attempt_of, result_of, code_of, card_of, share_of = (piece[by] for piece in pieces)
    return Payments(order, act, attempt_of, result_of, code_of, card_of, share_of, paid, paid_card)
