"""What customers do with their accounts: opened, invited into, moved, given another card or address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import choose_times, errands, is_app
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.honest.visiting import NEVER
from floorwalker.simulation.shop.scenario import DAY, HOUR, SECOND

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

INVITED = 0.14
"""Share of new customers whom another one invited."""
STAYS = 0.4
"""Share of new customers who go on in the visit in which they opened the account."""
LEFT = 0.16
"""Share of new customers who had left the form before, when a code was asked for."""
LOOKED = 0.35
"""Share of those who open an account who come to it from an item, not from the home page."""
NEVER_MIND = 0.04
"""Log-ins a member in thirty days that come to nothing and are not tried again in the same visit."""
MONTHLY = ((Act.ADDRESS_CHANGE, 0.035), (Act.CONTACT_CHANGE, 0.012), (Act.PAYMENT_ADDED, 0.075))
"""How often an account is changed in thirty days."""


def add_accounts(crowd: Crowd) -> None:
    """Sign-ups of those who join during the run, invitations, and changes of accounts."""
    world, people, rng = crowd.world, crowd.people, crowd.rng
    scenario = world.scenario
    member = ~people.guest
    fresh = np.flatnonzero(member & (people.joined_at >= scenario.first_at) & (people.joined_at < scenario.end_at))
    if len(fresh):
        stays = (rng.random(len(fresh)) < STAYS) & (people.joined_at[fresh] < scenario.end_at - HOUR)
        for some, shops in ((fresh[~stays], False), (fresh[stays], True)):
            if len(some):
                _sign_up(crowd, some, shops=shops)
        _give_up(crowd, fresh)
    months = scenario.days / 30.0
    members = np.flatnonzero(member)
    _leave_log_ins(crowd, members, months)
    for act, share in (*MONTHLY, (Act.INVITATION_SENT, 0.03)):
        who = members[rng.random(len(members)) < share * months]
        at = scenario.first_at + (rng.random(len(who)) * scenario.days * DAY).astype(np.int64)
        at = np.maximum(at, people.joined_at[who] + HOUR)
        place, act_at = crowd.errand(who, at, Act.ACCOUNT_PAGE)
        crowd.rows.add(visit=place, person=who, at=act_at, act=act, card=0, code=0)


def _sign_up(crowd: Crowd, fresh: Ints, *, shops: bool) -> None:
    """The form, a code, the account; some look round or buy at once, in the same visit."""
    people, rng, scenario = crowd.people, crowd.rng, crowd.world.scenario
    done = people.joined_at[fresh]
    number = len(fresh)
    calls = errands(crowd.world, rng, people, fresh, done)
    if shops:
        calls.at += ((rng.lognormal(2.8, 0.9, number) + rng.uniform(1.0, 3.0, number)) * SECOND).astype(np.int64)
        first = crowd.ordered
        visit, _, orders = crowd.visit(calls, since=done)
        crowd.after(orders, first)
    else:
        visit = crowd.open_visits(calls, since=done)
    by_phone = (calls.app & (rng.random(number) < 0.75)).astype(np.int64)
    crowd.rows.add(visit=visit, person=fresh, at=done, act=Act.SIGN_UP, code=by_phone)
    at = done - _wait(rng, 1.2, 0.4, number)
    crowd.rows.add(visit=visit, person=fresh, at=at, act=Act.CODE_CHECKED, code=2 + by_phone)
    at = crowd.send_codes(visit, fresh, at - _wait(rng, 3.0, 0.5, number), code=2 + by_phone)
    at = at - _wait(rng, 3.4, 0.45, number)
    crowd.rows.add(visit=visit, person=fresh, at=at, act=Act.SIGN_UP_PAGE)
    _come_to_form(crowd, visit, fresh, at)
    after = done + crowd.seconds(0.5, 3.0, number)
    invited = np.flatnonzero(rng.random(number) < INVITED)
    old = np.flatnonzero(~people.guest & (people.joined_at < scenario.first_at))
    if len(old) and len(invited):
        # A few people invite many.
        host = old[(len(old) * rng.random(len(invited)) ** 2).astype(np.int64)]
        accepted = done[invited] + crowd.seconds(0.2, 1.5, len(invited))
        after[invited] = accepted + crowd.seconds(0.5, 3.0, len(invited))
        crowd.rows.add(
            visit=visit[invited], person=fresh[invited], at=accepted, act=Act.INVITATION_ACCEPTED, other=host,
        )  # fmt: skip
        sent = done[invited] - (rng.lognormal(1.6, 1.2, len(invited)) * HOUR).astype(np.int64)
        place, act_at = crowd.errand(host, sent, Act.ACCOUNT_PAGE)
        crowd.rows.add(visit=place, person=host, at=act_at, act=Act.INVITATION_SENT)
    told = np.flatnonzero(rng.random(number) < 0.8)
    crowd.rows.add(
        visit=visit[told], person=fresh[told], at=after[told], act=Act.SIGNALS, code=1, count=2, value=70.0,
    )  # fmt: skip


def _give_up(crowd: Crowd, fresh: Ints) -> None:
    """Accounts that were begun and left when a code was asked for; they are opened another time, or never."""
    people, rng = crowd.people, crowd.rng
    guests = np.flatnonzero(people.guest & (rng.random(len(people)) < 0.04 * crowd.world.scenario.days / 30.0))
    back = fresh[rng.random(len(fresh)) < LEFT]
    who = np.concatenate([back, guests])
    if not len(who):
        return
    before = people.joined_at[back] - (rng.lognormal(2.2, 1.6, len(back)) * HOUR).astype(np.int64)
    some_day = choose_times(crowd.world, rng, people, guests, is_app(crowd.world, people)[guests, 0])
    calls = errands(crowd.world, rng, people, who, np.concatenate([before, some_day]))
    visit = crowd.open_visits(calls, since=np.full(len(who), NEVER))
    by_phone = (calls.app & (rng.random(len(who)) < 0.75)).astype(np.int64)
    at = calls.at
    _come_to_form(crowd, visit, who, at)
    crowd.rows.add(visit=visit, person=who, at=at, act=Act.SIGN_UP_PAGE)
    at = at + _wait(rng, 3.4, 0.45, len(who))
    crowd.rows.add(visit=visit, person=who, at=at, act=Act.CODE_SENT, code=2 + by_phone)
    again = np.flatnonzero(rng.random(len(who)) < 0.2)
    once_more = at[again] + _wait(rng, 3.4, 0.5, len(again)) + 10 * SECOND
    crowd.rows.add(visit=visit[again], person=who[again], at=once_more, act=Act.CODE_SENT, code=2 + by_phone[again])


def _come_to_form(crowd: Crowd, visit: Ints, who: Ints, at: Ints) -> None:
    """The pages before the form, which is asked for at `at`: the home page, or some items that made it worth while."""
    rng = crowd.rng
    at = at - _wait(rng, 2.7, 0.7, len(who))
    looks = rng.random(len(who)) < LOOKED
    some = np.flatnonzero(~looks)
    crowd.rows.add(visit=visit[some], person=who[some], at=at[some], act=Act.HOME)
    number = np.where(looks, np.minimum(rng.geometric(0.4, len(who)), 8), 0)
    for turn in range(int(number.max(initial=0))):
        some = np.flatnonzero(number > turn)
        item = crowd.shelf.on_day((len(crowd.shelf) * rng.random(len(some)) ** 3).astype(np.int64), at[some])
        crowd.rows.add(visit=visit[some], person=who[some], at=at[some], act=Act.ITEM, item=item)
        at[some] -= _wait(rng, 3.2, 0.9, len(some))


def _leave_log_ins(crowd: Crowd, members: Ints, months: float) -> None:
    """Log-ins that come to nothing: a wrong password, or a code that nobody types in; and the tab is closed.

    Some tabs were open since another day: there the log-in page is not asked for again.
    """
    people, rng = crowd.people, crowd.rng
    who = np.repeat(members, rng.poisson(NEVER_MIND * months, len(members)))
    if not len(who):
        return
    at = choose_times(crowd.world, rng, people, who, is_app(crowd.world, people)[who, 0])
    at = np.maximum(at, people.joined_at[who] + HOUR)
    visit = crowd.open_visits(errands(crowd.world, rng, people, who, at), since=np.full(len(who), NEVER))
    page = np.flatnonzero(rng.random(len(who)) < 0.8)
    crowd.rows.add(visit=visit[page], person=who[page], at=at[page], act=Act.LOGIN_PAGE)
    coded = rng.random(len(who)) < 0.3
    tries = np.minimum(rng.geometric(0.75, len(who)), 4)
    for number in range(int(tries.max())):
        some = np.flatnonzero(tries > number)
        at[some] += _wait(rng, 2.6, 0.6, len(some)) + np.where(coded[some], 10 * SECOND, 2 * SECOND)
        crowd.rows.add(
            visit=visit[some], person=who[some], at=at[some],
            act=np.where(coded[some], Act.CODE_SENT, Act.LOGIN_FAILED), code=np.where(coded[some], 1, 0),
        )  # fmt: skip


def _wait(rng: Generator, middle: float, spread: float, count: int) -> Ints:
    return (rng.lognormal(middle, spread, count) * SECOND).astype(np.int64)
