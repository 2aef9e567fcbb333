"""People who do not know their password any more: many wrong ones, codes that come late, a new password, or a letter.

To whoever counts wrong passwords it looks like somebody who guesses them, and what follows like a stolen account: a
password set anew, from a network that the account may never have used.
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

MONTHLY, FORGETFUL = 0.008, 0.3
"""How often it happens to a member in thirty days, and to those who forget most."""
GIVE_UP = 0.18
"""Share of them who write to the shop instead of setting a new password."""
_MOST_TRIES = 9


def add(crowd: Crowd) -> None:
    """Their visits: wrong passwords, one to three codes, a new password, and in."""
    people, rng, world = crowd.people, crowd.rng, crowd.world
    often = np.where(people.segment == place_of("forgetful"), FORGETFUL, MONTHLY) * world.scenario.days / 30.0
    who = np.repeat(np.arange(len(people)), rng.poisson(np.where(people.guest, 0.0, often)))
    if not len(who):
        return
    at = choose_times(world, rng, people, who, is_app(world, people)[who, 0])
    at = np.maximum(at, people.joined_at[who] + HOUR)
    visit = crowd.open_visits(errands(world, rng, people, who, at), known=0.0, label=label_of("forgotten_password"))

    def wait(middle: float, size: int) -> Ints:
        return (rng.lognormal(middle, 0.6, size) * SECOND).astype(np.int64)

    now = at.copy()
    crowd.rows.add(visit=visit, person=who, at=now, act=Act.LOGIN_PAGE)
    tries = np.minimum(2 + rng.geometric(0.35, len(who)), _MOST_TRIES)
    for attempt in range(int(tries.max())):
        some = np.flatnonzero(tries > attempt)
        now[some] += wait(2.6, len(some))
        crowd.rows.add(visit=visit[some], person=who[some], at=now[some], act=Act.LOGIN_FAILED, code=0)
    left = rng.random(len(who)) < GIVE_UP
    gone = np.flatnonzero(left)
    # The form for letters asks whose account it is about.
    letter = now[gone] + wait(4.6, len(gone))
    crowd.login_at[-1][gone] = letter
    crowd.rows.add(visit=visit[gone], person=who[gone], at=letter, act=Act.SUPPORT, code=5)
    rest = np.flatnonzero(~left)
    # A code that does not come is asked for again.
    by_phone = (rng.random(len(rest)) < 0.35).astype(np.int64)
    codes = rng.choice([1, 2, 3], len(rest), p=[0.72, 0.2, 0.08])
    for number in range(3):
        asks = np.flatnonzero(codes > number)
        now[rest[asks]] += wait(3.2 + 0.8 * number, len(asks))
        some = rest[asks]
        crowd.rows.add(visit=visit[some], person=who[some], at=now[some], act=Act.CODE_SENT, code=by_phone[asks])
    for act, middle in ((Act.CODE_CHECKED, 3.3), (Act.PASSWORD_RESET, 2.9)):
        now[rest] += wait(middle, len(rest))
        crowd.rows.add(visit=visit[rest], person=who[rest], at=now[rest], act=act, code=by_phone)
    now[rest] += wait(1.8, len(rest))
    crowd.login_at[-1][rest] = now[rest]
    crowd.rows.add(visit=visit[rest], person=who[rest], at=now[rest], act=Act.LOGIN, code=0)
    crowd.rows.add(visit=visit[rest], person=who[rest], at=now[rest] + wait(1.5, len(rest)), act=Act.ACCOUNT_PAGE)
