"""Draws that do not depend on the order in which they are made.

What is drawn for customer 17 is a function of the seed, of what is asked and of 17. So the customers can be made in
any number of pieces by any number of processes, an adversary can look a victim up without making the others, and the
same seed gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

_UNIT = 2.0**-53


@dataclass(frozen=True)
class Chance:
    """The seed, and everything that is drawn from it.

    Parameters
    ----------
    seed : of the scenario.
    """

    seed: int

    def words(self, what: str, numbers: ArrayLike) -> NDArray[np.uint64]:
        """64 even bits for each number; `what` names the question and makes the answers independent of others.

        SplitMix64 (Steele, Lea, Flood 2014) of the number under a key made of seed and question.
        """
        key = np.uint64(self._key(what))
        word = np.atleast_1d(np.asarray(numbers)).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + key
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(word ^ (word >> np.uint64(31)))

    def uniform(self, what: str, numbers: ArrayLike) -> NDArray[np.float64]:
        """A draw in [0, 1) for each number.

        >>> one = Chance(1).uniform("price", [3, 4, 5])
        >>> two = Chance(1).uniform("price", [5, 4])
        >>> bool(one[2] == two[0] and one[1] == two[1])
        True
        """
        return (self.words(what, numbers) >> np.uint64(11)).astype(np.float64) * _UNIT

    def choice(self, what: str, numbers: ArrayLike, weights: ArrayLike) -> NDArray[np.int64]:
        """A position in `weights` for each number, drawn by weight."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))
        found = np.searchsorted(edges, self.uniform(what, numbers) * edges[-1], side="right")
        return np.minimum(np.asarray(found, dtype=np.int64), len(edges) - 1)

    def normal(self, what: str, numbers: ArrayLike) -> NDArray[np.float64]:
        """A standard normal draw for each number (Box and Muller 1958)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(what + "/radius", numbers)))
        return radius * np.cos(2.0 * np.pi * self.uniform(what + "/angle", numbers))

    def generator(self, what: str, number: int = 0) -> Generator:
        """A generator of its own for one thing: a shard of the customers, a campaign."""
        return np.random.default_rng([self._key(what), number])

    def names(self, what: str, numbers: ArrayLike, digits: int = 11) -> list[str]:
        """Names that tell nothing of the number behind them: hexadecimal digits, fewer than a card number has.

        Different numbers have different names: the bits are a permutation of the number's, cut to `digits` only where
        fewer than 2^(2 digits) names are asked for in all, which makes a collision unlikely, not impossible.
        """
        shift = np.uint64(64 - 4 * digits)
        return [f"{word:0{digits}x}" for word in (self.words(what, numbers) >> shift).tolist()]

    def _key(self, what: str) -> int:
        text = f"{self.seed}/{what}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")
