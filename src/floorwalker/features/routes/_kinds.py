"""Words behind ids that say what the id is of: `/image/12/brand`, `/image/30987/model/200x200`.

To a network that sees figures, few words below many ids look like the sizes of a picture. What tells them apart is
the log: the values of one variable go on in one way, while pages of different types end here or go on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._grouping import group, mix
from floorwalker.features.routes._levels import NUMBERED, Level
from floorwalker.features.routes._split import LOWER, MIXED, UPPER, SplitTargets

MOST, HEADS = 24, 5
"""At most so many such words below one state, each behind at least so many ids."""

COVERED, PURE = 0.9, 0.95
"""Share of the state's URLs that the words hold, and of a word's URLs that end there or go on."""


def find_kinds(cut: SplitTargets, level: Level) -> NDArray[np.bool_]:
    """The units that are such words: bool [units]."""
    units, states = len(level.unit_state), len(level.state)
    chosen = np.zeros(units, np.bool_)
    if level.depth == 0:
        return chosen
    letters = np.isin(cut.part_shape[level.parts], (LOWER, MIXED, UPPER))
    words = np.bincount(level.part_unit, weights=~letters, minlength=units) == 0
    words &= level.units.size >= HEADS
    number = np.bincount(level.state.of[words], minlength=states)
    words &= ((number >= 2) & (number <= MOST))[level.state.of]
    rows = np.flatnonzero(words[level.units.of])
    if len(rows) == 0:
        return chosen
    unit = level.units.of[rows]
    here = cut.segment_of[level.rows[rows]].astype(np.int64) + level.depth
    # The ids before: how many different ones, and whether they are numbers or codes at all.
    heads = group(mix(unit, cut.segment_hash[here - 1], 25))
    behind = np.bincount(unit[heads.first], minlength=units)
    before = here - 1
    numbered = np.isin(cut.part_shape[cut.part_of[before]], NUMBERED)
    ids = np.bincount(unit, weights=numbered, minlength=units) >= COVERED * level.units.size
    words &= ids & (behind >= HEADS)
    last = here + 1 >= cut.segment_of[level.rows[rows] + 1]
    ends = np.bincount(unit, weights=last, minlength=units) / level.units.size
    held = np.bincount(level.state.of, weights=level.units.size * words, minlength=states)
    whole = np.bincount(level.state.of, weights=level.units.size, minlength=states)
    ending = np.bincount(level.state.of, weights=words & (ends >= PURE), minlength=states)
    going = np.bincount(level.state.of, weights=words & (ends <= 1 - PURE), minlength=states)
    apart = (held >= COVERED * whole) & (ending > 0) & (going > 0)
    chosen[words & apart[level.state.of]] = True
    return chosen
