"""Mapping files: which column of a foreign table is which field of an event."""

from __future__ import annotations

from floorwalker.sources.mapping._apply import Mapped, Mapper
from floorwalker.sources.mapping._document import list_ready_mappings, load_mapping, parse_mapping
from floorwalker.sources.mapping._model import Mapping
from floorwalker.sources.mapping._own import own_mapping, suggest_mapping

__all__ = [
    "Mapped",
    "Mapper",
    "Mapping",
    "list_ready_mappings",
    "load_mapping",
    "own_mapping",
    "parse_mapping",
    "suggest_mapping",
]
