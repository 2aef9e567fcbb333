"""What abusers of all sorts share: when they work, how they disguise themselves, and the steps of their scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from floorwalker.simulation.access_log._chance import DAY, hash_unit, is_awake, renewals, times_of_day
from floorwalker.simulation.access_log._crowd import (
    DEFAULT,
    PREVIOUS,
    Actors,
    Crowd,
    Steps,
    join_steps,
    make_actors,
    make_steps,
)
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import Profile, draw_targets, methods_of, walk

NAIVE, CAREFUL, SKILLED, EXPERT = range(4)

_JITTER = np.array([0.02, 0.15, 0.45, 0.9])
_HOSTED = np.array([0.75, 0.5, 0.12, 0.0])
_BROWSERS = np.array([0.0, 0.1, 0.55, 0.95])
_REFERRERS = np.array([0.0, 0.35, 0.85, 1.0])
_COOKIES = np.array([0.25, 0.6, 0.95, 1.0])


@dataclass(frozen=True)
class Operators:
    """`n` people who run a script, each with a stretch of time.

    Parameters
    ----------
    skill : int8 [n], index into `SKILLS`.
    start, end : float64 [n], seconds since the first local midnight.
    """

    skill: NDArray[np.int8]
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.skill)

    def by_skill(self, values: Sequence[float]) -> NDArray[np.float64]:
        """One of four values for each operator."""
        return np.array(values, np.float64)[self.skill]


def draw_skills(town: Town, chance: Generator, count: int) -> NDArray[np.int8]:
    """Skills with the scenario's weights, spread evenly over the operators so that few operators are no lottery."""
    weights = np.array(town.scenario.skills, np.float64)
    edges = np.cumsum(weights / weights.sum())[:-1]
    place = (np.arange(count) + chance.random()) / max(count, 1)
    return chance.permutation(np.searchsorted(edges, place, side="right")).astype(np.int8)


