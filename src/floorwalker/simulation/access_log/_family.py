"""A family of visitors, and how families are found: one file each under `families/`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._records import ABUSIVE_KINDS, CATEGORIES, KINDS, SPLITS
from floorwalker.simulation.access_log._town import Town

_PACKAGE = "floorwalker.simulation.access_log.families"


@dataclass(frozen=True)
class Family:
    """Visitors who act alike.

    Parameters
    ----------
    kind : one of `KINDS`.
    split : `choose` or `report`, or `both` for what every shop has: such a family has two disjoint sets of
        parameters, one for
        each split (`Town.regime`).
    share : weight among the families of its sort (honest people; abusers; for machines a factor on their usual number).
    act : makes the crowd: called with the town, a generator, and int64 [days], how many visits (honest), operators
        (abusers) or the shop's usual honest visits (machines) each day has.
    category : what paper B would call its visitors, None where that differs from visitor to visitor.
    on_promotion : factor on its share on promotion days (honest: its share of the additional crowd).
    is_lasting : an operator stays from its first day to the end, so each day's operators are the same ones.
    """

    kind: str
    split: str
    share: float
    act: Callable[[Town, Generator, NDArray[np.int64]], Crowd]
    category: str | None = None
    on_promotion: float = 1.0
    is_lasting: bool = False

    def __post_init__(self) -> None:
        for name, value, allowed in (("kind", self.kind, KINDS), ("split", self.split, SPLITS)):
            if value not in allowed:
                raise ValueError(f"{name} {value!r}; allowed: {', '.join(allowed)}")
        if self.category is not None and self.category not in CATEGORIES:
            raise ValueError(f"category {self.category!r}; allowed: {', '.join(CATEGORIES)}")

    @property
    def abusive(self) -> bool:
        """Whether a shop would want to know of these visitors."""
        return self.kind in ABUSIVE_KINDS

    def belongs(self, split: str) -> bool:
        """Whether the family takes part in this split.

        >>> from floorwalker.simulation.access_log import load_family
        >>> load_family("browsing_customers").belongs("report")
        True
        """
        return split == "both" or self.split in (split, "both")


def list_families(kind: str | None = None, *, split: str = "both") -> list[str]:
    """Ids of the families of visitors, in alphabetical order.

    Parameters
    ----------
    kind : one of `KINDS`, or None for all.
    split : one of `SPLITS`; families of both splits belong to each.

    >>> "googlebot" in list_families("machine")
    True
    """
    parent = importlib.import_module(_PACKAGE)
    names = sorted(module.name for module in pkgutil.iter_modules(parent.__path__) if not module.name.startswith("_"))
    found = ((name, load_family(name)) for name in names)
    return [name for name, family in found if kind in (None, family.kind) and family.belongs(split)]


def load_family(name: str) -> Family:
    """The family of this id; an unknown id raises `UsageError`."""
    parent = importlib.import_module(_PACKAGE)
    known = sorted(module.name for module in pkgutil.iter_modules(parent.__path__) if not module.name.startswith("_"))
    if name not in known:
        raise UsageError(f"unknown family of visitors {name!r}", allowed=", ".join(known))
    family: Family = importlib.import_module(f"{_PACKAGE}.{name}").FAMILY
    return family
