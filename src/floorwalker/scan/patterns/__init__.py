"""Named patterns of abuse, one file each; found by listing this folder."""

from __future__ import annotations

from floorwalker.registry import list_parts, load_part
from floorwalker.scan.patterns._pattern import Evidence, Pattern

__all__ = ["Evidence", "Pattern", "load_patterns"]


def load_patterns() -> tuple[Pattern, ...]:
    """Every pattern, in the order of their files' names."""
    patterns: list[Pattern] = [load_part(__name__, part).PATTERN for part in list_parts(__name__)]
    return tuple(patterns)
