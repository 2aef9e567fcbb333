"""From what visitors do to what the server logs: files of a page, calls of its scripts, referrers, statuses, sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log import _catalogue as shop
from floorwalker.simulation.access_log._catalogue import Catalogue
from floorwalker.simulation.access_log._chance import DAY, hash_unit, hash_words
from floorwalker.simulation.access_log._crowd import FAILED, PREVIOUS, SUCCEEDED, Crowd, Steps

NO_REFERRER = -1
VISIT_GAP = 1800.0
"""A pause longer than this begins a new visit, as web analytics has it."""

_IMAGES = {
    shop.HOME: 4,
    shop.CATEGORY: 4,
    shop.PRODUCT: 2,
    shop.SEARCH: 4,
    shop.OFFER: 4,
    shop.OTHER: 1,
    shop.BASKET: 1,
}
"""Pictures of a page that a browser fetches; the others are shared, loaded late or served by somebody else."""


@dataclass(frozen=True)
class Rendered:
    """`n` requests in the order of the log.

    Parameters
    ----------
    actor : int64 [n]. step_kind : uint8 [n], kind of the target. at : float64 [n], seconds since the first local
        midnight, whole milliseconds.
    target : int32 [n]. method : uint8 [n]. status : int16 [n]. size : int64 [n]. address, agent : int32 [n].
    referrer : int64 [n], target id, `NO_REFERRER`, or -10 - k for the outside source k.
    """

    actor: NDArray[np.int64]
    step_kind: NDArray[np.uint8]
    at: NDArray[np.float64]
    target: NDArray[np.int32]
    method: NDArray[np.uint8]
    status: NDArray[np.int16]
    size: NDArray[np.int64]
    address: NDArray[np.int32]
    agent: NDArray[np.int32]
    referrer: NDArray[np.int64]


@dataclass(frozen=True)
class Habits:
    """How this shop's server and pages behave; the same for every visitor.

    Parameters
    ----------
    common_files : files that every page needs, loaded once by a browser.
    calls_stock, sends_beacons : whether pages ask for availability, report views.
    fail_login, fail_pay, fail_claim : status of a wrong password, a declined payment, an exhausted coupon.
    after_act : status of a successful act: a redirect or a plain answer.
    redirect_size, error_size, beacon_size : bytes.
    """

    common_files: NDArray[np.int32]
    calls_stock: bool
    sends_beacons: bool
    fail_login: int
    fail_pay: int
    fail_claim: int
    after_act: int
    beacon_status: int
    redirect_size: int
    error_size: int
    beacon_size: int


def draw_habits(catalogue: Catalogue, chance: Generator) -> Habits:
    """The manners of one shop."""
    files = chance.permutation(catalogue.static_files)[: int(chance.integers(5, 10))]
    pixel = bool(chance.random() < 0.5)
    return Habits(
        common_files=files.astype(np.int32),
        calls_stock=catalogue.has(shop.STOCK) and bool(chance.random() < 0.75),
        sends_beacons=catalogue.has(shop.BEACON) and bool(chance.random() < 0.75),
        fail_login=int(chance.choice([200, 401, 422])),
        fail_pay=int(chance.choice([200, 302, 402, 422])),
        fail_claim=int(chance.choice([200, 400, 409, 410])),
        after_act=int(chance.choice([200, 302, 303])),
        beacon_status=200 if pixel else 204,
        redirect_size=int(chance.integers(0, 400)),
        error_size=int(chance.integers(900, 22_000)),
        beacon_size=43 if pixel else 0,
    )


def render(catalogue: Catalogue, chance: Generator, crowd: Crowd, end: float) -> Rendered:
    """All requests of a crowd, in the order in which the server finished them.

    Parameters
    ----------
    end : seconds since the first local midnight after which nothing is logged any more.
    """
    actors = crowd.actors
    steps = crowd.steps.take((crowd.steps.at >= 0) & (crowd.steps.at < end))
    steps = steps.take(np.lexsort((steps.at, steps.actor)))
    habits = draw_habits(catalogue, chance)
    address = np.where(steps.address >= 0, steps.address, actors.address[steps.actor])
    agent = np.where(steps.agent >= 0, steps.agent, actors.agent[steps.actor])
    referrer = _referrers(steps, actors.sends_referrer)

    parts = [np.arange(len(steps))]
    targets, delays, cached = [steps.target], [np.zeros(len(steps))], [np.zeros(len(steps), bool)]
    kinds: list[NDArray[np.uint8]] = [steps.kind]
    for shown, loaded, delay, is_cached, what in (
        _files(catalogue, chance, habits, crowd, steps),
        _calls(catalogue, chance, habits, crowd, steps, shop.STOCK),
        _calls(catalogue, chance, habits, crowd, steps, shop.BEACON),
    ):
        parts.append(shown)
        targets.append(loaded)
        delays.append(delay)
        cached.append(is_cached)
        kinds.append(np.full(len(shown), what, np.uint8))
    row = np.concatenate(parts)
    target, kind = np.concatenate(targets).astype(np.int32), np.concatenate(kinds)
    actor = steps.actor[row]
    at = np.floor((steps.at[row] + np.concatenate(delays)) * 1000.0) / 1000.0
    is_extra = np.arange(len(row)) >= len(steps)
    method = np.where(is_extra, catalogue.method[target], steps.method[row]).astype(np.uint8)
    page = np.where(actors.sends_referrer[actor], steps.target[row], NO_REFERRER)
    status = _statuses(catalogue, chance, habits, kind, target, np.where(is_extra, 0, steps.outcome[row]))
    status = np.where(np.concatenate(cached), np.int16(304), status)
    size = _sizes(catalogue, chance, habits, kind, target, status, method)
    order = np.lexsort((chance.random(len(row)), at))
    order = order[at[order] < end]
    return Rendered(
        actor=actor[order], step_kind=kind[order], at=at[order], target=target[order], method=method[order],
        status=status[order].astype(np.int16), size=size[order], address=address[row][order].astype(np.int32),
        agent=agent[row][order].astype(np.int32),
        referrer=np.where(is_extra, page, referrer[row])[order].astype(np.int64),
    )  # fmt: skip


def _referrers(steps: Steps, sends: NDArray[np.bool_]) -> NDArray[np.int64]:
    is_page = ~np.isin(steps.kind, shop.ACTS)
    places = np.arange(len(steps))
    last = np.maximum.accumulate(np.where(is_page, places, -1)) if len(steps) else places
    before = np.concatenate([[-1], last[:-1]]) if len(steps) else places
    same = (before >= 0) & (steps.actor[before] == steps.actor) & (steps.at - steps.at[before] < VISIT_GAP)
    inside = np.where(same, steps.target[before], NO_REFERRER)
    outside = np.where(steps.source >= 0, -10 - steps.source.astype(np.int64), NO_REFERRER)
    found = np.where(steps.source == PREVIOUS, inside, outside)
    return np.where(sends[steps.actor], found, NO_REFERRER)


def _files(
    catalogue: Catalogue, chance: Generator, habits: Habits, crowd: Crowd, steps: Steps
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.bool_], int]:
    """Style sheets, scripts and images that browsers load with a page, less what they hold in their cache."""
    actors = crowd.actors
    loads = actors.fetches_files[steps.actor] & ~np.isin(
        steps.kind, (*shop.ACTS, shop.CALLBACK, shop.FEED, shop.BEACON, shop.STOCK, shop.ASSET)
    )
    is_visit = np.ones(len(steps), bool)
    is_visit[1:] = (steps.actor[1:] != steps.actor[:-1]) | (np.diff(steps.at) > VISIT_GAP)
    opens = np.flatnonzero(loads & is_visit)
    rows = np.repeat(opens, len(habits.common_files))
    files = np.tile(habits.common_files, len(opens))
    counts = np.array([_IMAGES.get(kind, 0) for kind in range(shop.KIND_COUNT)])
    number = np.where(loads, counts[steps.kind], 0)
    if not len(catalogue.images):
        number = np.zeros_like(number)
    shown = np.repeat(np.arange(len(steps)), number)
    place = np.arange(len(shown)) - np.repeat(np.cumsum(number) - number, number)
    if len(shown):
        # Big pages of few targets (home, deals) change their pictures from day to day; a product keeps its own.
        today = np.where(steps.kind[shown] == shop.PRODUCT, 0, (steps.at[shown] // DAY).astype(np.int64))
        draw = hash_unit(steps.target[shown].astype(np.int64) * 4096 + place * 64 + today % 64, catalogue.seed ^ 0x1A6E)
        pictures = catalogue.images[(len(catalogue.images) * draw**1.4).astype(np.int64)]
        rows, files = np.concatenate([rows, shown]), np.concatenate([files, pictures])
    key = steps.actor[rows] * np.int64(1 << 31) + files
    order = np.lexsort((steps.at[rows], key))
    rows, files, key = rows[order], files[order], key[order]
    is_first = np.ones(len(key), bool)
    is_first[1:] = key[1:] != key[:-1]
    is_common = np.isin(files, habits.common_files)
    held = ~is_first | (is_common & actors.is_warm[steps.actor[rows]])
    asks_again = chance.random(len(key)) < np.where(is_common, 0.12, 0.03)
    kept = ~held | asks_again
    rows, files, held, is_common = rows[kept], files[kept], held[kept], is_common[kept]
    slow = actors.slowness[steps.actor[rows]]
    delay = slow * (np.where(is_common, 0.08, 0.25) + chance.exponential(np.where(is_common, 0.12, 0.5)))
    return rows, files.astype(np.int32), np.minimum(delay, 20.0), held, shop.ASSET


def _calls(
    catalogue: Catalogue, chance: Generator, habits: Habits, crowd: Crowd, steps: Steps, kind: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.bool_], int]:
    """Calls that a page's scripts make: availability of a product, reports of a view."""
    runs = crowd.actors.runs_scripts[steps.actor]
    if kind == shop.STOCK:
        wanted = runs & (steps.kind == shop.PRODUCT) & habits.calls_stock
        rows = np.flatnonzero(wanted & (chance.random(len(steps)) < 0.7))
        targets = stock_of(catalogue, steps.target[rows])
    else:
        wanted = runs & np.isin(steps.kind, tuple(_IMAGES)) & habits.sends_beacons
        rows = np.flatnonzero(wanted & (chance.random(len(steps)) < 0.8))
        targets = catalogue.pick(kind, hash_unit(steps.actor[rows], 3), hash_unit(steps.actor[rows], 4))
    delay = 0.15 + chance.exponential(0.6, len(rows)) * crowd.actors.slowness[steps.actor[rows]]
    return rows, targets, np.minimum(delay, 15.0), np.zeros(len(rows), bool), kind


