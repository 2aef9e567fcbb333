"""Common or combined lines behind a prefix: syslog, container logs, journal exports."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from floorwalker.sources.access_log._program import Field, Layout, TextShape
from floorwalker.sources.access_log._templates import apache_template
from floorwalker.sources.access_log.formats._base import LogFormat
from floorwalker.sources.access_log.formats.combined import COMBINED

_COMMON = '%h %l %u %t "%r" %>s %b'
_START = re.compile(rb"^(.*?(\S[ \t]+))\S+ \S+ \S+ \[\d\d/[A-Za-z]{3}/\d{4}:")


def _behind(ending: str, template: str, note: str) -> Layout:
    """The template's layout behind everything up to an ending."""
    layout = apache_template(template)
    if not isinstance(layout.shape, TextShape):
        raise TypeError("only text lines have a prefix")
    fields = (Field("", ending), *layout.shape.fields)
    return replace(layout, shape=replace(layout.shape, fields=fields, open_end=True), note=note)


def _layouts(head: Sequence[bytes]) -> list[Layout]:
    endings = Counter(found[2] for line in head if (found := _START.match(line)))
    layouts = []
    for ending, _ in endings.most_common(2):
        text = ending.decode("latin-1")
        if text.isascii():
            layouts.append(_behind(text, COMBINED, f"combined behind {text!r}"))
            layouts.append(_behind(text, _COMMON, f"common behind {text!r}"))
    return layouts


FORMAT = LogFormat(
    title="common or combined lines behind a prefix (syslog, container logs)",
    examples=(
        "May  6 12:00:01 web1 nginx: 192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "
        '"GET /cart HTTP/1.1" 200 512 "https://shop.example/" "Mozilla/5.0"',
        'shop-web-1  | 192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET /cart HTTP/1.1" 200 512 "-" "Mozilla/5.0"',
        "2024-05-06T12:00:01.123456789Z stdout F 192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "
        '"GET /cart HTTP/1.1" 200 512 "-" "Mozilla/5.0"',
    ),
    layouts=_layouts,
)
