"""W3C extended logs (IIS and others): space-separated, described by a `#Fields:` header."""

from __future__ import annotations

from collections.abc import Sequence

from floorwalker.sources.access_log._program import Field, Layout, TextShape
from floorwalker.sources.access_log.formats._base import LogFormat

_FIELDS = {
    "date": "date",
    "time": "time",
    "c-ip": "client",
    "cs-method": "method",
    "cs-uri": "target",
    "cs-uri-stem": "path",
    "cs-uri-query": "query",
    "sc-status": "status",
    "sc-bytes": "size",
    "cs-host": "header:host",
    "x-host-header": "host",
    "x-forwarded-for": "header:x-forwarded-for",
}


def header_fields(head: Sequence[bytes]) -> list[str] | None:
    """The field names of the first `#Fields:` header, or None."""
    for line in head:
        if line.startswith(b"#Fields:"):
            return line[8:].decode("utf-8", "replace").split()
    return None


def field_layout(names: Sequence[str], separator: str) -> Layout:
    """The layout of these W3C fields."""
    fields = []
    for position, name in enumerate(names):
        low = name.lower()
        meaning = _FIELDS.get(low, "")
        if low.startswith("cs(") and low.endswith(")"):
            meaning = "header:" + low[3:-1]
        if low == "time" and (position == 0 or names[position - 1].lower() != "date"):
            meaning = "time"
        fields.append(Field(meaning, separator if position + 1 < len(names) else ""))
    return Layout(TextShape(tuple(fields), comment="#"), percent=2 if separator == " " else 1)


def _layouts(head: Sequence[bytes]) -> list[Layout]:
    names = header_fields(head)
    known = {"time", "cs-uri-stem"}
    if names is None or not known <= {name.lower() for name in names}:
        return []
    return [field_layout(names, " ")]


FORMAT = LogFormat(
    title="W3C extended log (IIS)",
    examples=(
        "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status",
        "2024-07-02 22:23:00 198.51.100.1 GET /cart id=7 443 - 192.0.2.7 Mozilla/5.0+(X11) 200",
    ),
    layouts=_layouts,
)
