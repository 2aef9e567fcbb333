"""The four levels of craft, and values that differ by them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from floorwalker.simulation.shop.scenario import SKILLS

Value = TypeVar("Value")


def by_skill(naive: Value, skilled: Value, advanced: Value, expert: Value) -> Mapping[str, Value]:
    """One value for each skill.

    >>> by_skill(1, 2, 3, 4)["expert"]
    4
    """
    return MappingProxyType(dict(zip(SKILLS, (naive, skilled, advanced, expert), strict=True)))


__all__ = ["SKILLS", "by_skill"]
