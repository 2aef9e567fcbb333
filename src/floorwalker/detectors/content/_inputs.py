"""What views read: texts, the dense rows that belong to them, and n-grams that are counted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content.grams import Grams, Rows

GRAM_VIEWS: Mapping[str, dict[str, Any]] = {
    "words": {"unit": "words", "low": 1, "high": 3, "least_texts": 2},
    "characters": {"unit": "characters", "low": 2, "high": 5, "case": True, "least_texts": 3},
    "frames": {"unit": "frames", "low": 1, "high": 4, "least_texts": 3},
    "plain_words": {"unit": "words", "low": 1, "high": 3, "marks": False, "least_texts": 2},
    "plain_characters": {"unit": "characters", "low": 3, "high": 6, "marks": False, "least_texts": 3},
}
"""N-grams as written, and without accents and capitals."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Texts and the dense rows that belong to them, by name: `style`, encoders, `extra`.

    Views of the same n-grams count them once: what was counted is kept here, for as long as the texts are.
    """

    texts: list[str]
    dense: Mapping[str, NDArray[np.float32]]
    _counted: dict[tuple[str, int], Any] = field(default_factory=dict, repr=False)

    def learn_grams(self, stem: str) -> tuple[Grams, Any]:
        """The n-grams of `GRAM_VIEWS[stem]` learned from these texts, and the texts' rows as a SciPy matrix."""
        from floorwalker.detectors.content._training import as_sparse

        key = (stem, 0)
        if key not in self._counted:
            grams = Grams(**GRAM_VIEWS[stem]).fit(self.texts)
            self._counted[key] = (grams, as_sparse(grams.transform(self.texts)))
        found: tuple[Grams, Any] = self._counted[key]
        return found

    def rows_of(self, grams: Grams) -> Rows:
        """The texts' rows of n-grams that were learned from others."""
        key = ("", id(grams))
        if key not in self._counted:
            # The n-grams are kept with the rows, so that no others can take their identity.
            self._counted[key] = (grams, grams.transform(self.texts))
        rows: Rows = self._counted[key][1]
        return rows

    def take(self, rows: NDArray[np.intp]) -> Inputs:
        """These rows."""
        return Inputs([self.texts[row] for row in rows.tolist()], {name: one[rows] for name, one in self.dense.items()})
