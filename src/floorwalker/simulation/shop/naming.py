"""Names that tell nothing, for whole columns: eleven hexadecimal digits, all different.

Numbers are shuffled by a permutation of the 44-bit words, so no two of them get the same name; written like those of
`Chance.names`, so that nothing tells a customer's session from an abuser's.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance

_BITS = np.uint64(44)
_MASK = np.uint64((1 << 44) - 1)
_STEPS = ((0x9E3779B97F5, 23), (0xBF58476D1CF, 21), (0x94D049BB133, 25))


def shuffle(chance: Chance, what: str, numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A permutation of the 44-bit words, another one for each question.

    >>> made = shuffle(Chance(1), "order", np.arange(1000))
    >>> len(np.unique(made))
    1000
    """
    keys = chance.words(what + "/key", np.arange(len(_STEPS)))
    word = numbers.astype(np.uint64) & _MASK
    for (factor, shift), key in zip(_STEPS, keys, strict=True):
        word = (word ^ (key & _MASK)) * np.uint64(factor) & _MASK
        word ^= word >> np.uint64(shift)
    return np.asarray(word, dtype=np.uint64)


@cache
def _digits(width: int) -> pl.Series:
    return pl.Series([f"{number:0{width}x}" for number in range(16**width)])


def spell(words: NDArray[np.uint64]) -> pl.Series:
    """44-bit words as eleven digits each.

    >>> spell(np.array([255], dtype=np.uint64)).to_list()
    ['000000000ff']
    """
    parts = [
        _digits(4).gather(((words >> np.uint64(28)) & np.uint64(0xFFFF)).astype(np.uint32)).alias("a"),
        _digits(4).gather(((words >> np.uint64(12)) & np.uint64(0xFFFF)).astype(np.uint32)).alias("b"),
        _digits(3).gather((words & np.uint64(0xFFF)).astype(np.uint32)).alias("c"),
    ]
    return pl.DataFrame(parts).select(pl.concat_str("a", "b", "c")).to_series()


def names(chance: Chance, what: str, numbers: NDArray[np.int64]) -> pl.Series:
    """A name for each number; different numbers below 2^44 have different names."""
    return spell(shuffle(chance, what, numbers))
