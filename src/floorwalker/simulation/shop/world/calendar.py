"""When people shop: the rhythm of the week, promotion days with their surge, and what breaks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.scenario import DAY, HOUR, MINUTE, Scenario

_WEEKDAY = (1.04, 1.0, 0.99, 1.0, 0.93, 0.92, 1.12)
"""Visits by day of the week, Monday first."""


@dataclass(frozen=True)
class Moment:
    """Something that happens once, to everybody.

    Parameters
    ----------
    kind : `flash_sale`, `livestream`, `drop`, `app_release`, `payment_outage`, `coupon_leak`, `price_error`.
    starts_at, ends_at : microseconds.
    item : number of the item that it is about (a drop, the greatest mistake of a `price_error`, whose whole list is in
        `World.wrong_prices`), -1 for none.
    strength : how much it draws or breaks: visitors over the usual, or the share of payments that fail.
    """

    kind: str
    starts_at: int
    ends_at: int
    item: int = -1
    strength: float = 1.0


def _black_friday(year: int) -> date:
    first = date(year, 11, 1)
    thursdays = [first + timedelta(days=day) for day in range(30) if (first + timedelta(days=day)).weekday() == 3]
    return thursdays[3] + timedelta(days=1)


def surge_of(day: date) -> float:
    """How many times the usual visits come on a day of the year.

    >>> surge_of(date(2025, 11, 11)), surge_of(date(2025, 11, 28)), surge_of(date(2025, 11, 5))
    (2.2, 2.4, 1.0)
    """
    friday = _black_friday(day.year)
    apart = (day - friday).days
    if (day.month, day.day) == (11, 11):
        return 2.2
    if apart == 0:
        return 2.4
    if apart in (1, 2):
        return 1.5
    if apart == 3:
        return 1.9
    if -4 <= apart < 0 or (day.month, day.day) in ((11, 10), (11, 12)):
        return 1.25
    if (day.month, day.day) in ((6, 18), (12, 12)):
        return 1.6
    if day.month == 12 and 5 <= day.day <= 17:
        return 1.3
    return 1.0


class Calendar:
    """The run's days and what falls into them.

    Parameters
    ----------
    scenario : which days.
    chance : draws the small ups and downs and the moments.

    Attributes
    ----------
    days : the dates.
    weight : float64 [days], visits of each day relative to the usual.
    promotion : bool [days], days with a shop-wide promotion.
    moments : tuple of `Moment`, in the order of time.
    """

    def __init__(self, scenario: Scenario, chance: Chance) -> None:
        self.scenario = scenario
        self.days = tuple(scenario.first_day + timedelta(days=day) for day in range(scenario.days))
        numbers = np.arange(scenario.days)
        surge = np.array([surge_of(day) for day in self.days])
        # A run that holds none of the year's great days has promotion days of its own, one in eight.
        own = (chance.uniform("calendar/own", numbers) < 0.125) & (surge == 1.0)
        if surge.max() >= 1.9:
            own &= chance.uniform("calendar/rare", numbers) < 0.3
        elif not own.any():
            own[scenario.days * 2 // 3] = True
        surge = np.where(own, 1.6, surge)
        week = np.array([_WEEKDAY[day.weekday()] for day in self.days])
        wave = np.exp(0.06 * chance.normal("calendar/wave", numbers))
        self.weight: NDArray[np.float64] = surge * week * wave
        self.promotion: NDArray[np.bool_] = surge >= 1.5
        self.moments = tuple(sorted(self._moments(chance.generator("moments")), key=lambda moment: moment.starts_at))

    def _moments(self, rng: Generator) -> list[Moment]:
        first, days = self.scenario.first_at, self.scenario.days
        made: list[Moment] = []

        def local(day: int, hour: float) -> int:
            return first + day * DAY + int((hour - 1.0) * HOUR)

        for day in range(days):
            if day % 3 == 1 or self.promotion[day]:
                hour = float(rng.choice([10, 12, 18, 20]))
                made.append(
                    Moment("flash_sale", local(day, hour), local(day, hour + 2), strength=float(rng.uniform(1.5, 4)))
                )
            if self.days[day].weekday() in (2, 5):
                hour = float(rng.choice([19, 20]))
                made.append(
                    Moment("livestream", local(day, hour), local(day, hour + 1.5), strength=float(rng.uniform(1, 3)))
                )
            if day % 5 == 2:
                made.append(Moment("drop", local(day, 10), local(day, 10.5), strength=float(rng.uniform(3, 9))))
        # One of each in every part, so that no part is the only one to know it.
        for split in ("train", "validation", "test"):
            starts, ends = self.scenario.span_of(split)
            for kind, hours, strength in (
                ("payment_outage", 1.6, 0.65),
                ("coupon_leak", 30.0, 1.0),
                ("price_error", 2.5, 1.0),
            ):
                at = int(rng.uniform(starts + 8 * HOUR, max(ends - hours * HOUR - HOUR, starts + 9 * HOUR)))
                if kind == "price_error":
                    # Prices are changed by people at work.
                    at += int(rng.uniform(10.0, 15.0) * HOUR) - (at - first) % DAY
                at -= at % MINUTE
                made.append(Moment(kind, at, min(int(at + hours * HOUR), ends), strength=strength))
        release = first + int(days * 0.43) * DAY + DAY // 3
        made.append(Moment("app_release", release, self.scenario.end_at))
        return made

    def about(self, items: dict[str, list[int]]) -> None:
        """Say what moments are about: those of a kind get the given items in turn."""
        turns = dict.fromkeys(items, 0)
        made = []
        for moment in self.moments:
            if items.get(moment.kind):
                chosen = items[moment.kind]
                turns[moment.kind] += 1
                moment = replace(moment, item=chosen[(turns[moment.kind] - 1) % len(chosen)])
            made.append(moment)
        self.moments = tuple(made)

    def of_kind(self, kind: str) -> tuple[Moment, ...]:
        """The moments of one kind."""
        return tuple(moment for moment in self.moments if moment.kind == kind)

    def is_promotion(self, at: NDArray[np.int64] | int) -> NDArray[np.bool_]:
        """Whether these times fall into a promotion day."""
        day = (np.asarray(at) - self.scenario.first_at) // DAY
        return np.asarray(self.promotion[np.clip(day, 0, len(self.promotion) - 1)])
