"""Addresses in one form, and forwarding headers that are believed only as far as they may be."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.errors import UsageError
from floorwalker.sources.access_log._addresses import TrustedProxies, canonical_address, client_text
from floorwalker.sources.access_log._scanning import are_plain_ipv4


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7:80 ", "192.0.2.7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ('"[2001:DB8:0:0:0::7]:4711"', "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("0:0:0:0:0:ffff:c000:207", "192.0.2.7"),
        ("unknown", None),
        ("_hidden", None),
        ("", None),
        ("256.1.1.1", None),
        ("192.0.2", None),
        ("1.2.3.4.5", None),
        ("12345", None),
        ("2001:db8::g", None),
        ("192.0.2.7\0", None),
        ("١٩٢.0.2.7", None),
    ],
)
def test_canonical_address(given_text: str, expected: str | None) -> None:
    assert canonical_address(given_text) == expected


@settings(deadline=None)
@given(st.ip_addresses())
def test_canonical_is_idempotent_and_equal(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    written = canonical_address(address.exploded)
    assert written is not None
    assert canonical_address(written) == written
    mapped = getattr(address, "ipv4_mapped", None)
    assert ipaddress.ip_address(written) == (mapped or address)


def test_host_names_stay_names() -> None:
    assert client_text(" Host.Example ") == "host.example"


@settings(deadline=None)
@given(st.lists(st.one_of(st.from_regex(r"\A[0-9.]{0,16}\Z"), st.ip_addresses(v=4).map(str)), max_size=20))
def test_plain_ipv4_agrees_with_the_parser(texts: list[str]) -> None:
    parts = [text.encode() for text in texts]
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    starts = ends - np.array([len(part) for part in parts], np.int64)
    plain = np.empty(len(parts), np.bool_)
    are_plain_ipv4(np.frombuffer(b"".join(parts) + bytes(16), np.uint8), starts, ends, plain)
    for text, found in zip(texts, plain.tolist(), strict=True):
        try:
            expected = str(ipaddress.IPv4Address(text)) == text
        except ValueError:
            expected = False
        assert found == expected, text


WALKS = [
    ("203.0.113.9", "203.0.113.9"),
    ("1.1.1.1, 203.0.113.9, 192.0.2.1", "203.0.113.9"),
    ("203.0.113.9,192.0.2.1 , 192.0.2.2", "203.0.113.9"),
    ("192.0.2.1, 192.0.2.2", "192.0.2.1"),
    ("203.0.113.9:4711, [2001:db8::1]:99", "203.0.113.9"),
    ("unknown, 203.0.113.9", "203.0.113.9"),
    ("203.0.113.9, unknown", None),
    ("203.0.113.9, garbage, 192.0.2.1", "192.0.2.1"),
    ('for=198.51.100.4;proto=https;by=192.0.2.1, for="[2001:db8::1]:80"', "198.51.100.4"),
    ("For=203.0.113.9", "203.0.113.9"),
    ("-", None),
    ("", None),
    (",,", None),
]


@pytest.mark.parametrize(("header", "expected"), WALKS)
def test_walk_from_the_right_past_trusted_hops(header: str, expected: str | None) -> None:
    assert TrustedProxies(["192.0.2.0/24", "2001:db8::/32"]).walk(header) == expected


@settings(deadline=None)
@given(st.ip_addresses(v=4), st.lists(st.ip_addresses().map(str), max_size=5))
def test_what_the_client_wrote_never_reaches_past_an_untrusted_hop(
    client: ipaddress.IPv4Address, forged: list[str]
) -> None:
    proxies = TrustedProxies(["192.0.2.0/24"])
    if str(client) not in proxies:
        assert proxies.walk(", ".join([*forged, str(client), "192.0.2.9"])) == str(client)


def test_malformed_proxies_are_all_named() -> None:
    with pytest.raises(UsageError, match=r"'300\.0\.0\.1', 'x'"):
        TrustedProxies(["300.0.0.1", "192.0.2.0/24", "x"])
    assert not TrustedProxies([])
