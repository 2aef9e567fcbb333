"""Vulnerability scanners who try the doors of shop and blog software that this shop does not run."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import crowd_of, daily_operators, disguise
from floorwalker.simulation.access_log._catalogue import GET, POST, STRAY
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import FAILED, Crowd, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town

_PATHS = (
    "/wp-login.php", "/xmlrpc.php", "/wp-admin/install.php", "/wp-content/plugins/hello.php",
    "/wordpress/wp-login.php", "/blog/wp-login.php", "/wp/wp-login.php", "/administrator/index.php",
    "/admin.php", "/magento_version", "/downloader/index.php", "/user/register", "/phpmyadmin/index.php",
    "/pma/index.php", "/mysql/admin.php", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "/boaform/admin/formLogin", "/HNAP1/", "/cgi-bin/luci", "/solr/admin/info/system?wt=json",
)  # fmt: skip


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="flat", hours=4.0)
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)), fetches_files=False)
    wanted = town.catalogue.add(list(_PATHS))
    gap = crew.by_skill((0.8, 2.0, 12.0, 60.0))
    rows, at = renewals(
        chance, crew.start, np.minimum(crew.start + gap * 18 * 1.2, crew.end), gap, crew.by_skill((0.1, 0.3, 0.6, 0.9))
    )
    place = np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")
    target = wanted[(place + rows * 3) % len(wanted)]
    return crowd_of(
        actors,
        make_steps(
            rows, at, STRAY, target, method=np.where(chance.random(len(rows)) < 0.25, POST, GET), outcome=FAILED
        ),
    )


FAMILY = Family(kind="attacker", split="report", share=0.5, act=act)
