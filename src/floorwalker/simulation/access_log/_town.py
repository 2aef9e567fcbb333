"""What families of visitors share: the shop, its days, its people's addresses and devices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._addresses import AddressBook
from floorwalker.simulation.access_log._agents import AgentBook
from floorwalker.simulation.access_log._catalogue import Catalogue
from floorwalker.simulation.access_log._chance import DAY, hash_unit, times_of_day
from floorwalker.simulation.access_log._crowd import Actors, Crowd, Steps, make_actors
from floorwalker.simulation.access_log._records import Scenario
from floorwalker.simulation.access_log._walk import Profile, walk


@dataclass(frozen=True)
class Town:
    """The shop and its surroundings.

    Parameters
    ----------
    scenario : what was asked for.
    catalogue : the site's targets.
    addresses : draws addresses.
    agents : draws user agents.
    regime : 0 or 1: which of its two sets of parameters a family of both splits uses; 0 goes with `choose`, 1 with
        `report`.
    """

    scenario: Scenario
    catalogue: Catalogue
    addresses: AddressBook
    agents: AgentBook
    regime: int

    @property
    def end(self) -> float:
        """Seconds from the first local midnight to the end of the last day."""
        return self.scenario.days * DAY

    def promotion_starts(self) -> NDArray[np.float64]:
        """Seconds at which promotions open: ten o'clock on promotion days."""
        return np.array([day * DAY + 36_000.0 for day in self.scenario.promotion_days if day < self.scenario.days])

    def people(
        self,
        chance: Generator,
        visits: int,
        *,
        returning: float = 0.3,
        phones: float = 0.62,
        moving: float = 0.5,
        webview_share: float = 0.12,
        agents: NDArray[np.int32] | None = None,
        sends_referrer: float = 0.93,
        keeps_cookies: float = 0.97,
        slow: float = 0.0,
    ) -> tuple[Actors, NDArray[np.int64]]:
        """Customers for a number of visits: `Actors` and, for each visit, the row of the one who makes it.

        Parameters
        ----------
        returning : share of visits by somebody who visited before in this log.
        phones : share of people on a phone.
        moving : share of phones on a carrier's network rather than at home.
        agents : user agents to use instead of the usual mix, one a person is drawn from them.
        """
        pool = max(1, round(visits * (1.0 - returning)))
        who = (pool * chance.random(visits) ** 1.35).astype(np.int64)
        who[: min(pool, visits)] = np.where(
            chance.random(min(pool, visits)) < 0.8, np.arange(min(pool, visits)), who[: min(pool, visits)]
        )
        chance.shuffle(who)
        is_phone = chance.random(pool) < phones
        address = self.addresses.home(chance, pool)
        out = np.flatnonzero(is_phone & (chance.random(pool) < moving))
        address[out] = self.addresses.mobile(chance, len(out))
        drawn = self.agents.people(chance, is_phone, webview_share=webview_share)
        if agents is not None:
            drawn = agents[chance.integers(0, len(agents), pool)]
        return (
            make_actors(
                address,
                drawn,
                sends_referrer=chance.random(pool) < sends_referrer,
                keeps_cookies=chance.random(pool) < keeps_cookies,
                is_warm=chance.random(pool) < 0.3,
                slowness=np.exp(chance.normal(slow, 0.4, pool)),
            ),
            who,
        )

    def regulars(self, chance: Generator, visits: int, days: int, *, visits_a_day: float) -> NDArray[np.int64]:
        """Who makes each visit where the same people come several times a day: rows 0 … as many as there are.

        Parameters
        ----------
        visits_a_day : mean visits of a person and day; one in a hundred makes four times as many.
        """
        pool = max(1, round(visits / (visits_a_day * max(days, 1))))
        weights = np.cumsum(np.exp(0.7 * chance.standard_normal(pool)))
        who = np.searchsorted(weights, chance.random(visits) * weights[-1], side="right")
        rows: NDArray[np.int64] = np.minimum(who, pool - 1).astype(np.int64)
        return rows

    def shoppers(
        self,
        chance: Generator,
        daily: NDArray[np.int64],
        profile: Profile,
        actors: Actors,
        who: NDArray[np.int64],
        *,
        habit: str = "shop",
    ) -> Crowd:
        """A crowd whose visits follow a profile and a habit of hours; phones change network from day to day."""
        start = times_of_day(chance, np.repeat(np.arange(len(daily)), daily), habit)
        steps = walk(self.catalogue, chance, profile, who, start)
        return Crowd(actors, self.roam(chance, actors, steps))

    def roam(self, chance: Generator, actors: Actors, steps: Steps) -> Steps:
        """Give a third of the people's later days another address: networks change, prefixes are renumbered."""
        key = steps.actor * 4096 + (steps.at // DAY).astype(np.int64)
        salt = int(chance.integers(1 << 60))
        moves = (hash_unit(key, salt) < 0.33) & (steps.at >= DAY)
        keys, place = np.unique(key[moves], return_inverse=True)
        fresh = self.addresses.mixed(chance, len(keys), (0.5, 0.5, 0.0))
        address = steps.address.copy()
        address[moves] = fresh[place]
        return Steps(**{**steps.__dict__, "address": address})


def split_visits(chance: Generator, share: float, daily: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole visits a day for a family with this share, int64 [days], with the scatter of independent people."""
    return chance.poisson(np.maximum(daily * share, 0.0)).astype(np.int64)
