"""Caddy's structured access log: the request nested, the time a float."""

from __future__ import annotations

from collections.abc import Sequence

from floorwalker.sources.access_log._program import JsonShape, Layout
from floorwalker.sources.access_log.formats._base import LogFormat

_KEYS = (
    ("ts", "time"),
    ("timestamp", "time"),
    # What Caddy itself made of its own `trusted_proxies`; the same as `remote_ip` where it knows none.
    ("request>client_ip", "client"),
    ("request>remote_ip", "client"),
    ("request>remote_addr", "client"),
    ("request>method", "method"),
    ("request>host", "host"),
    ("request>uri", "target"),
    ("request>headers>User-Agent", "header:user-agent"),
    ("request>headers>Referer", "header:referer"),
    ("request>headers>Cookie", "header:cookie"),
    ("request>headers>X-Forwarded-For", "header:x-forwarded-for"),
    ("request>headers>Forwarded", "header:forwarded"),
    ("request>headers>Cf-Connecting-Ip", "header:cf-connecting-ip"),
    ("request>headers>True-Client-Ip", "header:true-client-ip"),
    ("request>headers>X-Real-Ip", "header:x-real-ip"),
    ("status", "status"),
    ("size", "size"),
)


def _layouts(_head: Sequence[bytes]) -> list[Layout]:
    return [Layout(JsonShape(_KEYS))]


FORMAT = LogFormat(
    title="Caddy JSON lines",
    examples=(
        '{"level":"info","ts":1719958980.1253,"logger":"http.log.access","msg":"handled request","request":'
        '{"remote_ip":"192.0.2.7","remote_port":"41342","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"GET","host":'
        '"shop.example","uri":"/cart?id=7","headers":{"User-Agent":["Mozilla/5.0 (X11)"],"Referer":'
        '["https://shop.example/"]},"tls":{"resumed":false}},"duration":0.0009,"size":512,"status":200,'
        '"resp_headers":{"Server":["Caddy"]}}',
    ),
    layouts=_layouts,
    rank=1,
)
