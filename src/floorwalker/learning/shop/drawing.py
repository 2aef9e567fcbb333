"""Which events the trees learn from: all that were proven, all that look odd, and a sample of the ordinary ones.

What a model does with the one event in a thousand that looks worst decides what it is worth, and a plain sample of a
large history holds hardly any of those. So events with a first opinion against them are drawn first; the others stand
for as many as were left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.fusion.memory import FIRST
from floorwalker.learning.shop.signals import Signals

ODD_SHARE = 0.75
"""Most of the drawn events that are taken for their oddness."""


def first_opinions(signals: Signals, until: int) -> NDArray[np.float32] | None:
    """What the first opinion was on each event before place `until`, 0 where nobody asked: float32 [until]; None where
    there is no memory.

    No event is judged by a model that learned from it.
    """
    for modality in signals.modalities:
        if FIRST in modality.outputs:
            said = np.asarray(modality.scores[:until, modality.outputs.index(FIRST)])
            return np.nan_to_num(said)
    return None


def draw_rows(
    proven: NDArray[np.bool_],
    judged: NDArray[np.bool_],
    odd: NDArray[np.float32] | None,
    most: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places of the events to learn from, rising, and how many each stands for.

    Parameters
    ----------
    proven, judged : bool [n]; all proven events are taken, and of the other judged ones `most`.
    odd : float32 [n], how odd each looks, 0 where not at all; None draws evenly.
    rng : of the drawing.

    >>> proven = np.array([True, False, False, False, False, False])
    >>> odd = np.array([1, 0.5, 0, 0, 0, 0], np.float32)
    >>> rows, weights = draw_rows(proven, np.ones(6, bool), odd, 2, np.random.default_rng(0))
    >>> rows[:2].tolist(), weights.tolist()
    ([0, 1], [1.0, 1.0, 4.0])
    """
    others = np.flatnonzero(judged & ~proven)
    strange = others[odd[others] > 0] if odd is not None and len(others) > most else others[:0]
    plain = others[odd[others] <= 0] if odd is not None and len(strange) else others
    parts, weights = [np.flatnonzero(proven)], [np.ones(int(proven.sum()))]
    room = most
    for some, share in ((strange, ODD_SHARE), (plain, 1.0)):
        if len(some):
            count = min(len(some), max(1, round(share * room)))
            parts.append(rng.choice(some, count, replace=False))
            weights.append(np.full(count, len(some) / count))
            room -= count
    rows, standing = np.concatenate(parts), np.concatenate(weights)
    order = np.argsort(rows)
    return rows[order], standing[order]
