"""The shop's own people act for customers: other people's accounts from one office, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import errands
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import DAY, HOUR, MINUTE, SECOND
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

CASES_A_DAY = 9
"""Customers that one of the staff helps on a working day."""
_ACTS = (Act.ADDRESS_CHANGE, Act.CONTACT_CHANGE, Act.SUPPORT, Act.PASSWORD_RESET)


def add(crowd: Crowd) -> None:
    """Every member of the staff in this shard, day by day."""
    people, rng, scenario = crowd.people, crowd.rng, crowd.world.scenario
    staff = np.flatnonzero(people.segment == place_of("tester"))
    members = np.flatnonzero(~people.guest)
    if not len(staff) or not len(members):
        return
    working = [day for day, date in enumerate(crowd.world.calendar.days) if date.weekday() < 5]
    for day in working:
        count = rng.poisson(CASES_A_DAY, len(staff))
        helper = np.repeat(staff, count)
        customer = members[rng.integers(len(members), size=len(helper))]
        at = scenario.first_at + day * DAY + (rng.uniform(8.0, 16.0, len(helper)) * HOUR).astype(np.int64)
        known = np.flatnonzero(people.joined_at[customer] < at)
        helper, customer, at = helper[known], customer[known], at[known]
        # The visit is the helper's (device, network); the account is the customer's.
        # Nobody logs in, members or not: a helper is let into the account of each customer.
        calls = errands(crowd.world, rng, people, helper, at)
        visit = crowd.open_visits(calls, label=label_of("support_staff"))
        crowd.login_at[-1][:] = 0
        crowd.rows.add(visit=visit, person=customer, at=at, act=Act.ACCOUNT_PAGE)
        crowd.rows.add(visit=visit, person=customer, at=at + crowd.seconds(6.0, 50.0, len(at)), act=Act.ORDERS_PAGE)
        act = np.array(_ACTS)[rng.integers(len(_ACTS), size=len(helper))]
        later = at + MINUTE + (rng.lognormal(4.0, 0.6, len(helper)) * SECOND).astype(np.int64)
        crowd.rows.add(visit=visit, person=customer, at=later, act=act, code=0)
