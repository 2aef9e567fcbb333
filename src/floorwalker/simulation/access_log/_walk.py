"""How a person goes through a shop: a walk over kinds of pages, with dwell times, tastes and, for some, a purchase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from floorwalker.simulation.access_log._catalogue import (
    ADD,
    BASKET,
    CATEGORY,
    CHECKOUT,
    CLAIM,
    HOME,
    KIND_COUNT,
    LOGIN,
    LOGIN_POST,
    OFFER,
    OTHER,
    PAY,
    PRODUCT,
    SEARCH,
    Catalogue,
)
from floorwalker.simulation.access_log._chance import hash_unit
from floorwalker.simulation.access_log._crowd import DEFAULT, PREVIOUS, Steps, make_steps

_MOVES: dict[int, dict[int, float]] = {
    HOME: {CATEGORY: 0.42, SEARCH: 0.24, OFFER: 0.1, PRODUCT: 0.14, OTHER: 0.07, LOGIN: 0.03},
    CATEGORY: {PRODUCT: 0.58, CATEGORY: 0.27, SEARCH: 0.06, HOME: 0.05, OFFER: 0.03, OTHER: 0.01},
    PRODUCT: {PRODUCT: 0.27, CATEGORY: 0.3, SEARCH: 0.1, ADD: 0.08, HOME: 0.08, OTHER: 0.08, OFFER: 0.04, BASKET: 0.05},
    SEARCH: {PRODUCT: 0.57, SEARCH: 0.29, CATEGORY: 0.09, HOME: 0.05},
    OFFER: {PRODUCT: 0.5, OFFER: 0.2, CATEGORY: 0.14, CLAIM: 0.06, HOME: 0.1},
    CLAIM: {OFFER: 0.3, PRODUCT: 0.4, BASKET: 0.3},
    ADD: {BASKET: 0.5, PRODUCT: 0.27, CATEGORY: 0.23},
    BASKET: {PRODUCT: 0.3, CATEGORY: 0.26, HOME: 0.2, OTHER: 0.12, LOGIN: 0.06, BASKET: 0.06},
    LOGIN: {LOGIN_POST: 1.0},
    LOGIN_POST: {HOME: 0.4, OTHER: 0.35, BASKET: 0.25},
    OTHER: {HOME: 0.3, CATEGORY: 0.24, PRODUCT: 0.2, OTHER: 0.26},
}

_DWELL = {
    HOME: 0.5,
    CATEGORY: 0.7,
    PRODUCT: 1.0,
    SEARCH: 0.55,
    OFFER: 0.8,
    CLAIM: 0.3,
    LOGIN: 0.6,
    LOGIN_POST: 0.25,
    BASKET: 0.7,
    ADD: 0.2,
    CHECKOUT: 1.6,
    PAY: 0.8,
    OTHER: 0.9,
}


@dataclass(frozen=True)
class Profile:
    """How one sort of people shops.

    Parameters
    ----------
    pages : median number of pages of a visit.
    pages_spread : standard deviation of its logarithm. Real sessions have long tails: 12,330 sessions of a Turkish
        bookshop (Sakar et al. 2019, UCI 468, CC BY 4.0) have a median of 20 pages, 1.24 here, and 31 s a page.
    dwell : median seconds on a product page; other pages scale with it.
    dwell_spread : standard deviation of the logarithm of dwell times.
    starts : kind of landing page to weight.
    likes : kind to factor on every move that leads there.
    focus : kind to the number of different pages of it that a person returns to over and over; others are drawn by
        popularity.
    buys : share of visits that end in a purchase (basket, perhaps a login, checkout, payment).
    reloads : chance that the next view is the same page again.
    tabs : chance that the next product is opened seconds later in another tab.
    sources : outside source to weight for the landing page.
    skips_basket_page : share of purchases that go from the product straight to the checkout.
    """

    pages: float = 6.0
    pages_spread: float = 1.05
    dwell: float = 28.0
    dwell_spread: float = 1.0
    starts: Mapping[int, float] = field(
        default_factory=lambda: {HOME: 0.34, PRODUCT: 0.36, CATEGORY: 0.2, SEARCH: 0.03, OFFER: 0.07}
    )
    likes: Mapping[int, float] = field(default_factory=dict)
    focus: Mapping[int, int] = field(default_factory=lambda: {OTHER: 4})
    buys: float = 0.03
    reloads: float = 0.02
    tabs: float = 0.04
    sources: Mapping[int, float] = field(default_factory=lambda: {-2: 0.42, 0: 0.36, 1: 0.12, 3: 0.05, 4: 0.05})
    skips_basket_page: float = 0.3


def walk(
    catalogue: Catalogue,
    chance: Generator,
    profile: Profile,
    actor: NDArray[np.int64],
    start: NDArray[np.float64],
    *,
    taste: NDArray[np.int64] | None = None,
    pace: NDArray[np.float64] | None = None,
    most_pages: int = 400,
) -> Steps:
    """The steps of many visits at once; one NumPy pass a page position, none a visit.

    Parameters
    ----------
    actor : int64 [n], who makes each visit.
    start : float64 [n], seconds since the first local midnight.
    taste : int64 [n], who returns to which pages (see `Profile.focus`); the actor by default.
    pace : float64 [n], factor on dwell times.
    """
    count = len(actor)
    taste = actor if taste is None else taste
    pace = np.exp(chance.normal(0, 0.25, count)) if pace is None else pace
    wanted = np.exp(np.log(profile.pages) + profile.pages_spread * chance.standard_normal(count))
    lengths = np.clip(np.rint(wanted), 1, most_pages).astype(np.int64)
    kinds, again = _kinds(chance, profile, lengths)
    visit = np.repeat(np.arange(count), lengths)
    position = np.arange(len(visit)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    flat = kinds[visit, position] if count else np.empty(0, np.uint8)
    repeated = again[visit, position] if count else np.empty(0, bool)
    buying = np.flatnonzero(chance.random(count) < profile.buys)
    bought_visit, bought_kind, bought_position = _purchases(chance, profile, buying, lengths)
    visit = np.concatenate([visit, bought_visit])
    flat = np.concatenate([flat, bought_kind])
    position = np.concatenate([position, bought_position])
    repeated = np.concatenate([repeated, np.zeros(len(bought_visit), bool)])
    order = np.lexsort((position, visit))
    visit, flat, position, repeated = visit[order], flat[order], position[order], repeated[order]

    target = draw_targets(catalogue, chance, flat, profile.focus, taste[visit])
    for _ in range(3):  # a reload of a reload takes its page from the one before it
        rows = np.flatnonzero(repeated & (position > 0))
        target[rows] = target[rows - 1]
    scale = np.array([_DWELL.get(kind, 1.0) for kind in range(KIND_COUNT)])
    dwell = profile.dwell * scale[flat] * pace[visit] * np.exp(profile.dwell_spread * chance.standard_normal(len(flat)))
    in_tab = (flat == PRODUCT) & (chance.random(len(flat)) < profile.tabs)
    dwell = np.where(in_tab, 0.4 + chance.exponential(1.6, len(flat)), np.clip(dwell, 0.7, 1500.0))
    ends = np.cumsum(dwell)
    is_first = np.ones(len(visit), bool)
    is_first[1:] = visit[1:] != visit[:-1]
    before = ends - dwell
    at = (
        start[visit] + before - before[np.maximum.accumulate(np.where(is_first, np.arange(len(visit)), 0))]
        if len(visit)
        else ends
    )
    source = np.full(len(visit), PREVIOUS, np.int8)
    source[is_first] = _weighted(chance, profile.sources, int(is_first.sum())).astype(np.int8)
    return make_steps(
        actor[visit], at, flat, target, method=methods_of(catalogue, flat, target), source=source, outcome=DEFAULT
    )


def draw_targets(
    catalogue: Catalogue,
    chance: Generator,
    kinds: NDArray[np.uint8],
    focus: Mapping[int, ArrayLike],
    taste: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Targets for steps of these kinds: by popularity, or among the few that a person's taste returns to.

    `focus` holds the number of those few by kind, one value or one a step.
    """
    target = np.zeros(len(kinds), np.int32)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        which, rank = chance.random(len(rows)), chance.random(len(rows))
        few = np.broadcast_to(np.asarray(focus.get(int(kind), 0)), len(kinds))[rows]
        if few.any():
            slot = taste[rows] * 4096 + (few * chance.random(len(rows)) ** 1.6).astype(np.int64)
            salt = catalogue.seed + int(kind) * 977
            which, rank = hash_unit(slot, salt), hash_unit(slot, salt + 1)
        target[rows] = catalogue.pick(int(kind), which, rank)
    return target


