"""A telephone is sold: its owner logs out, the buyer logs in on the same device an hour or a day later.

One device, two accounts, other networks, another city; the buyer adds a card and an address at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import Calls, choose_slots, is_app
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import MINUTE, SECOND
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

_BY_CODE = 2


def add(crowd: Crowd) -> None:
    """The buyers' first visits with the telephone that was another customer's."""
    people, rng, world = crowd.people, crowd.rng, crowd.world
    buyers = np.flatnonzero((people.segment == place_of("second_hand_phone")) & ~people.guest)
    got = world.handed_over_at(people.numbers[buyers])
    known = np.flatnonzero(people.joined_at[buyers] < got)
    buyers, got = buyers[known], got[known]
    if not len(buyers):
        return

    def wait(middle: float) -> Ints:
        return (rng.lognormal(middle, 0.7, len(buyers)) * SECOND).astype(np.int64)

    at = got + MINUTE + wait(7.5)
    slot = np.zeros(len(buyers), dtype=np.int64)
    network = choose_slots(rng, people.network_weight, buyers)
    calls = Calls(buyers, at, slot, network, is_app(world, people)[buyers, slot])
    visit = crowd.open_visits(calls, known=0.0, label=label_of("phone_changed_hands"))
    crowd.rows.add(visit=visit, person=buyers, at=at, act=Act.LOGIN_PAGE)
    now = at
    for act in (Act.CODE_SENT, Act.CODE_CHECKED):
        now = now + wait(3.0)
        crowd.rows.add(visit=visit, person=buyers, at=now, act=act, code=1)
    now = now + crowd.seconds(0.4, 3.0, len(buyers))
    crowd.login_at[-1][:] = now
    crowd.rows.add(visit=visit, person=buyers, at=now, act=Act.LOGIN, code=_BY_CODE)
    crowd.rows.add(visit=visit, person=buyers, at=now + wait(1.6), act=Act.HOME)
    for act, share in ((Act.PAYMENT_ADDED, 0.5), (Act.ADDRESS_CHANGE, 0.3)):
        now = now + wait(4.2)
        some = np.flatnonzero(rng.random(len(buyers)) < share)
        crowd.rows.add(visit=visit[some], person=buyers[some], at=now[some], act=act, card=0, code=0)