def stock_of(catalogue: Catalogue, products: NDArray[np.int32]) -> NDArray[np.int32]:
    """The availability call that belongs to each product: always the same one."""
    return catalogue.pick(shop.STOCK, np.full(len(products), 0.5), hash_unit(products, catalogue.seed ^ 0x57))


def _statuses(
    catalogue: Catalogue,
    chance: Generator,
    habits: Habits,
    kind: NDArray[np.uint8],
    target: NDArray[np.int32],
    outcome: NDArray[np.uint8],
) -> NDArray[np.int16]:
    status = np.full(len(kind), 200, np.int16)
    draw = chance.random(len(kind))
    for act, chance_of_failure, code in (
        (shop.LOGIN_POST, 0.12, habits.fail_login), (shop.PAY, 0.1, habits.fail_pay),
        (shop.CLAIM, 0.2, habits.fail_claim), (shop.ADD, 0.02, 409),
    ):  # fmt: skip
        rows = kind == act
        fails = rows & ((outcome == FAILED) | ((outcome != SUCCEEDED) & (draw < chance_of_failure)))
        status[rows] = 200 if act == shop.CLAIM else habits.after_act
        status[fails] = code
    status[kind == shop.BEACON] = habits.beacon_status
    status[(kind == shop.STRAY) & (outcome != SUCCEEDED)] = 404
    status[(outcome == FAILED) & ~np.isin(kind, shop.ACTS)] = 404
    status[catalogue.is_gone[target]] = 404
    trouble = chance.random(len(kind))
    status[trouble < 0.0012] = 499
    status[trouble < 0.0005] = 502
    return status


