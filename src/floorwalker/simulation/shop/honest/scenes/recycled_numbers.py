"""A telephone number gets a new owner, who lands in the account of the one before by the code that the shop sends.

Nobody means harm: the new owner sees a stranger's name, leaves and complains; the old owner gets no codes any more,
logs in by password and writes down another number. From the shop's side it is what a taken account looks like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import choose_times, errands, is_app
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import DAY, SECOND
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

SHARE = 0.6
"""Of those with a recycled number to whom it happens in thirty days."""
_CODE_BY_PHONE = 1
_BY_CODE = 2


def add(crowd: Crowd) -> None:
    """The visit of the new owner in the old one's account, and what both do about it."""
    people, rng, world = crowd.people, crowd.rng, crowd.world
    heirs = np.flatnonzero(people.segment == place_of("recycled_phone"))
    heirs = heirs[rng.random(len(heirs)) < SHARE * min(1.0, world.scenario.days / 30.0)]
    members = np.flatnonzero(~people.guest & (people.joined_at < world.scenario.first_at))
    if not len(heirs) or not len(members):
        return
    owner = members[rng.integers(len(members), size=len(heirs))]
    at = choose_times(world, rng, people, heirs, is_app(world, people)[heirs, 0])
    label = label_of("recycled_number")

    def wait(middle: float) -> Ints:
        return (rng.lognormal(middle, 0.6, len(heirs)) * SECOND).astype(np.int64)

    # The visit is the heir's (telephone, network), the account is the owner's.
    visit = crowd.open_visits(errands(world, rng, people, heirs, at), known=0.0, label=label)
    crowd.rows.add(visit=visit, person=owner, at=at, act=Act.LOGIN_PAGE)
    sent = at + wait(3.0)
    checked = sent + wait(3.1)
    crowd.rows.add(visit=visit, person=owner, at=sent, act=Act.CODE_SENT, code=_CODE_BY_PHONE)
    crowd.rows.add(visit=visit, person=owner, at=checked, act=Act.CODE_CHECKED, code=_CODE_BY_PHONE)
    inside = checked + crowd.seconds(0.4, 3.0, len(heirs))
    crowd.login_at[-1][:] = inside
    crowd.rows.add(visit=visit, person=owner, at=inside, act=Act.LOGIN, code=_BY_CODE)
    crowd.rows.add(visit=visit, person=owner, at=inside + wait(1.6), act=Act.ACCOUNT_PAGE)
    left = inside + wait(3.6) + 20 * SECOND
    crowd.rows.add(visit=visit, person=owner, at=left, act=Act.LOGOUT)
    letter = left + wait(5.5)
    place = crowd.open_visits(errands(world, rng, people, heirs, letter), label=label)
    crowd.login_at[-1][:] = letter
    crowd.rows.add(visit=place, person=heirs, at=letter, act=Act.SUPPORT, code=5)
    # Days later the owner waits for codes in vain.
    back = left + (rng.uniform(0.1, 5.0, len(heirs)) * DAY).astype(np.int64)
    place = crowd.open_visits(errands(world, rng, people, owner, back), known=0.0, label=label)
    crowd.rows.add(visit=place, person=owner, at=back, act=Act.LOGIN_PAGE)
    now = back
    for _ in range(2):
        now = now + wait(3.8)
        crowd.rows.add(visit=place, person=owner, at=now, act=Act.CODE_SENT, code=_CODE_BY_PHONE)
    now = now + wait(4.2)
    crowd.login_at[-1][:] = now
    crowd.rows.add(visit=place, person=owner, at=now, act=Act.LOGIN, code=0)
    now = now + wait(4.0)
    crowd.rows.add(visit=place, person=owner, at=now, act=Act.CONTACT_CHANGE, code=0)
