"""Vulnerability scanners who look for forgotten secrets: dot files, backups, version control."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._abuse import crowd_of, daily_operators, disguise
from floorwalker.simulation.access_log._catalogue import GET, STRAY
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import FAILED, Crowd, make_steps
from floorwalker.simulation.access_log._family import Family
from floorwalker.simulation.access_log._town import Town

_PATHS = (
    "/.env", "/.git/config", "/.git/HEAD", "/.aws/credentials", "/.svn/entries", "/.DS_Store", "/backup.sql",
    "/backup.zip", "/db.sql.gz", "/dump.sql", "/config.php.bak",
    "/config.json", "/.htpasswd", "/phpinfo.php", "/info.php", "/server-status", "/.env.local", "/.env.production",
    "/api/.env", "/docker-compose.yml", "/id_rsa",
    "/.vscode/sftp.json", "/actuator/env", "/debug/default/view",
)  # fmt: skip


def act(town: Town, chance: Generator, daily: NDArray[np.int64]) -> Crowd:
    """The crowd of these visitors."""
    crew = daily_operators(town, chance, daily, habit="flat", hours=4.0)
    actors = disguise(town, chance, crew.skill, np.arange(len(crew)), fetches_files=False)
    wanted = town.catalogue.add(list(_PATHS))
    gap = crew.by_skill((0.5, 1.5, 8.0, 40.0))
    rows, at = renewals(
        chance, crew.start, np.minimum(crew.start + gap * 24 * 1.2, crew.end), gap, crew.by_skill((0.1, 0.3, 0.6, 0.9))
    )
    place = np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")
    target = wanted[(place + rows * 5) % len(wanted)]
    return crowd_of(actors, make_steps(rows, at, STRAY, target, method=GET, outcome=FAILED))


FAMILY = Family(kind="attacker", split="choose", share=0.5, act=act)
