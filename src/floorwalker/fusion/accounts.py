"""Of events, accounts: in which order a team should look at whoever came today.

Somebody's day is as suspicious as the most suspicious event of it, or as what is left of earlier days: who was caught
in the act yesterday is no other person for having looked at two pages today. What is left halves every `HALVED` days,
for accounts change hands, and a mistake about somebody should not stay for good.

An order does not change hands: its parcel, its return and its refund make whoever ordered as suspicious as the order
did, however long that takes. That is when something can still be done about it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.errors import UsageError
from floorwalker.kernels import kernel, silent

DAY = 86_400_000_000
"""Microseconds."""
HALVED = 2.0
"""Days in which what is known of somebody loses half its weight. Chosen on another scenario."""


class AccountDays(NamedTuple):
    """Days of accounts, by account and by day.

    Parameters
    ----------
    who : int64 [m], the accounts' numbers.
    day : int64 [m], days since 1970-01-01, UTC.
    suspicion : float32 [m].
    """

    who: NDArray[np.int64]
    day: NDArray[np.int64]
    suspicion: NDArray[np.float32]


def suspect_days(
    who: ArrayLike,
    at: ArrayLike,
    suspicion: ArrayLike,
    *,
    order: ArrayLike | None = None,
    halved: float = HALVED,
) -> AccountDays:
    """How suspicious each account is on each day on which it did anything, or anything was done with its orders.

    Parameters
    ----------
    who : integers [n], whose each event is.
    at : integers [n], µs UTC, in any order.
    suspicion : [n], of the event, as `StackedFusion.suspicion` or any score.
    order : integers [n], which order the event is about, 0 of none. An event is at least as suspicious as the most
        suspicious one of the same account about the same order on that day and on the days before. None knows none.
    halved : days in which an earlier day's suspicion loses half its weight; 0 forgets it at once.

    Errors
    ------
    `UsageError` where the lengths differ, a suspicion is no number or `halved` is below 0.

    >>> hour = 3_600_000_000
    >>> days = suspect_days([7, 7, 7, 8], [1 * hour, 2 * hour, 50 * hour, 49 * hour], [0.2, 0.8, 0.1, 0.3])
    >>> days.who.tolist(), days.day.tolist(), [f"{each:.1f}" for each in days.suspicion]
    ([7, 7, 8], [0, 2, 2], ['0.8', '0.4', '0.3'])
    >>> suspect_days([7, 7], [1 * hour, 50 * hour], [0.5, 0.0], order=[3, 3]).suspicion.tolist()
    [0.5, 0.5]
    """
    people, times = np.asarray(who, np.int64), np.asarray(at, np.int64)
    values = np.asarray(suspicion, np.float32)
    orders = np.zeros(people.shape, np.int64) if order is None else np.asarray(order, np.int64)
    if people.ndim != 1 or not people.shape == times.shape == values.shape == orders.shape:
        raise UsageError(
            f"{people.shape} accounts with {times.shape} times, {values.shape} suspicions and {orders.shape} orders",
            allowed="one for each event",
        )
    if np.isnan(values).any() or not halved >= 0:
        raise UsageError(
            f"halved={halved}, {int(np.isnan(values).sum())} suspicions that are no number",
            allowed="halved from 0 days on; numbers",
        )
    days = times // DAY
    about = np.flatnonzero(orders)
    if len(about):
        # Somebody else's order makes nobody suspicious: whoever is caught could name the orders of others.
        theirs = np.unique(np.stack([people[about], orders[about]]), axis=1, return_inverse=True)[1]
        of_orders, places = _highest(theirs.ravel(), days[about], values[about], halved=np.inf)
        values = values.copy()
        values[about] = of_orders.suspicion[places]
    return _highest(people, days, values, halved=float(halved))[0]


def _highest(
    whose: NDArray[np.int64], days: NDArray[np.int64], values: NDArray[np.float32], *, halved: float
) -> tuple[AccountDays, NDArray[np.int64]]:
    """The highest value of each on each day or what is left of it, and at which of these days each event is."""
    order = np.lexsort((days, whose))
    people, dates = whose[order], days[order]
    is_first = np.r_[True, (people[1:] != people[:-1]) | (dates[1:] != dates[:-1])][: len(people)]
    starts = np.flatnonzero(is_first)
    highest = np.maximum.reduceat(values[order], starts) if len(starts) else values
    found = AccountDays(people[starts], dates[starts], np.ascontiguousarray(highest))
    _carry(found.who, found.day, halved, found.suspicion)
    places = np.empty(len(order), np.int64)
    places[order] = np.cumsum(is_first) - 1
    return found, places


def left_after(suspicion: float, days: int) -> float:
    """What is left of a suspicion after so many days.

    >>> left_after(0.8, 2), left_after(0.8, 0)
    (0.4, 0.8)
    """
    return float(suspicion * 2.0 ** (-days / HALVED))


@kernel
def carry_on(who: NDArray[np.int64], day: NDArray[np.int64], halved: float, suspicion: NDArray[np.float32]) -> None:
    """Raise each day's suspicion to what is left of the account's earlier days, in place."""
    for place in range(1, len(who)):
        if who[place] == who[place - 1] and halved > 0:
            left = suspicion[place - 1] * 2.0 ** (-(day[place] - day[place - 1]) / halved)
            if left > suspicion[place]:
                suspicion[place] = left


_carry = silent(carry_on)
