"""The four levels of craft, and values that differ by them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

SKILLS: tuple[str, ...] = ("naive", "skilled", "advanced", "expert")
"""From those who run somebody else's script to those who study the shop."""

Value = TypeVar("Value")


def by_skill(naive: Value, skilled: Value, advanced: Value, expert: Value) -> Mapping[str, Value]:
    """One value for each skill.

    >>> by_skill(1, 2, 3, 4)["expert"]
    4
    """
    return MappingProxyType(dict(zip(SKILLS, (naive, skilled, advanced, expert), strict=True)))
