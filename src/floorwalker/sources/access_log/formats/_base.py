"""What every format says about itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from floorwalker.sources.access_log._program import Layout


@dataclass(frozen=True)
class LogFormat:
    """One log format.

    Parameters
    ----------
    title : its name as a person would write it.
    examples : lines of this format, each parsed by a test; two or more for formats with variants.
    layouts : ways its lines are written, plainest first; given the first lines of a file, since some formats
        describe themselves in a header.
    rank : where formats explain equally many lines and equally many fields, the higher rank wins.
    """

    title: str
    examples: tuple[str, ...]
    layouts: Callable[[Sequence[bytes]], list[Layout]]
    rank: int = 0
