"""Traefik's access log in JSON."""

from __future__ import annotations

from collections.abc import Sequence

from floorwalker.sources.access_log._program import JsonShape, Layout
from floorwalker.sources.access_log.formats._base import LogFormat

_KEYS = (
    ("StartUTC", "time"),
    ("StartLocal", "time"),
    ("time", "time"),
    ("ClientHost", "client"),
    ("ClientAddr", "client"),
    ("RequestMethod", "method"),
    ("RequestHost", "host"),
    ("RequestAddr", "host"),
    ("RequestPath", "target"),
    ("DownstreamStatus", "status"),
    ("OriginStatus", "status"),
    ("DownstreamContentSize", "size"),
    ("OriginContentSize", "size"),
    ("request_User-Agent", "header:user-agent"),
    ("request_Referer", "header:referer"),
    ("request_Cookie", "header:cookie"),
    ("request_X-Forwarded-For", "header:x-forwarded-for"),
    ("request_Forwarded", "header:forwarded"),
    ("request_Cf-Connecting-Ip", "header:cf-connecting-ip"),
    ("request_True-Client-Ip", "header:true-client-ip"),
    ("request_X-Real-Ip", "header:x-real-ip"),
)


def _layouts(_head: Sequence[bytes]) -> list[Layout]:
    return [Layout(JsonShape(_KEYS))]


FORMAT = LogFormat(
    title="Traefik JSON lines",
    examples=(
        '{"ClientAddr":"192.0.2.7:41342","ClientHost":"192.0.2.7","ClientPort":"41342","DownstreamContentSize":512,'
        '"DownstreamStatus":200,"Duration":912000,"RequestAddr":"shop.example","RequestHost":"shop.example",'
        '"RequestMethod":"GET","RequestPath":"/cart?id=7","RequestProtocol":"HTTP/2.0","StartUTC":'
        '"2024-07-02T22:23:00.125309Z","request_User-Agent":"Mozilla/5.0 (X11)","level":"info","msg":"",'
        '"time":"2024-07-02T22:23:00Z"}',
    ),
    layouts=_layouts,
    rank=1,
)
