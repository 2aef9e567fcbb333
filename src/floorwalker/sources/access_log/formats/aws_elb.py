"""Access logs of Amazon's classic load balancer."""

from __future__ import annotations

from collections.abc import Sequence

from floorwalker.sources.access_log._program import Field, Layout, TextShape
from floorwalker.sources.access_log.formats._base import LogFormat


def _layouts(_head: Sequence[bytes]) -> list[Layout]:
    names = ("time", "", "client", "", "", "", "", "status", "", "")
    fields = [Field(name, " ") for name in names]
    fields.append(Field("size", ' "'))
    fields.append(Field("request", '" "', quoted=True))
    fields.append(Field("header:user-agent", '" ', quoted=True))
    return [Layout(TextShape(tuple(fields), open_end=True), has_port=True)]


FORMAT = LogFormat(
    title="AWS classic load balancer",
    examples=(
        "2024-05-13T23:39:43.945958Z shop-lb 192.0.2.7:2817 198.51.100.1:80 0.000073 0.001048 0.000057 200 200 0 29 "
        '"GET http://shop.example:80/cart HTTP/1.1" "curl/8.1" - -',
    ),
    layouts=_layouts,
)
