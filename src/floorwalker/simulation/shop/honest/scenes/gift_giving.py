"""One evening, one buyer, many doors: presents sent to other people's homes, gift cards bought in number and handed on.

Orders to strangers' addresses paid by one card look like reshipping, gift cards that move on at once like cashing out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import choose_times, errands, is_app
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import HOUR, SECOND
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

MONTHLY, GIVERS = 0.0015, 0.25
"""Such evenings in thirty days: of any member, and of those who give most."""
_GIFT_CARD = 0
_STEPS = np.array([1_500, 2_500, 5_000, 10_000])


def add(crowd: Crowd) -> None:
    """Evenings of giving: three to seven parcels in one visit, or two to six gift cards."""
    people, rng, world = crowd.people, crowd.rng, crowd.world
    often = np.where(people.segment == place_of("gift_buyer"), GIVERS, MONTHLY) * world.scenario.days / 30.0
    who = np.flatnonzero(rng.random(len(people)) < np.where(people.guest, 0.0, often))
    if not len(who):
        return
    at = np.maximum(choose_times(world, rng, people, who, is_app(world, people)[who, 0]), people.joined_at[who] + HOUR)
    visit = crowd.open_visits(errands(world, rng, people, who, at), known=1.0, label=label_of("gift_giving"))
    crowd.rows.add(visit=visit, person=who, at=at, act=Act.HOME)
    cards = rng.random(len(who)) < 0.45
    _send_parcels(crowd, visit[~cards], who[~cards], at[~cards])
    _hand_out_cards(crowd, visit[cards], who[cards], at[cards])


def _send_parcels(crowd: Crowd, visit: Ints, who: Ints, at: Ints) -> None:
    rng, people = crowd.rng, crowd.people
    if not len(who):
        return
    number = 3 + rng.binomial(4, 0.4, len(who))
    which = np.repeat(np.arange(len(who)), number)
    turn = np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number)
    span = rng.lognormal(4.3, 0.4, len(which))
    # One after the other, each with its own search for something fitting.
    placed = at[which] + ((turn + 1) * 240.0 * rng.lognormal(0.0, 0.25, len(which)) * SECOND).astype(np.int64)
    item = crowd.shelf.on_day((len(crowd.shelf) * rng.random(len(which)) ** 2).astype(np.int64), placed)
    looked = placed - ((span + rng.lognormal(3.2, 0.6, len(which))) * SECOND).astype(np.int64)
    crowd.rows.add(visit=visit[which], person=who[which], at=looked, act=Act.ITEM, item=item)
    begin = placed - (span * SECOND).astype(np.int64)
    crowd.rows.add(
        visit=visit[which],
        person=who[which],
        at=begin - crowd.seconds(0.5, 12.0, len(begin)),
        act=Act.ADD,
        item=item,
        count=1,
    )
    crowd.rows.add(visit=visit[which], person=who[which], at=begin, act=Act.CHECKOUT_PAGE)
    base = crowd.ordered
    orders = crowd.order(
        person=who[which], visit=visit[which], at=placed, span=span,
        lines=(np.arange(len(which)), item, np.ones(len(which), dtype=np.int64)),
        ship=rng.integers(len(people), size=len(which)),
    )  # fmt: skip
    crowd.after(orders, base)


def _hand_out_cards(crowd: Crowd, visit: Ints, who: Ints, at: Ints) -> None:
    rng = crowd.rng
    members = np.flatnonzero(~crowd.people.guest)
    if not len(who):
        return
    number = 2 + rng.binomial(4, 0.35, len(who))
    which = np.repeat(np.arange(len(who)), number)
    turn = np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number)
    amount = _STEPS[rng.integers(len(_STEPS), size=len(who))].astype(np.float64)[which]
    filled = at[which] + ((turn + 1) * 75.0 * rng.lognormal(0.0, 0.3, len(which)) * SECOND).astype(np.int64)
    crowd.rows.add(
        visit=visit[which], person=who[which], at=filled, act=Act.TOP_UP, code=_GIFT_CARD, value=amount, card=0
    )
    friend = members[rng.integers(len(members), size=len(which))]
    given = filled + (rng.lognormal(6.0, 0.9, len(which)) * SECOND).astype(np.int64)
    some = np.flatnonzero(friend != who[which])
    crowd.rows.add(
        visit=visit[which][some], person=who[which][some], at=given[some], act=Act.TRANSFER, code=_GIFT_CARD,
        value=amount[some], other=friend[some], card=0,
    )  # fmt: skip
