"""Whether the log shows the visitors' own addresses at all; asked before anything else is believed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from floorwalker.features.network import Networks, parse_addresses
from floorwalker.scan.phrases import printable, say_count

MOST_FROM_PROXIES = 0.5
"""Share of requests from a proxy's addresses above which the log cannot tell visitors apart."""

FEWEST_ADDRESSES = 20
FEW_REQUESTS = 1000
FEW_SHARE = 0.9
FEW_AGENTS = 20

FEWEST_CUT = 4
CUT_SHARE = 0.2
"""Share of distinct user agents of the greatest length from which that length is a limit, and of those that must end in
the midst of a word."""

_PROXY_KINDS = ("cdn", "load_balancer")
_INSIDE_KINDS = ("private", "loopback", "link_local", "carrier_nat", "reserved")

# The header in which each service passes the visitor's address on, as its manual names it.
_HEADERS = {
    "Cloudflare": "CF-Connecting-IP",
    "Fastly": "Fastly-Client-IP",
    "Akamai": "True-Client-IP",
    "CloudFront": "CloudFront-Viewer-Address",
    "Imperva": "Incap-Client-IP",
    "Sucuri": "X-Sucuri-ClientIP",
    "Azure Front Door": "X-Azure-ClientIP",
}

_NGINX = (
    "in nginx set 'real_ip_header {header};' with 'set_real_ip_from' for each of its networks, or add ${variable} to "
    "log_format"
)
_APACHE = (
    "in Apache set 'RemoteIPHeader {header}' with 'RemoteIPTrustedProxy' (mod_remoteip) and log %a, or log "
    "%{{{header}}}i"
)
_ALB = "the load balancer saw a proxy before it: log {header} at the application, or scan the proxy's own log"
_ADVICE = {
    "combined": f"{_NGINX}; {_APACHE}",
    "common": f"{_NGINX}; {_APACHE}",
    "vhost_combined": _APACHE,
    "nginx_json": "in nginx add ${variable} to the JSON log_format, or set 'real_ip_header {header};'",
    "caddy": "in Caddy set 'trusted_proxies' and 'client_ip_headers {header}'; it then logs client_ip",
    "traefik": "in Traefik set 'forwardedHeaders.trustedIPs' and keep {header} in accessLog.fields.headers",
    "haproxy": "in HAProxy set 'http-request set-src req.hdr({header})', or 'capture request header {header} len 45'",
    "aws_alb": _ALB,
    "aws_elb": _ALB,
    "cloudfront": "add the field x-forwarded-for to the log, or scan the log of the proxy before CloudFront",
    "cloudflare": "add ClientIP to the Logpush fields",
    "w3c": "add the header {header} to the log's fields (in IIS: Logging, Select Fields, Add Field)",
}


@dataclass(frozen=True)
class Coverage:
    """What the addresses of a log are worth.

    Parameters
    ----------
    warning : what is wrong and which field to log; None where the addresses are the visitors'.
    refuse_blocklist : whether blocking by these addresses would shut out everybody behind the proxy.
    proxy_share : share of requests from delivery networks and load balancers.
    inside_share : share from private and other addresses of no one on the open internet.
    missing_share : share without an address.
    addresses : distinct addresses.
    operators : names of the proxies' operators with their share of requests, the largest first.
    """

    warning: str | None
    refuse_blocklist: bool
    proxy_share: float
    inside_share: float
    missing_share: float
    addresses: int
    operators: tuple[tuple[str, float], ...] = ()