def methods_of(catalogue: Catalogue, kinds: NDArray[np.uint8], target: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Methods of steps of mixed kinds."""
    method = np.zeros(len(kinds), np.uint8)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        method[rows] = catalogue.method_of(int(kind), target[rows])
    return method


def _weighted(chance: Generator, weights: Mapping[int, float], count: int) -> NDArray[np.int64]:
    names = np.array(list(weights), np.int64)
    edges = np.cumsum(np.array(list(weights.values())))
    return names[np.minimum(np.searchsorted(edges / edges[-1], chance.random(count), side="right"), len(names) - 1)]


def _kinds(
    chance: Generator, profile: Profile, lengths: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Kinds of the pages of each visit, uint8 [n, longest], and which of them repeat the page before."""
    matrix = np.zeros((KIND_COUNT, KIND_COUNT))
    for kind, moves in _MOVES.items():
        for following, weight in moves.items():
            matrix[kind, following] = weight * (profile.likes.get(following, 1.0) if kind != LOGIN else 1.0)
    matrix[matrix.sum(1) == 0, HOME] = 1.0
    edges = np.cumsum(matrix / matrix.sum(1, keepdims=True), axis=1)
    edges[:, -1] = 1.0
    longest = int(lengths.max(initial=1))
    kinds = np.zeros((len(lengths), longest), np.uint8)
    again = np.zeros((len(lengths), longest), bool)
    kinds[:, 0] = _weighted(chance, profile.starts, len(lengths))
    # Visits by falling length: those still going on are a prefix.
    order = np.argsort(-lengths, kind="stable")
    ongoing = np.searchsorted(-lengths[order], -np.arange(longest), side="left")
    for position in range(1, longest):
        rows = order[: ongoing[position]]
        current = kinds[rows, position - 1]
        following = (edges[current] <= chance.random(len(rows))[:, None]).sum(1)
        stays = (chance.random(len(rows)) < profile.reloads) & ~np.isin(current, (CLAIM, LOGIN_POST, ADD, PAY))
        kinds[rows, position] = np.where(stays, current, np.minimum(following, KIND_COUNT - 1))
        again[rows, position] = stays
    return kinds, again


def _purchases(
    chance: Generator, profile: Profile, visits: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]:
    """The last steps of those who buy: product, basket, perhaps login, checkout, payment, the page after."""
    path = np.array([PRODUCT, ADD, BASKET, LOGIN, LOGIN_POST, CHECKOUT, CHECKOUT, PAY, OTHER], np.uint8)
    taken = np.ones((len(visits), len(path)), bool)
    draw = chance.random((len(visits), 5))
    taken[:, 2] = draw[:, 0] > profile.skips_basket_page
    taken[:, 3] = taken[:, 4] = draw[:, 1] < 0.4
    taken[:, 6] = draw[:, 2] < 0.6
    taken[:, 7] = draw[:, 3] < 0.88  # the others turn away at the last moment
    taken[:, 8] = taken[:, 7] & (draw[:, 4] < 0.8)
    row, place = np.nonzero(taken)
    return visits[row], path[place], lengths[visits[row]] + place
