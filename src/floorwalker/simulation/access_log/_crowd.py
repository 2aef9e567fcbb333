"""Who visits and what they ask for, before a server has answered: actors and their steps, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

DIRECT, SEARCH_ENGINE, SOCIAL, COMPARISON, DEAL_SITE, MAIL, PREVIOUS = -2, 0, 1, 2, 3, 4, -1
"""Where a step came from: nowhere, an outside site, or (the rule) the page before it in the same visit."""

DEFAULT, FAILED, SUCCEEDED = 0, 1, 2
"""How an act ends: as the shop's usual shares have it, or as the family decided (a wrong password, a dead card)."""


@dataclass(frozen=True)
class Actors:
    """`n` people or programs.

    Parameters
    ----------
    address, agent : int32 [n], codes of the address and user agent they start with.
    fetches_files : bool [n], loads style sheets, scripts and images as a browser does.
    runs_scripts : bool [n], sends the beacons and calls that a page's scripts make.
    sends_referrer : bool [n].
    keeps_cookies : bool [n]; without, the session is missing from the log.
    is_warm : bool [n], has the shop's common files in its cache from earlier weeks.
    slowness : float32 [n], factor on loading times.
    skill : int8 [n], index into `SKILLS`, -1 for those who hide nothing.
    campaign : int32 [n], number of the campaign within the family, -1 for none.
    """

    address: NDArray[np.int32]
    agent: NDArray[np.int32]
    fetches_files: NDArray[np.bool_]
    runs_scripts: NDArray[np.bool_]
    sends_referrer: NDArray[np.bool_]
    keeps_cookies: NDArray[np.bool_]
    is_warm: NDArray[np.bool_]
    slowness: NDArray[np.float32]
    skill: NDArray[np.int8]
    campaign: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.address)


@dataclass(frozen=True)
class Steps:
    """`m` pages asked for or acts done.

    Parameters
    ----------
    actor : int64 [m], row of `Actors`.
    at : float64 [m], seconds since the first local midnight.
    kind : uint8 [m], kind of step, see the catalogue.
    target : int32 [m], target id in the catalogue.
    method : uint8 [m], index into `METHODS`.
    source : int8 [m], where from, `PREVIOUS` by default.
    outcome : uint8 [m], `DEFAULT`, `FAILED` or `SUCCEEDED`.
    address, agent : int32 [m], -1 for the actor's own; others where it changes network or user agent.
    """

    actor: NDArray[np.int64]
    at: NDArray[np.float64]
    kind: NDArray[np.uint8]
    target: NDArray[np.int32]
    method: NDArray[np.uint8]
    source: NDArray[np.int8]
    outcome: NDArray[np.uint8]
    address: NDArray[np.int32]
    agent: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.actor)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Steps:
        """The steps at these positions."""
        return Steps(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class Crowd:
    """Actors and their steps."""

    actors: Actors
    steps: Steps


def make_actors(
    address: NDArray[np.int32],
    agent: NDArray[np.int32],
    *,
    fetches_files: ArrayLike = True,
    runs_scripts: ArrayLike | None = None,
    sends_referrer: ArrayLike = True,
    keeps_cookies: ArrayLike = True,
    is_warm: ArrayLike = False,
    slowness: ArrayLike = 1.0,
    skill: ArrayLike = -1,
    campaign: ArrayLike = -1,
) -> Actors:
    """Actors from columns or single values; scripts run where files are fetched unless said otherwise."""

    def column(value: ArrayLike, dtype: type[np.generic]) -> NDArray[np.generic]:
        return np.broadcast_to(np.asarray(value, dtype), len(address)).copy()

    return Actors(
        address=np.asarray(address, np.int32),
        agent=np.asarray(agent, np.int32),
        fetches_files=column(fetches_files, np.bool_),  # type: ignore[arg-type]
        runs_scripts=column(fetches_files if runs_scripts is None else runs_scripts, np.bool_),  # type: ignore[arg-type]
        sends_referrer=column(sends_referrer, np.bool_),  # type: ignore[arg-type]
        keeps_cookies=column(keeps_cookies, np.bool_),  # type: ignore[arg-type]
        is_warm=column(is_warm, np.bool_),  # type: ignore[arg-type]
        slowness=column(slowness, np.float32),  # type: ignore[arg-type]
        skill=column(skill, np.int8),  # type: ignore[arg-type]
        campaign=column(campaign, np.int32),  # type: ignore[arg-type]
    )


def make_steps(
    actor: NDArray[np.int64],
    at: NDArray[np.float64],
    kind: ArrayLike,
    target: NDArray[np.int32],
    *,
    method: ArrayLike = 0,
    source: ArrayLike = PREVIOUS,
    outcome: ArrayLike = DEFAULT,
    address: ArrayLike = -1,
    agent: ArrayLike = -1,
) -> Steps:
    """Steps from columns or single values."""

    def column(value: ArrayLike, dtype: type[np.generic]) -> NDArray[np.generic]:
        return np.broadcast_to(np.asarray(value, dtype), len(actor)).copy()

    return Steps(
        actor=np.asarray(actor, np.int64),
        at=np.asarray(at, np.float64),
        kind=column(kind, np.uint8),  # type: ignore[arg-type]
        target=np.asarray(target, np.int32),
        method=column(method, np.uint8),  # type: ignore[arg-type]
        source=column(source, np.int8),  # type: ignore[arg-type]
        outcome=column(outcome, np.uint8),  # type: ignore[arg-type]
        address=column(address, np.int32),  # type: ignore[arg-type]
        agent=column(agent, np.int32),  # type: ignore[arg-type]
    )


def join_steps(parts: Sequence[Steps]) -> Steps:
    """All steps of the same actors in one record."""
    return Steps(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Steps)})


def join_crowds(parts: Sequence[Crowd]) -> Crowd:
    """Crowds side by side: rows of actors are renumbered."""
    offsets = np.cumsum([0] + [len(part.actors) for part in parts])
    actors = Actors(
        **{f.name: np.concatenate([getattr(part.actors, f.name) for part in parts]) for f in fields(Actors)}
    )
    steps = join_steps([part.steps for part in parts])
    shift = np.repeat(offsets[:-1], [len(part.steps) for part in parts])
    return Crowd(
        actors, Steps(**{**{f.name: getattr(steps, f.name) for f in fields(Steps)}, "actor": steps.actor + shift})
    )
