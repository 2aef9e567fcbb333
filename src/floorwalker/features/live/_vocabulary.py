"""Number fields, codes and selections of events that the declarations mention, numbered as they are met."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.events.entities import ENTITIES
from floorwalker.events.types import EVENT_TYPES, TYPE_CODES
from floorwalker.features.live.declarations import PLAIN_CODES, TRUSTED_ACCOUNT, What

AMOUNT, QUANTITY, LATITUDE, LONGITUDE, TRUSTED = range(5)
"""Number fields that kernels read whatever is declared."""

_MOST_SELECTIONS = 63


class Vocabulary:
    """The numbering that the programs of all tables share."""

    def __init__(self) -> None:
        self.codes: list[str] = [*ENTITIES, *PLAIN_CODES]
        self.numbers: list[str] = ["amount_minor", "quantity", "latitude", "longitude", TRUSTED_ACCOUNT]
        self._selections: list[What] = []

    def code(self, name: str) -> int:
        """Place of an entity or plain code in the kernel's matrix of keys."""
        return self.codes.index(name)

    def number(self, name: str) -> int:
        """Place of a number field in the kernel's matrix of values."""
        if name not in self.numbers:
            self.numbers.append(name)
        return self.numbers.index(name)

    def selection(self, what: What) -> int:
        """The bit that says whether an event is one of these."""
        same = What("", what.types, what.number, what.at_least, what.at_most, what.otherwise)
        if same not in self._selections:
            if len(self._selections) == _MOST_SELECTIONS:
                raise UsageError("the features select events in too many ways", allowed=f"{_MOST_SELECTIONS} ways")
            if same.number is not None:
                self.number(same.number)
            self._selections.append(same)
        return self._selections.index(same)

    def can_hold(self, selection: int, kind: int) -> bool:
        """Whether events of this type can be in a selection."""
        types = self._selections[selection].types
        return not types or EVENT_TYPES[kind].name in types

    def type_bits(self) -> NDArray[np.uint64]:
        """uint64 [types]: the selections that each type is in, fields not yet looked at."""
        bits = np.zeros(len(EVENT_TYPES), np.uint64)
        for bit, what in enumerate(self._selections):
            for name in what.types or TYPE_CODES:
                bits[TYPE_CODES[name]] |= np.uint64(1 << bit)
        return bits

    def ranges(self) -> NDArray[np.float64]:
        """float64 [ranges, 5]: bit of the selection, number field, least, most, what a missing value counts as."""
        rows = [
            (bit, self.number(what.number), what.at_least, what.at_most, _or_nan(what.otherwise))
            for bit, what in enumerate(self._selections)
            if what.number is not None
        ]
        return np.array(rows, np.float64).reshape(len(rows), 5)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
