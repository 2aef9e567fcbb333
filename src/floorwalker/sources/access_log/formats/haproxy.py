"""HAProxy's HTTP log, behind a syslog prefix or without, with captured headers in braces."""

from __future__ import annotations

import re
from collections.abc import Sequence

from floorwalker.sources.access_log._program import Field, Layout, TextShape
from floorwalker.sources.access_log.formats._base import LogFormat

_BRACES = re.compile(rb" \{([^{}]*)\}(?: \{[^{}]*\})? \"")
_HOST = re.compile(rb"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:\d+)?$")


def _meaning(values: Sequence[bytes]) -> str:
    """What one captured header is, judged by its values."""
    told = [value for value in values if value]
    if not told:
        return ""
    if sum(b"Mozilla/" in value or (b"/" in value and b"://" not in value) for value in told) * 2 > len(told):
        return "header:user-agent"
    if sum(value.startswith((b"http://", b"https://")) for value in told) * 2 > len(told):
        return "header:referer"
    if sum(re.fullmatch(rb"[0-9a-fA-F.:, ]+", value) is not None for value in told) * 2 > len(told):
        return "header:x-forwarded-for"
    if sum(_HOST.match(value) is not None for value in told) * 2 > len(told):
        return "header:host"
    return ""


def _captured(head: Sequence[bytes]) -> list[str]:
    """The meanings of the request headers that these lines capture."""
    groups = [found[1].split(b"|") for line in head if (found := _BRACES.search(line))]
    if not groups:
        return []
    width = max(len(group) for group in groups)
    return [_meaning([group[k] for group in groups if len(group) == width]) for k in range(width)]


def _shape(*, prefix: bool, captured: Sequence[str]) -> TextShape:
    fields = [Field("", "]: ")] if prefix else []
    fields += [Field("client", " ["), Field("time", "] ")]
    fields += [Field(name, " ") for name in ("", "", "", "status", "size", "", "", "", "")]
    if captured:
        fields.append(Field("", " {"))
        fields += [Field(name, "|") for name in captured[:-1]]
        fields.append(Field(captured[-1], "} "))
        fields.append(Field("", '"'))
    else:
        fields.append(Field("", ' "'))
    fields.append(Field("request", '"'))
    return TextShape(tuple(fields), open_end=True)


def _layouts(head: Sequence[bytes]) -> list[Layout]:
    captured = _captured(head)
    layouts = [Layout(_shape(prefix=prefix, captured=()), has_port=True) for prefix in (True, False)]
    if any(captured):
        note = "with captured headers"
        layouts += [Layout(_shape(prefix=prefix, captured=captured), note, has_port=True) for prefix in (True, False)]
    return layouts


FORMAT = LogFormat(
    title="HAProxy HTTP log",
    examples=(
        "Feb  6 12:14:14 edge haproxy[14389]: 192.0.2.7:33317 [06/Feb/2024:12:14:14.655] http-in static/srv1 "
        '10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {shop.example|Mozilla/5.0 (X11)} {} "GET /cart HTTP/1.1"',
        "192.0.2.7:33317 [06/Feb/2024:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- "
        '1/1/1/1/0 0/0 "GET /index.html HTTP/1.1"',
    ),
    layouts=_layouts,
)
