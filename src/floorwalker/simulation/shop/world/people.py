"""Customers as columns: who they are, what they own, where they live, how they shop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.world._tables import Texts
from floorwalker.simulation.shop.world.addresses import Addresses
from floorwalker.simulation.shop.world.cards import Cards

HOURS: tuple[tuple[float, ...], ...] = (
    (1, .6, .4, .3, .3, .5, 1.2, 2.4, 3.4, 4.2, 5, 5.4, 5.6, 5.2, 5, 5, 5.2, 5.6, 6.2, 7.4, 8.2, 7.6, 5.2, 2.6),
    (.6, .3, .2, .2, .3, .6, 1.6, 3.6, 6, 7.6, 8.2, 8, 8.6, 8, 7.4, 7, 6, 4.6, 3.6, 3.6, 3.8, 3.4, 2.2, 1.2),
    (4.6, 3.2, 2, 1.1, .6, .5, .5, .9, 1.6, 2.6, 3.6, 4.4, 5, 5, 4.8, 4.8, 5, 5.2, 5.4, 6, 7, 7.8, 7.6, 6.4),
    (.5, .2, .2, .3, .8, 2.4, 5, 6.6, 6.8, 6.6, 6.4, 6, 5.6, 5, 4.8, 5, 5.2, 5, 5, 4.8, 4, 2.6, 1.4, .8),
)  # fmt: skip
"""Weights of the 24 local hours: of most people, of those at work, of the young, of the early."""

HOURS_SHARES = (0.56, 0.2, 0.16, 0.08)


@dataclass
class People:
    """Customers as columns, all of shape [k] unless said otherwise.

    Parameters
    ----------
    numbers : uint64, who.
    heads : uint64, the first person of the household.
    account, email, phone, language, currency : `str`.
    language_code : int64, places in `countries.LANGUAGES`.
    country, segment, hours, ships_to : int64, places in `COUNTRIES`, `SEGMENTS`, `HOURS`, `segments.SHIPS`.
    utc_offset_minutes : int64.
    joined_at : int64, when the account was opened; those who join during the run join in it.
    guest : bool, buys without an account.
    home, ship : addresses; `ship` is where parcels usually go.
    model : int64 [k, 3], places in `MODELS` of up to three devices, -1 for none: their own first one (a telephone's
        app, its browser, a desktop), their second one, and one that the household shares.
    device_number : uint64 [k, 3], what `World.device_ids` names them by.
    device_weight : float64 [k, 3], how often each is used.
    network : int64 [k, 3], codes of `Networks`, the usual one first; `network_weight` [k, 3] how often each is used.
    cards : three columns of payment methods: the usual one, a second one, the household's.
    card_weight : float64 [k, 3].
    basket_minor : int64, median value of what they buy at once, in the shop's currency.
    visits_per_week, pace, bargain, return_share, review_share : float64, as in `Habits`.
    pointer : float64, times the usual number of pointer moves and touches.
    clears_days : int64, cookies live so long; 0 for ever.
    """

    numbers: NDArray[np.uint64]
    heads: NDArray[np.uint64]
    account: Texts
    email: Texts
    phone: Texts
    language: Texts
    language_code: NDArray[np.int64]
    currency: Texts
    country: NDArray[np.int64]
    segment: NDArray[np.int64]
    hours: NDArray[np.int64]
    ships_to: NDArray[np.int64]
    utc_offset_minutes: NDArray[np.int64]
    joined_at: NDArray[np.int64]
    guest: NDArray[np.bool_]
    home: Addresses
    ship: Addresses
    model: NDArray[np.int64]
    device_number: NDArray[np.uint64]
    device_weight: NDArray[np.float64]
    network: NDArray[np.int64]
    network_weight: NDArray[np.float64]
    cards: tuple[Cards, Cards, Cards]
    card_weight: NDArray[np.float64]
    visits_per_week: NDArray[np.float64]
    basket_minor: NDArray[np.int64]
    pace: NDArray[np.float64]
    bargain: NDArray[np.float64]
    return_share: NDArray[np.float64]
    review_share: NDArray[np.float64]
    pointer: NDArray[np.float64]
    clears_days: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)
