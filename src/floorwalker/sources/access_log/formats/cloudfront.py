"""Standard access logs of CloudFront: tab-separated W3C fields, user agents percent-encoded."""

from __future__ import annotations

from collections.abc import Sequence

from floorwalker.sources.access_log._program import Layout
from floorwalker.sources.access_log.formats._base import LogFormat
from floorwalker.sources.access_log.formats.w3c import field_layout, header_fields

_USUAL = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken "
    "x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status "
    "fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len "
    "sc-range-start sc-range-end"
)


def _layouts(head: Sequence[bytes]) -> list[Layout]:
    return [field_layout(header_fields(head) or _USUAL.split(), "\t")]


FORMAT = LogFormat(
    title="CloudFront standard log",
    examples=(
        "#Version: 1.0",
        "#Fields: " + _USUAL,
        "2024-07-02\t22:23:00\tFRA6-C1\t2390\t192.0.2.7\tGET\td111.cloudfront.example\t/cart\t200\t-\t"
        "Mozilla/5.0%20(X11)\tid=7\t-\tHit\tx==\tshop.example\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE\tHit\tHTTP/2.0\t-\t-\t"
        "11040\t0.001\tHit\ttext/html\t78\t-\t-",
    ),
    layouts=_layouts,
    rank=1,
)
