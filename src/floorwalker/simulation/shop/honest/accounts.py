"""What customers do with their accounts: opened, invited into, moved, given another card or address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import errands
from floorwalker.simulation.shop.scenario import DAY, HOUR, SECOND

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

INVITED = 0.14
"""Share of new customers whom another one invited."""
MONTHLY = ((Act.ADDRESS_CHANGE, 0.035), (Act.CONTACT_CHANGE, 0.012), (Act.PAYMENT_ADDED, 0.075))
"""How often an account is changed in thirty days."""


def add_accounts(crowd: Crowd) -> None:
    """Sign-ups of those who join during the run, invitations, and changes of accounts."""
    world, people, rng = crowd.world, crowd.people, crowd.rng
    scenario = world.scenario
    member = ~people.guest
    fresh = np.flatnonzero(member & (people.joined_at >= scenario.first_at) & (people.joined_at < scenario.end_at))
    if len(fresh):
        done = people.joined_at[fresh]
        calls = errands(world, rng, people, fresh, done)
        visit = crowd.open_visits(calls, known=0.0)
        crowd.login_at[-1][:] = done
        by_phone = (calls.app & (rng.random(len(fresh)) < 0.75)).astype(np.int64)
        steps = (
            (Act.CODE_CHECKED, 1.2, 0.4),
            (Act.CODE_SENT, 3.0, 0.5),
            (Act.SIGN_UP_PAGE, 3.4, 0.45),
            (Act.HOME, 2.7, 0.7),
        )
        crowd.rows.add(visit=visit, person=fresh, at=done, act=Act.SIGN_UP, code=by_phone)
        at = done
        for act, middle, spread in steps:
            at = at - (rng.lognormal(middle, spread, len(fresh)) * SECOND).astype(np.int64)
            crowd.rows.add(visit=visit, person=fresh, at=at, act=act, code=2 + by_phone)
        told = rng.random(len(fresh)) < 0.8
        crowd.rows.add(
            visit=visit[told],
            person=fresh[told],
            at=done[told] + 2 * SECOND,
            act=Act.SIGNALS,
            code=1,
            count=2,
            value=70.0,
        )
        invited = np.flatnonzero(rng.random(len(fresh)) < INVITED)
        old = np.flatnonzero(member & (people.joined_at < scenario.first_at))
        if len(old) and len(invited):
            # A few people invite many.
            host = old[(len(old) * rng.random(len(invited)) ** 2).astype(np.int64)]
            crowd.rows.add(
                visit=visit[invited], person=fresh[invited], at=done[invited] + SECOND, act=Act.INVITATION_ACCEPTED,
                other=host,
            )  # fmt: skip
            sent = done[invited] - (rng.lognormal(1.6, 1.2, len(invited)) * HOUR).astype(np.int64)
            place, act_at = crowd.errand(host, sent, Act.ACCOUNT_PAGE)
            crowd.rows.add(visit=place, person=host, at=act_at, act=Act.INVITATION_SENT)
    months = scenario.days / 30.0
    members = np.flatnonzero(member)
    for act, share in (*MONTHLY, (Act.INVITATION_SENT, 0.03)):
        who = members[rng.random(len(members)) < share * months]
        at = scenario.first_at + (rng.random(len(who)) * scenario.days * DAY).astype(np.int64)
        at = np.maximum(at, people.joined_at[who] + HOUR)
        place, act_at = crowd.errand(who, at, Act.ACCOUNT_PAGE)
        crowd.rows.add(visit=place, person=who, at=act_at, act=act, card=0, code=0)
