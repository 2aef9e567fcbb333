"""Wrong prices are seen by honest people too: bargain hunters tell each other, come for them and buy one or two.

Nothing is wrong with that; but they buy what raiders buy, in the same hours, far below the price that is crossed out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.browsing import BUY, HOLD, LOOK
from floorwalker.simulation.shop.honest.calling import errands
from floorwalker.simulation.shop.honest.fitted import pick
from floorwalker.simulation.shop.honest.labels import label_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

SHARE = 0.012
"""Of the customers hear of one mistake in time; bargain hunters most."""
_INTENTS = np.array([LOOK, HOLD, BUY])
_SHARES = np.array([0.25, 0.15, 0.6])


def add(crowd: Crowd) -> None:
    """Those who come for what is wrongly priced while it is."""
    people, rng, shelf = crowd.people, crowd.rng, crowd.shelf
    for wrong in crowd.world.wrong_prices:
        chance = SHARE * (0.4 + 3.0 * people.bargain)
        here = ~people.guest & (people.joined_at < wrong.starts_at)
        who = np.flatnonzero(here & (rng.random(len(people)) < chance))
        if not len(who):
            continue
        # It spreads within minutes, and who comes last comes in vain.
        at = wrong.starts_at + (rng.beta(1.3, 2.0, len(who)) * 0.95 * (wrong.ends_at - wrong.starts_at)).astype(
            np.int64
        )
        # Great mistakes are told most.
        item = wrong.items[(len(wrong.items) * rng.random(len(who)) ** 1.5).astype(np.int64)]
        first = crowd.ordered
        _, _, orders = crowd.visit(
            errands(crowd.world, rng, people, who, at), label=label_of("price_error_crowd"), hurry=0.5,
            intent=_INTENTS[pick(rng.random(len(who)), _SHARES)],
            wanted=(np.arange(len(who)), shelf.rank_on(item, at)),
        )  # fmt: skip
        crowd.after(orders, first)
