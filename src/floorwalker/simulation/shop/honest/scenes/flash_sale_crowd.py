"""A flash sale: many people come within two hours for one item, and most of them buy or fail to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.browsing import BUY, HOLD, LOOK
from floorwalker.simulation.shop.honest.calling import errands
from floorwalker.simulation.shop.honest.fitted import pick
from floorwalker.simulation.shop.honest.labels import label_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

SHARE = 0.004
"""Of the customers, at a sale of strength 1."""
_INTENTS = np.array([LOOK, HOLD, BUY])
_SHARES = np.array([0.4, 0.22, 0.38])


def add(crowd: Crowd) -> None:
    """The crowds of the run's flash sales and drops of scarce things."""
    people, rng, shelf = crowd.people, crowd.rng, crowd.shelf
    calendar = crowd.world.calendar
    for number, moment in enumerate((*calendar.of_kind("flash_sale"), *calendar.of_kind("drop"))):
        here = ~people.guest & (people.joined_at < moment.starts_at)
        chance = SHARE * moment.strength * (0.5 + 2.0 * people.bargain)
        who = np.flatnonzero(here & (rng.random(len(people)) < chance))
        if not len(who):
            continue
        # Most wait for the beginning; the others hear of it later.
        late = rng.beta(0.6, 3.0, len(who))
        at = moment.starts_at + (late * 0.9 * (moment.ends_at - moment.starts_at)).astype(np.int64)
        item = moment.item if moment.item >= 0 else shelf.on_sale(number)
        first = crowd.ordered
        wanted = (np.arange(len(who)), shelf.rank_on(item, at))
        intent = _INTENTS[pick(rng.random(len(who)), _SHARES)]
        calls = errands(crowd.world, rng, people, who, at)
        _, _, orders = crowd.visit(calls, label=label_of("flash_sale_crowd"), intent=intent, wanted=wanted, hurry=0.45)
        crowd.after(orders, first)