def _sizes(
    catalogue: Catalogue, chance: Generator, habits: Habits, kind: NDArray[np.uint8], target: NDArray[np.int32],
    status: NDArray[np.int16],
    method: NDArray[np.uint8],
) -> NDArray[np.int64]:  # fmt: skip
    typical = np.full(shop.KIND_COUNT, np.log(26_000.0))
    spread = np.full(shop.KIND_COUNT, 0.4)
    for small in (*shop.ACTS, shop.STOCK, shop.CALLBACK, shop.HEALTH):
        typical[small], spread[small] = np.log(260.0), 0.5
    typical[shop.ASSET], spread[shop.ASSET] = np.log(11_000.0), 1.0
    ids = np.arange(len(catalogue.texts))
    bell = sum(hash_unit(ids, catalogue.seed + 40 + k) for k in range(4)) - 2.0
    base = np.exp(typical[catalogue.kind] + spread[catalogue.kind] * 1.7 * bell)
    changes = ~np.isin(kind, (shop.ASSET, shop.HEALTH))
    size = base[target] * (1.0 + np.where(changes, 0.015, 0.0) * chance.standard_normal(len(target)))
    size = np.where(kind == shop.BEACON, habits.beacon_size, size)
    size = np.where(np.isin(status, (302, 303)), habits.redirect_size, size)
    size = np.where(
        (status >= 400) & ~np.isin(kind, (*shop.ACTS, shop.STOCK)),
        habits.error_size + chance.integers(0, 60, len(size)),
        size,
    )
    size = np.where(status == 502, 166, size)
    size = np.where((status == 304) | (status == 499) | (status == 204) | (method == shop.HEAD), 0, size)
    return np.maximum(size, 0).astype(np.int64)


def session_words(actor: NDArray[np.int64], at: NDArray[np.float64], salt: int) -> NDArray[np.uint64]:
    """Two random words a session cookie: new for each day of an actor, uint64 [n, 2]."""
    key = actor * 4096 + (at // DAY).astype(np.int64)
    return np.stack([hash_words(key, salt), hash_words(key, salt + 1)], axis=1)
