"""Coupons taken from the page of offers, gift cards and points filled, handed on and spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import choose_times, is_app
from floorwalker.simulation.shop.honest.crowd import TAKES_MORE
from floorwalker.simulation.shop.honest.fitted import Ints, pick
from floorwalker.simulation.shop.scenario import DAY, HOUR, SECOND

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

BALANCES = ("gift_card", "points", "balance")
_STEPS = np.array([1_000, 1_500, 2_000, 2_500, 5_000, 10_000])
_CLAIMS_A_WEEK = 0.16
_CLAIMS_BY_BARGAIN = 1.7


def _times(crowd: Crowd, person: Ints) -> Ints:
    at = choose_times(crowd.world, crowd.rng, crowd.people, person, is_app(crowd.world, crowd.people)[person, 0])
    return np.asarray(np.maximum(at, crowd.people.joined_at[person] + HOUR))


def add_offers(crowd: Crowd) -> None:
    """Claims without an order, top-ups, transfers and what is paid from a balance."""
    people, rng, offers = crowd.people, crowd.rng, crowd.offers
    weeks = crowd.world.scenario.days / 7.0
    member = ~people.guest
    often = (_CLAIMS_A_WEEK + _CLAIMS_BY_BARGAIN * people.bargain) * weeks * member
    person = np.repeat(np.arange(len(people)), rng.poisson(often))
    at = _times(crowd, person)
    # One of the coupons that are open; nobody takes the same one twice.
    open_now = (offers.starts_at[None, :] <= at[:, None]) & (at[:, None] < offers.ends_at[None, :] - HOUR)
    open_now &= ~offers.welcome[None, :] | ((at - people.joined_at[person]) < 14 * DAY)[:, None]
    weight = np.cumsum(open_now * offers.pull[None, :], axis=1)
    some = weight[:, -1] > 0 if weight.size else np.zeros(len(person), dtype=np.bool_)
    chosen = (rng.random(len(person))[:, None] * weight[:, -1:] >= weight).sum(axis=1)
    chosen = np.minimum(chosen, len(offers.code) - 1)
    once = np.zeros(len(person), dtype=np.bool_)
    once[np.unique(person * len(offers.code) + chosen, return_index=True)[1]] = True
    rows = np.flatnonzero(some & once)
    visit, act_at = crowd.errand(person[rows], at[rows], Act.OFFERS_PAGE)
    crowd.rows.add(visit=visit, person=person[rows], at=act_at, act=Act.CLAIM, code=chosen[rows])
    # Whoever is there anyway takes another one as well.
    other = (rng.random(len(rows))[:, None] * weight[rows, -1:] >= weight[rows]).sum(axis=1)
    had = np.isin(person[rows] * len(offers.code) + other, person[rows] * len(offers.code) + chosen[rows])
    more = np.flatnonzero((rng.random(len(rows)) < TAKES_MORE) & ~had & (other < len(offers.code)))
    crowd.rows.add(
        visit=visit[more], person=person[rows][more], act=Act.CLAIM, code=other[more],
        at=act_at[more] + (rng.lognormal(1.3, 0.5, len(more)) * SECOND).astype(np.int64),
    )  # fmt: skip
    months = crowd.world.scenario.days / 30.0
    members = np.flatnonzero(member)
    for act, share in ((Act.TOP_UP, 0.05), (Act.TRANSFER, 0.022), (Act.WITHDRAWAL, 0.05)):
        who = members[rng.random(len(members)) < share * months]
        visit, act_at = crowd.errand(who, _times(crowd, who), Act.ACCOUNT_PAGE)
        amount = _STEPS[pick(rng.random(len(who)), np.array([0.2, 0.1, 0.25, 0.25, 0.15, 0.05]))].astype(np.float64)
        if act == Act.WITHDRAWAL:
            amount = np.round(amount * rng.uniform(0.2, 1.0, len(who)))
        kind = pick(rng.random(len(who)), np.array([0.55, 0.3, 0.15]))
        # Gifts go to the family, where there is one, else to friends.
        friend = (who + 1 + (rng.random(len(who)) ** 3 * 40).astype(np.int64)) % max(1, len(people))
        friend = np.where(people.guest[friend], who, friend)
        keep = np.flatnonzero((act != Act.TRANSFER) | (friend != who))
        crowd.rows.add(
            visit=visit[keep], person=who[keep], at=act_at[keep], act=act, code=kind[keep], value=amount[keep],
            other=friend[keep], card=0,
        )  # fmt: skip
    who = members[rng.random(len(members)) < 0.035 * months]
    at = _times(crowd, who)
    item = crowd.shelf.on_day((len(crowd.shelf) * rng.random(len(who)) ** 3).astype(np.int64), at)
    visit, act_at = crowd.errand(who, at, Act.ITEM, item=item)
    crowd.rows.add(visit=visit, person=who, at=act_at + crowd.seconds(15.0, 60.0, len(who)), act=Act.MESSAGE, item=item)
