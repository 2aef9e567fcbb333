"""Operators whose crawlers can be told from impostors: where they can be, and how they name their
addresses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from floorwalker.features.network import UNROUTABLE, Addresses, RangeTable


@dataclass(frozen=True)
class Operator:
    """Whose claims can be refuted.

    Parameters
    ----------
    name : as `Networks` writes it.
    suffixes : endings of the host names that its crawlers' addresses resolve to, as it documents them.
    home : everything that it owns or rents out, as wide as it is known: a claim from inside is never refuted,
        since lists of crawlers change and old ones are lost. Empty where a claim can be confirmed only.
    families : IP versions for which `home` is complete.
    """

    name: str
    suffixes: tuple[str, ...]
    home: str = ""
    families: tuple[int, ...] = (4,)


OPERATORS = (
    # gstatic.com/ipranges/goog.json; developers.google.com, Verifying Googlebot
    Operator(
        "Google",
        ("googlebot.com", "google.com", "googleusercontent.com"),
        "8.8.4.0/24 8.8.8.0/24 8.34.208.0/20 8.35.192.0/20 8.228.0.0/14 8.232.0.0/14 8.236.0.0/15 "
        "23.236.48.0/20 23.251.128.0/19 34.0.0.0/9 34.128.0.0/10 35.184.0.0/13 35.192.0.0/11 35.224.0.0/11 "
        "64.15.112.0/20 64.233.160.0/19 66.22.228.0/22 66.102.0.0/20 66.249.64.0/19 70.32.128.0/19 "
        "72.14.192.0/18 74.114.24.0/21 74.125.0.0/16 104.132.0.0/14 104.154.0.0/15 104.196.0.0/14 "
        "104.237.160.0/19 107.167.160.0/19 107.178.192.0/18 107.188.128.0/17 108.59.80.0/20 "
        "108.170.192.0/18 108.177.0.0/17 113.197.104.0/22 130.211.0.0/16 136.22.0.0/15 136.64.0.0/10 "
        "142.250.0.0/15 146.148.0.0/17 152.65.192.0/18 162.120.128.0/17 162.216.148.0/22 162.222.176.0/21 "
        "172.110.32.0/21 172.217.0.0/16 172.253.0.0/16 173.194.0.0/16 173.255.112.0/20 192.104.160.0/23 "
        "192.158.28.0/22 192.178.0.0/15 193.186.4.0/24 199.36.152.0/21 199.192.112.0/22 199.223.232.0/21 "
        "203.208.32.0/19 207.175.0.0/16 207.223.160.0/20 208.65.152.0/22 208.68.108.0/22 208.81.188.0/22 "
        "208.117.224.0/19 209.85.128.0/17 216.58.192.0/19 216.73.80.0/20 216.239.32.0/19 216.252.220.0/22 "
        "2001:4860::/32 2404:6800::/32 2404:f340::/32 2600:1900::/28 2605:ef80::/32 2607:f8b0::/32 "
        "2620:11a:a000::/40 2620:120:e000::/40 2800:3f0::/32 2a00:1450::/32 2c0f:fb50::/32",
        (4, 6),
    ),
    # bing.com, Verify Bingbot; AS8075 and the allocations announced by it; Azure is added from the hosting
    # table
    Operator(
        "Microsoft",
        ("search.msn.com",),
        "1.186.0.0/16 13.96.0.0/13 13.116.0.0/14 13.123.0.0/16 42.159.0.0/16 50.20.0.0/15 51.1.0.0/16 "
        "54.15.0.0/16 54.18.0.0/16 54.27.0.0/16 54.29.0.0/16 54.104.0.0/16 54.119.0.0/16 54.128.0.0/13 "
        "54.139.0.0/16 64.207.0.0/16 64.238.0.0/16 66.119.144.0/20 66.180.0.0/16 68.18.0.0/15 69.15.0.0/16 "
        "69.93.0.0/16 69.198.0.0/15 72.16.0.0/16 72.54.0.0/16 74.7.0.0/16 74.123.176.0/22 82.87.0.0/16 "
        "82.171.0.0/16 84.81.0.0/16 84.222.0.0/15 85.210.0.0/15 85.212.0.0/16 86.91.0.0/16 91.190.216.0/21 "
        "103.9.8.0/22 103.25.156.0/22 103.36.96.0/22 103.255.140.0/22 109.246.0.0/16 122.149.0.0/16 "
        "124.252.0.0/16 129.75.0.0/16 129.135.0.0/16 134.177.0.0/16 135.18.0.0/16 135.93.0.0/16 "
        "135.185.0.0/16 137.162.0.0/16 139.188.0.0/16 143.209.0.0/16 143.226.0.0/16 143.241.0.0/16 "
        "146.147.0.0/16 147.214.0.0/16 148.53.0.0/16 149.1.0.0/16 149.175.0.0/16 149.198.0.0/16 "
        "149.204.0.0/16 150.206.0.0/16 150.212.0.0/16 150.242.48.0/22 151.98.0.0/16 151.129.0.0/16 "
        "152.138.0.0/16 152.148.0.0/16 155.62.0.0/16 156.23.0.0/16 157.0.0.0/8 158.24.0.0/16 158.53.0.0/16 "
        "160.4.0.0/16 160.207.0.0/16 160.234.0.0/16 161.66.0.0/16 161.157.0.0/16 163.57.0.0/16 "
        "163.228.0.0/16 165.15.0.0/16 165.17.0.0/16 167.162.0.0/16 167.186.0.0/16 167.220.0.0/16 "
        "167.231.0.0/16 169.138.0.0/16 170.165.0.0/16 173.200.0.0/16 174.132.0.0/16 192.32.0.0/16 "
        "192.48.225.0/24 192.84.159.0/24 192.84.160.0/23 192.133.61.0/24 192.135.86.0/23 192.135.88.0/24 "
        "192.146.133.0/24 192.153.251.0/24 192.197.157.0/24 192.237.67.0/24 193.221.113.0/24 194.69.0.0/16 "
        "194.110.197.0/24 194.238.0.0/16 195.134.0.0/16 198.71.64.0/20 198.105.232.0/22 198.137.97.0/24 "
        "198.200.130.0/24 198.206.164.0/24 199.4.159.0/24 199.50.0.0/16 199.60.28.0/24 199.74.210.0/24 "
        "199.103.0.0/16 199.118.0.0/16 199.242.32.0/19 204.13.120.0/21 204.14.180.0/22 204.79.0.0/16 "
        "204.152.0.0/16 204.231.0.0/16 205.174.224.0/20 206.138.0.0/16 206.191.0.0/16 207.103.0.0/16 "
        "208.68.136.0/21 208.76.44.0/22 208.84.0.0/21 208.92.176.0/22 208.94.120.0/21 209.240.0.0/16 "
        "212.132.0.0/16 212.173.0.0/16 212.207.0.0/16 213.54.0.0/16 216.32.180.0/22 217.176.0.0/15 "
        "4.128.0.0/9 9.128.0.0/9 13.64.0.0/11 13.104.0.0/14 13.240.0.0/13 20.0.0.0/8 23.96.0.0/13 "
        "31.80.0.0/13 40.0.0.0/8 48.128.0.0/9 50.85.0.0/16 51.4.0.0/14 51.8.0.0/14 51.12.0.0/14 "
        "51.16.0.0/14 51.40.0.0/14 51.48.0.0/13 51.56.0.0/14 51.60.0.0/14 51.100.0.0/14 51.104.0.0/14 "
        "51.108.0.0/14 51.112.0.0/13 51.120.0.0/13 51.128.0.0/12 51.144.0.0/15 52.96.0.0/11 52.128.0.0/10 "
        "52.224.0.0/11 57.0.0.0/10 57.148.0.0/14 57.152.0.0/13 57.160.0.0/11 57.192.0.0/10 62.10.0.0/15 "
        "64.4.0.0/18 64.236.0.0/16 65.52.0.0/14 68.154.0.0/15 68.208.0.0/12 68.240.0.0/13 70.37.0.0/16 "
        "70.152.0.0/13 72.144.0.0/12 74.144.0.0/12 74.160.0.0/11 74.224.0.0/11 94.245.64.0/18 98.64.0.0/13 "
        "102.37.0.0/16 102.133.0.0/16 104.40.0.0/13 104.146.0.0/15 104.208.0.0/13 107.32.0.0/11 "
        "108.140.0.0/14 111.221.0.0/16 128.24.0.0/16 128.85.0.0/16 128.94.0.0/16 128.203.0.0/16 "
        "128.251.0.0/16 130.33.0.0/16 130.107.0.0/16 130.131.0.0/16 130.213.0.0/16 131.107.0.0/16 "
        "131.145.0.0/16 131.163.0.0/16 131.189.0.0/16 131.253.0.0/16 132.164.0.0/16 132.196.0.0/16 "
        "132.220.0.0/16 132.245.0.0/16 134.33.0.0/16 134.112.0.0/16 134.138.0.0/16 134.149.0.0/16 "
        "134.170.0.0/16 135.0.0.0/12 135.84.0.0/14 135.88.0.0/16 135.108.0.0/14 135.112.0.0/13 "
        "135.120.0.0/13 135.128.0.0/12 135.149.0.0/16 135.168.0.0/13 135.180.0.0/13 135.216.0.0/13 "
        "135.224.0.0/11 137.116.0.0/14 137.135.0.0/16 138.91.0.0/16 138.105.0.0/16 138.120.0.0/16 "
        "138.196.0.0/14 138.200.0.0/14 138.213.0.0/16 138.239.0.0/16 138.242.0.0/16 139.217.0.0/16 "
        "139.219.0.0/16 141.251.0.0/16 143.64.0.0/16 145.128.0.0/13 145.176.0.0/12 147.145.0.0/16 "
        "147.243.0.0/16 148.7.0.0/16 150.171.0.0/16 151.206.0.0/16 157.31.0.0/16 157.54.0.0/15 "
        "157.56.0.0/14 157.60.0.0/16 158.23.0.0/16 158.158.0.0/16 159.27.0.0/16 159.128.0.0/16 "
        "161.220.0.0/15 167.105.0.0/16 168.61.0.0/16 168.62.0.0/15 172.128.0.0/9 191.232.0.0/13 "
        "193.149.64.0/19 198.180.96.0/20 199.30.16.0/20 199.103.90.0/23 202.89.224.0/20 204.79.135.0/24 "
        "204.79.179.0/24 207.46.0.0/16 207.68.128.0/18 209.199.0.0/16 213.199.128.0/18 216.220.208.0/20",
    ),
    # support.apple.com, About Applebot
    Operator("Apple", ("applebot.apple.com",), "17.0.0.0/8"),
    # Documented by host name, without a complete list of addresses: a claim can be confirmed, by a look-up
    # refuted.
    Operator("Yandex", ("yandex.ru", "yandex.net", "yandex.com")),
    Operator("Baidu", ("baidu.com", "baidu.jp")),
    Operator("Seznam", ("seznam.cz",)),
    Operator("Yahoo", ("yahoo.net", "yahoo.com")),
    Operator("Naver", ("naver.com",)),
    Operator("Huawei", ("petalsearch.com", "aspiegel.com")),
    Operator("Mail.Ru", ("mail.ru",)),
    Operator("Sogou", ("sogou.com",)),
    Operator("Amazon", ("amazonbot.amazon", "amazon.com")),
    Operator("Ahrefs", ("ahrefs.com", "ahrefs.net")),
    Operator("Semrush", ("semrush.com",)),
    Operator("Qwant", ("qwant.com",)),
    Operator("Pinterest", ("pinterest.com",)),
)


# Behind these stands somebody else, or nobody on the open internet.
_TELL_NOTHING = (
    *(kind for kind in UNROUTABLE if kind != "documentation"),
    "cdn",
    "load_balancer",
    "own",
    "crawler",
    "monitor",
)


@cache
def _homes() -> dict[str, RangeTable]:
    return {operator.name: RangeTable.build(operator.home.split()) for operator in OPERATORS if operator.home}


def refutes(addresses: Addresses, claimed: pl.Series, kinds: pl.Series) -> pl.Series:
    """Whether each address can be nobody of the operator that its visitor claims to be.

    Parameters
    ----------
    addresses : of the visitors.
    claimed : operator that each claims.
    kinds : kind of each address's network, null for the open internet. An address of a proxy or of no one on
        the open internet says nothing about who stands behind it.
    """
    told = ~kinds.fill_null("").is_in(_TELL_NOTHING)
    refuted = pl.Series(np.zeros(len(claimed), np.bool_))
    for operator in OPERATORS:
        if operator.home:
            covered = pl.Series(addresses.family).is_in(list(operator.families))
            refuted = refuted | ((claimed == operator.name) & told & covered)
    return refuted & ~at_home(addresses, claimed)


def at_home(addresses: Addresses, claimed: pl.Series) -> pl.Series:
    """Whether each address lies in anything that the claimed operator owns; false for operators whose
    holdings are not known."""
    found = pl.Series(np.zeros(len(claimed), np.bool_))
    for operator in OPERATORS:
        if operator.home:
            found = found | ((claimed == operator.name) & pl.Series(_homes()[operator.name].holds(addresses)))
    return found


def is_refutable(claimed: pl.Series) -> pl.Series:
    """Whether a claim to be of this operator can be refuted by the address alone."""
    return claimed.is_in([operator.name for operator in OPERATORS if operator.home])


def suffixes_of(operator: str) -> tuple[str, ...]:
    """Host names that an operator documents for its crawlers."""
    return next((known.suffixes for known in OPERATORS if known.name == operator), ())
