"""Who comes when, with which device, from which network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.shop.honest.fitted import Floats, Ints, fitted, pick
from floorwalker.simulation.shop.scenario import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import People, World

_FAVOURITES = 0.5
"""Share of visits in one of a customer's three favourite hours."""
_SHOP_OFFSET = 60 * MINUTE
"""Of the shop's own time zone, in which its days are counted."""


@dataclass
class Calls:
    """Visits of a shard, `n` of them, in no order.

    Parameters
    ----------
    person : place in the shard's people. at : microseconds. slot : device, 0 to 2. network : 0 to 2.
    app : bool, in the app or the messenger's program.
    """

    person: Ints
    at: Ints
    slot: Ints
    network: Ints
    app: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.person)


def join(*calls: Calls) -> Calls:
    """Several tables as one."""
    names = ("person", "at", "slot", "network", "app")
    return Calls(*(np.concatenate([getattr(one, name) for one in calls]) for name in names))


def is_app(world: World, people: People) -> NDArray[np.bool_]:
    """bool [k, 3]: devices that visit in the app."""
    channel = world.devices.channel[np.maximum(people.model, 0)]
    return np.asarray((channel == "app") | (channel == "mini_program"))


def choose_slots(rng: Generator, weights: Floats, person: Ints) -> Ints:
    """A column for each person by the person's weights [k, 3]."""
    edges = np.cumsum(weights, axis=1)[person]
    passed = (rng.random(len(person))[:, None] * edges[:, -1:] >= edges).sum(axis=1)
    return np.asarray(np.minimum(passed, 2), dtype=np.int64)


def choose_times(world: World, rng: Generator, people: People, person: Ints, app: NDArray[np.bool_]) -> Ints:
    """When visits begin: the day by the calendar, the hour by what real shops see and what each customer likes."""
    scenario, table = world.scenario, fitted()
    weight = np.asarray(world.calendar.weight, dtype=np.float64)
    surge = weight / np.exp(np.log(weight).mean())
    weekday = np.array([day.weekday() for day in world.calendar.days])
    week = {name: getattr(table, name)["weekday"] * 7.0 for name in ("web", "app")}
    # YooChoose's weekends are busier than those of Online Shoppers: nearer to the middle of both.
    week["web"] = week["web"] * np.where(np.arange(7) >= 5, 0.86, 1.0)
    day = np.empty(len(person), dtype=np.int64)
    hour = np.empty(len(person), dtype=np.float64)
    for name, rows in (("web", np.flatnonzero(~app)), ("app", np.flatnonzero(app))):
        # The calendar's surges, with the weekdays of the real shop in place of its own.
        usual = np.array([np.median(surge[weekday == one]) if (weekday == one).any() else 1.0 for one in range(7)])
        shares = surge / usual[weekday] * week[name][weekday]
        day[rows] = pick(rng.random(len(rows)), shares)
        # Evening visits are longer: between the hours of visits and those of actions lies what keeps both near.
        hours = table.web["hour"] if name == "web" else (table.app["hour"] + table.app["action_hour"]) / 2.0
        # Each customer's favourite hours come from the same shares, so that all together keep them.
        liked = world.chance.words(
            "honest/hours",
            people.numbers[person[rows]] * np.uint64(3) + rng.integers(3, size=len(rows)).astype(np.uint64),
        )
        level = np.where(
            rng.random(len(rows)) < _FAVOURITES,
            (liked >> np.uint64(11)).astype(np.float64) * 2.0**-53,
            rng.random(len(rows)),
        )
        hour[rows] = pick(level, hours) + rng.random(len(rows))
    at = scenario.first_at + day * DAY + (hour * HOUR).astype(np.int64)
    return at - people.utc_offset_minutes[person] * MINUTE


def move_after_joining(world: World, rng: Generator, people: People, calls: Calls) -> None:
    """Nobody comes before the account is opened: such visits come on a later day, or at once."""
    joined = people.joined_at[calls.person]
    early = np.flatnonzero((calls.at < joined) & ~people.guest[calls.person])
    left = np.maximum((world.scenario.end_at - joined[early]) // DAY, 1)
    days = (rng.random(len(early)) * left).astype(np.int64)
    same_hour = joined[early] + (calls.at[early] - joined[early]) % DAY
    calls.at[early] = same_hour + days * DAY


def draw_calls(world: World, rng: Generator, people: People, expected: Floats) -> Calls:
    """The visits of these people.

    Parameters
    ----------
    expected : float64 [k], how many visits each makes on average.
    """
    person = np.repeat(np.arange(len(people)), rng.poisson(expected))
    slot = choose_slots(rng, people.device_weight, person)
    app = is_app(world, people)[person, slot]
    network = choose_slots(rng, people.network_weight, person)
    calls = Calls(person, choose_times(world, rng, people, person, app), slot, network, app)
    move_after_joining(world, rng, people, calls)
    return calls


def errands(world: World, rng: Generator, people: People, person: Ints, at: Ints) -> Calls:
    """Visits at given times."""
    slot = choose_slots(rng, people.device_weight, person)
    network = choose_slots(rng, people.network_weight, person)
    return Calls(person, at.astype(np.int64), slot, network, is_app(world, people)[person, slot])
