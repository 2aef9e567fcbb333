"""A release of the app logs everybody out and crashes for some: a wave of log-ins by code, of visits begun again.

What the new app counts of hands differs as well, see `signalling`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.calling import Calls, choose_slots
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.honest.labels import label_of
from floorwalker.simulation.shop.scenario import HOUR, SECOND
from floorwalker.simulation.shop.world.devices import APP

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd

COMES = 0.4
"""Share of those with the app who open it within days of its update; the others come later, as they always do."""
CRASHES = 0.25
_BY_CODE = 2


def add(crowd: Crowd) -> None:
    """First visits with the new app: a code, a log-in, sometimes twice."""
    people, rng, world = crowd.people, crowd.rng, crowd.world
    releases = world.calendar.of_kind("app_release")
    model = np.maximum(people.model[:, 0], 0)
    in_app = (people.model[:, 0] >= 0) & (world.devices.use[model] == APP)
    for release in releases:
        member = in_app & ~people.guest & (people.joined_at < release.starts_at)
        who = np.flatnonzero(member & (rng.random(len(people)) < COMES))
        at = release.starts_at + (rng.exponential(60.0, len(who)) * HOUR).astype(np.int64)
        last = world.scenario.end_at - HOUR
        new = world.devices.is_updated(model[who], people.device_number[who, 0], np.minimum(at, last))
        who, at = who[new & (at < last)], at[new & (at < last)]
        _log_in_again(crowd, who, at)
        again = np.flatnonzero(rng.random(len(who)) < CRASHES)
        _log_in_again(crowd, who[again], at[again] + (rng.lognormal(5.0, 0.6, len(again)) * SECOND).astype(np.int64))


def _log_in_again(crowd: Crowd, who: Ints, at: Ints) -> None:
    rng, people = crowd.rng, crowd.people
    slot = np.zeros(len(who), dtype=np.int64)
    network = choose_slots(rng, people.network_weight, who)
    calls = Calls(who, at, slot, network, np.ones(len(who), dtype=np.bool_))
    visit = crowd.open_visits(calls, known=0.0, label=label_of("app_release"))
    now = at
    for act, middle in ((Act.CODE_SENT, 2.4), (Act.CODE_CHECKED, 2.9)):
        now = now + (rng.lognormal(middle, 0.5, len(who)) * SECOND).astype(np.int64)
        crowd.rows.add(visit=visit, person=who, at=now, act=act, code=1)
    now = now + crowd.seconds(0.4, 3.0, len(who))
    crowd.login_at[-1][:] = now
    crowd.rows.add(visit=visit, person=who, at=now, act=Act.LOGIN, code=_BY_CODE)
    crowd.rows.add(visit=visit, person=who, at=now + crowd.seconds(0.5, 4.0, len(who)), act=Act.HOME)
