"""Who lives together and where, and who had what before: what several columns ask about the same persons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.world.countries import SHARES

_U = np.uint64
_PATTERNS = np.array(
    [[0, 1, 2, 3], [0, 0, 2, 3], [0, 0, 2, 2], [0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 3]], dtype=np.uint64
)
_PATTERN_WEIGHTS = (0.62, 0.19, 0.06, 0.05, 0.04, 0.04)
_TRIES = 6


def household_heads(chance: Chance, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The number of the first person of each person's household: of four neighbouring numbers, some live together."""
    four = numbers // _U(4)
    pattern = chance.choice("household", four, _PATTERN_WEIGHTS)
    return np.asarray(four * _U(4) + _PATTERNS[pattern, (numbers % _U(4)).astype(np.int64)], dtype=np.uint64)


def countries_of(chance: Chance, heads: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where each household lives, places in `COUNTRIES`."""
    return chance.choice("country", heads, SHARES)


def partners(numbers: NDArray[np.uint64], customers: int) -> NDArray[np.uint64]:
    """The customer half of the register away: who sold a telephone to whom. `partners_back` finds the buyer."""
    return np.asarray((numbers + _U(customers // 2)) % _U(customers), dtype=np.uint64)


def partners_back(numbers: NDArray[np.uint64], customers: int) -> NDArray[np.uint64]:
    """The customer whose partner each of these is."""
    return np.asarray((numbers + _U(customers - customers // 2)) % _U(customers), dtype=np.uint64)


def compatriots(
    chance: Chance, what: str, numbers: NDArray[np.uint64], country: NDArray[np.int64], customers: int
) -> NDArray[np.uint64]:
    """Another customer of the same country for each number; with bad luck one of another country."""
    found = chance.words(f"{what}/0", numbers) % _U(customers)
    for turn in range(1, _TRIES):
        rows = np.flatnonzero(countries_of(chance, household_heads(chance, found)) != country)
        if not len(rows):
            break
        found[rows] = chance.words(f"{what}/{turn}", numbers[rows]) % _U(customers)
    return found
