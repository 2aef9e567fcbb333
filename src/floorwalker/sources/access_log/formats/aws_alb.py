"""Access logs of Amazon's application load balancer."""

from __future__ import annotations

from collections.abc import Sequence

from floorwalker.sources.access_log._program import Field, Layout, TextShape
from floorwalker.sources.access_log.formats._base import LogFormat


def _layouts(_head: Sequence[bytes]) -> list[Layout]:
    names = ("", "time", "", "client", "", "", "", "", "status", "", "")
    fields = [Field(name, " ") for name in names]
    fields.append(Field("size", ' "'))
    fields.append(Field("request", '" "', quoted=True))
    fields.append(Field("header:user-agent", '" ', quoted=True))
    return [Layout(TextShape(tuple(fields), open_end=True), has_port=True)]


FORMAT = LogFormat(
    title="AWS application load balancer",
    examples=(
        "https 2024-07-02T22:23:00.186641Z app/shop/50dc6c495c0c9188 192.0.2.7:2817 198.51.100.1:80 0.000 0.001 0.000 "
        '200 200 34 366 "GET https://shop.example:443/cart?x=1 HTTP/1.1" "Mozilla/5.0" ECDHE-RSA TLSv1.2 arn:aws:x '
        '"Root=1-58337262-36d228ad5d99923122bbe354" "shop.example" "-" 0 2024-07-02T22:22:48.364000Z "forward" "-" "-"',
    ),
    layouts=_layouts,
)