def judge_coverage(clients: pl.DataFrame, format_id: str, networks: Networks) -> Coverage:
    """Judge whether the client addresses are the visitors' own.

    A shop behind a delivery network that does not log the forwarded address sees a handful of edge addresses.
    Blocking the busiest of them blocks the shop. The rule: more than half of the requests come from delivery
    networks and load balancers, or from private addresses, or carry no address; or there are at least 1,000
    requests and they come from at most 20 addresses; or, where `clients` tells the user agents of each
    address, 3 addresses with at least 20 user agents each send 90 % of them.

    Parameters
    ----------
    clients : one row an address: `client` (text, null where the log has none), `requests`, and where known
        `browser_requests` (those of user agents in a browser's form, which are then counted instead, so that
        busy health checks do not pass for a proxy) and `user_agents` (distinct).
    format_id : id of the log format, for the advice.
    networks : known address ranges.

    >>> clients = pl.DataFrame({"client": ["104.16.0.1", "198.51.100.7"], "requests": [80, 20]})
    >>> coverage = judge_coverage(clients, "combined", Networks.default())
    >>> coverage.refuse_blocklist, coverage.warning[:62]
    (True, '80 % of the requests come from the delivery network Cloudflare')
    """
    if "browser_requests" in clients.columns and int(clients["browser_requests"].sum()) > 0:
        clients = clients.with_columns(requests="browser_requests").filter(pl.col("requests") > 0)
    addresses = parse_addresses(clients["client"])
    known = clients.with_columns(networks.describe(addresses), is_address=pl.Series(addresses.valid))
    total = max(int(known["requests"].sum() or 0), 1)
    proxies = (
        known.filter(pl.col("kind").is_in(_PROXY_KINDS))
        .group_by("name", "kind")
        .agg(pl.col("requests").sum() / total)
        .sort("requests", "name", descending=[True, False])
    )
    proxy_share = float(proxies["requests"].sum() or 0.0)
    inside_share = float(known.filter(pl.col("kind").is_in(_INSIDE_KINDS))["requests"].sum() or 0) / total
    missing_share = float(known.filter(pl.col("client").is_null())["requests"].sum() or 0) / total
    operators = tuple((str(name), float(part)) for name, part in proxies.select("name", "requests").iter_rows())
    warning: str | None = None
    if proxy_share > MOST_FROM_PROXIES:
        first, kind = operators[0][0], proxies["kind"][0]
        what = "delivery network" if kind == "cdn" else "load balancer"
        warning = _word(f"{100 * proxy_share:.0f} % of the requests come from the {what} {first}", first, format_id)
    elif inside_share > MOST_FROM_PROXIES:
        warning = _word(
            f"{100 * inside_share:.0f} % of the requests come from private addresses, a proxy's", "", format_id
        )
    elif missing_share > MOST_FROM_PROXIES:
        warning = _word(f"{100 * missing_share:.0f} % of the requests carry no client address", "", format_id)
    elif name := _misread(known, total):
        shown = printable(name, 60)
        warning = (
            f"the clients of {total:,} requests are no addresses but names such as {shown!r}: another field "
            "may have been taken for the client, and no blocklist is made. Name the fields with --format, as the "
            "server's own configuration does."
        )
    elif crowd := _crowd(clients, total):
        warning = _word(f"{crowd}, as behind a proxy", "", format_id)
    return Coverage(warning, warning is not None, proxy_share, inside_share, missing_share, len(clients), operators)


def describe_cut_agents(agents: pl.Series) -> str | None:
    """What to say where the server cuts user agents short, or None.

    Programs' names end at many lengths, in a version or a bracket; where many end at the greatest length, and in the
    midst of a word, it is a limit. Monitors and crawlers often put their names last, and would be judged as visitors.

    >>> agents = [f"Mozilla/5.0 (X11; Linux {bits}) AppleWebKit" for bits in ("x86_64", "aarch64", "armv7l", "i686")]
    >>> str(describe_cut_agents(pl.Series([agent[:32] for agent in agents])))[:40]
    'user agents are cut at 32 characters: mo'
    """
    distinct = agents.drop_nulls().unique()
    if distinct.is_empty():
        return None
    lengths = distinct.str.len_chars()
    longest = distinct.filter(lengths == lengths.max())
    if len(longest) < max(FEWEST_CUT, CUT_SHARE * len(distinct)):
        return None
    is_open = longest.str.count_matches("(", literal=True) > longest.str.count_matches(")", literal=True)
    if int((is_open | ~longest.str.contains(r"[0-9)]$")).sum()) < CUT_SHARE * len(longest):
        return None
    limit = int(str(lengths.max()))
    return (
        f"user agents are cut at {limit} characters: monitors and crawlers that put their names last are judged as "
        "visitors. Log them whole (in HAProxy 'capture request header User-Agent len 512')"
    )


def _misread(known: pl.DataFrame, total: int) -> str:
    """The commonest client where nearly all requests come from very few names that are no addresses, or nothing."""
    named = known.filter(~pl.col("is_address") & pl.col("client").is_not_null()).sort("requests", descending=True)
    few = total >= FEW_REQUESTS and len(named) <= FEWEST_ADDRESSES
    return str(named["client"][0]) if few and int(named["requests"].sum() or 0) >= FEW_SHARE * total else ""


def _crowd(clients: pl.DataFrame, total: int) -> str:
    """How few addresses nearly all requests come from, in words; nothing where they are enough."""
    if total < FEW_REQUESTS:
        return ""
    if len(clients) <= FEWEST_ADDRESSES:
        return f"{say_count(total, 'request')} come from {say_count(len(clients), 'address', 'addresses')}"
    if "user_agents" not in clients.columns:
        return ""
    # One address with one user agent may be a scraper; many user agents behind it are many people.
    busiest = clients.sort("requests", descending=True).head(3)
    crowded = busiest.filter(pl.col("user_agents") >= FEW_AGENTS)
    share = int(crowded["requests"].sum() or 0) / total
    if share < FEW_SHARE:
        return ""
    return f"{100 * share:.0f} % of the requests come from {say_count(len(crowded), 'address', 'addresses')}"


def _word(finding: str, operator: str, format_id: str) -> str:
    header = _HEADERS.get(operator, "X-Forwarded-For")
    variable = "http_" + header.lower().replace("-", "_")
    default = f"log the header {header} and name the field in --format"
    advice = _ADVICE.get(format_id, default).format(header=header, variable=variable)
    return (
        f"{finding}: visitors behind it cannot be told apart, and no blocklist is made. To log their addresses, "
        f"{advice}. If the log holds a forwarded address already, name the proxy with --trusted-proxy."
    )