def lasting_operators(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Operators:
    """Operators who stay: three of four were there before the log began, the others come in its first half."""
    count = int(daily.max())
    start = np.where(chance.random(count) < 0.75, -chance.random(count) * DAY, chance.random(count) * town.end * 0.5)
    return Operators(draw_skills(town, chance, count), start, np.full(count, town.end))


def daily_operators(
    town: Town,
    chance: Generator,
    daily: NDArray[np.int64],
    *,
    habit: str = "flat",
    at_promotion: float = 0.0,
    hours: float = 24.0,
) -> Operators:
    """Operators who come once, at an hour of their habit or, on promotion days, around the opening.

    Parameters
    ----------
    at_promotion : share of a promotion day's operators who come for its opening.
    hours : longest time they stay.
    """
    day = np.repeat(np.arange(len(daily)), daily)
    start = times_of_day(chance, day, habit)
    is_promotion = np.isin(day, town.scenario.promotion_days) & (chance.random(len(day)) < at_promotion)
    start = np.where(is_promotion, day * DAY + 36_000.0 + chance.normal(0, 40, len(day)), start)
    return Operators(draw_skills(town, chance, len(day)), start, start + hours * 3600.0)


def disguise(
    town: Town,
    chance: Generator,
    skill: NDArray[np.int8],
    campaign: ArrayLike,
    *,
    agent: NDArray[np.int32] | None = None,
    address: NDArray[np.int32] | None = None,
    fetches_files: ArrayLike | None = None,
) -> Actors:
    """Actors as their skill lets them appear.

    The naive run a library from a rented server; the careful set an old browser's user agent; the skilled use homes'
    addresses and half the time a headless browser; experts have all that an ordinary visitor has.
    """
    count = len(skill)
    is_phone = chance.random(count) < 0.45
    people = town.agents.people(chance, is_phone, webview_share=0.08)
    scripts, stale = town.agents.draw(chance, "script", count), town.agents.draw(chance, "stale", count)
    draw = chance.random(count)
    drawn = np.where(
        (skill == NAIVE) & (draw < 0.8), scripts, np.where((skill <= CAREFUL) & (draw < 0.75), stale, people)
    )
    homes = town.addresses.mixed(chance, count, (0.7, 0.3, 0.0))
    hosted = chance.random(count) < _HOSTED[skill]
    homes[hosted] = town.addresses.hosting(chance, int(hosted.sum()))
    # Some hide where honest people are: behind the same VPN, or in the same office or campus.
    hidden = np.flatnonzero(hosted & (skill >= CAREFUL) & (chance.random(count) < 0.4))
    homes[hidden] = town.addresses.exits(chance, len(hidden))
    inside = np.flatnonzero((skill >= SKILLED) & (chance.random(count) < 0.06))
    homes[inside] = town.addresses.office(chance, len(inside))
    browser = chance.random(count) < _BROWSERS[skill]
    return make_actors(
        homes if address is None else address,
        drawn.astype(np.int32) if agent is None else agent,
        fetches_files=browser if fetches_files is None else fetches_files,
        sends_referrer=browser | (chance.random(count) < _REFERRERS[skill]),
        keeps_cookies=chance.random(count) < _COOKIES[skill],
        is_warm=chance.random(count) < 0.5,
        slowness=np.exp(chance.normal(0, 0.4, count)),
        skill=skill,
        campaign=np.broadcast_to(np.asarray(campaign, np.int32), count),
    )


def ticks(
    chance: Generator,
    crew: Operators,
    gap: NDArray[np.float64],
    *,
    sleeps: bool = True,
    jitter: Sequence[float] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """When each operator's script runs: as regular as its skill is low; the skilled pause at night where `sleeps`.

    Returns
    -------
    rows int64 [m] and times float64 [m].
    """
    spread = (_JITTER if jitter is None else np.array(jitter))[crew.skill]
    rows, at = renewals(chance, crew.start, crew.end, gap, spread)
    if sleeps:
        kept = (crew.skill[rows] < SKILLED) | is_awake(chance, at, "night")
        rows, at = rows[kept], at[kept]
    return rows, at


def script(
    town: Town,
    chance: Generator,
    rows: NDArray[np.int64],
    at: NDArray[np.float64],
    kinds: Sequence[int],
    *,
    pause: ArrayLike = 0.4,
    focus: Mapping[int, ArrayLike] | None = None,
    chances: Sequence[float] | None = None,
    outcome: ArrayLike = DEFAULT,
    source: ArrayLike = PREVIOUS,
    address: ArrayLike = -1,
    agent: ArrayLike = -1,
) -> Steps:
    """At each time, a sequence of steps.

    Parameters
    ----------
    kinds : the steps; `chances` is how likely each of them is part of a run (1 by default).
    pause : mean seconds between the steps of a run.
    focus : kind to the number of different targets that one operator keeps to, one value or one an operator.
    outcome, source, address, agent : as in `Steps`, one value or one a run.
    """
    count = len(kinds)
    flat = np.tile(np.array(kinds, np.uint8), len(rows))
    repeated = np.repeat(np.arange(len(rows)), count)
    waits = chance.exponential(np.repeat(np.broadcast_to(np.asarray(pause, np.float64), len(rows)), count)).reshape(
        -1, count
    )
    waits[:, 0] = 0.0
    when = (at[:, None] + np.cumsum(waits, axis=1)).reshape(-1)
    kept = np.ones(len(flat), bool) if chances is None else chance.random(len(flat)) < np.tile(chances, len(rows))
    flat, repeated, when = flat[kept], repeated[kept], when[kept]

    def spread(value: ArrayLike) -> NDArray[np.generic]:
        return np.broadcast_to(np.asarray(value), len(rows))[repeated]

    actor = rows[repeated]
    few = {kind: np.asarray(count)[actor] if np.ndim(count) else count for kind, count in (focus or {}).items()}
    target = draw_targets(town.catalogue, chance, flat, few, actor + 1_000_003)
    method = methods_of(town.catalogue, flat, target)
    return make_steps(
        actor,
        when,
        flat,
        target,
        method=method,
        outcome=spread(outcome),
        source=spread(source),
        address=spread(address),
        agent=spread(agent),
    )


def watch_lists(chance: Generator, count: int, few: int, many: tuple[int, int]) -> NDArray[np.int64]:
    """How many things each operator watches: half of them a few, half a list that scatters over many URLs of one type.

    Counted URL by URL the second half looks like people who browse: paper B's reason to merge URLs of a type.
    """
    return np.where(chance.random(count) < 0.5, few, chance.integers(many[0], many[1], count))


def rotate(
    chance: Generator,
    crew: Operators,
    rows: NDArray[np.int64],
    at: NDArray[np.float64],
    draw: NDArray[np.int32],
    hours: float,
) -> NDArray[np.int32]:
    """Another of `draw`'s addresses (or user agents) for experts every so many hours, -1 (their own) for the others."""
    salt = int(chance.integers(1 << 60))
    slot = rows * 100_000 + (at // (hours * 3600.0)).astype(np.int64)
    fresh = draw[(hash_unit(slot, salt) * len(draw)).astype(np.int64)]
    return np.where(crew.skill[rows] == EXPERT, fresh, -1).astype(np.int32)


def cover(town: Town, chance: Generator, crew: Operators, *, visits_a_day: float = 0.8) -> Steps:
    """Ordinary shopping visits with which the skilled and experts blend in."""
    able = np.flatnonzero(crew.skill >= SKILLED)
    span = np.maximum(crew.end[able] - np.maximum(crew.start[able], 0.0), 0.0)
    visits = chance.poisson(visits_a_day * np.maximum(span / DAY, 0.5))
    actor = np.repeat(able, visits)
    start = np.maximum(crew.start[actor], 0.0) + chance.random(len(actor)) * np.repeat(span, visits)
    return walk(town.catalogue, chance, Profile(buys=0.05), actor.astype(np.int64), start)


def crowd_of(actors: Actors, *steps: Steps) -> Crowd:
    """Actors with all their steps."""
    return Crowd(actors, join_steps(steps))
