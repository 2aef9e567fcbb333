"""The log formats, one file each: a format is a module with the constant `FORMAT`."""

from __future__ import annotations

from floorwalker.registry import list_parts, load_part
from floorwalker.sources.access_log.formats._base import LogFormat

_HERE = "floorwalker.sources.access_log.formats"


def list_formats() -> list[str]:
    """Ids of the formats that are recognised, in alphabetical order."""
    return list_parts(_HERE)


def load_format(format_id: str) -> LogFormat:
    """The format of this id; an unknown one raises `UsageError` with those that exist."""
    found: LogFormat = load_part(_HERE, format_id).FORMAT
    return found
