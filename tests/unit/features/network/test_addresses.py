"""Addresses as numbers, against the standard library."""

import ipaddress

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.features.network import (
    blocking_units,
    network_key,
    network_keys,
    networks_of,
    parse_addresses,
    parse_arena,
)


def number(text: str) -> int | None:
    """The address as one number with IPv4 mapped into IPv6, or None, by the standard library."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return int(address) + (0xFFFF << 32 if address.version == 4 else 0)


def parsed(text: str) -> int | None:
    found = parse_addresses([text])
    return int(found.high[0]) << 64 | int(found.low[0]) if found.valid[0] else None


@settings(deadline=None)
@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_every_written_address_is_read(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    for text in {str(address), address.exploded, str(address).upper()}:
        assert parsed(text) == number(str(address))


@settings(deadline=None)
@given(st.text(alphabet="0123456789abcdefF:.", max_size=45))
def test_what_the_standard_library_refuses_is_refused(text: str) -> None:
    if text.count(":") == 1:
        return  # an IPv4 address with a port, which only we accept
    assert parsed(text) == number(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1:8080", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
    ],
)
def test_forms_of_forwarding_headers(text: str, address: str) -> None:
    assert parsed(text) == number(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "unknown",
        "shop.example",
        "192.0.2.1:",
        "192.0.2.1:80x",
        "[2001:db8::1",
        "[2001:db8::1]x",
        "1.2.3.04",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.400",
        " 1.2.3.4",
        "::1%",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "::ffff:1.2.3",
        "12345::",
        "192.0.2.1\n",
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert parsed(text) is None


def test_empty_input_and_nulls() -> None:
    assert len(parse_addresses([])) == 0
    assert networks_of(parse_addresses([])).to_list() == []
    assert parse_addresses(pl.Series([None, "192.0.2.1"], dtype=pl.String)).family.tolist() == [0, 4]


def test_arena_of_a_string_table_is_read_in_place() -> None:
    arena = np.frombuffer(b"192.0.2.12001:db8::1junk", np.uint8)
    found = parse_arena(arena, np.array([0, 9, 20, 24], np.int64))
    assert found.family.tolist() == [4, 6, 0]


@settings(deadline=None)
@given(st.lists(st.ip_addresses(v=4) | st.ip_addresses(v=6), max_size=20))
def test_networks_are_the_24_and_the_64(addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> None:
    expected = []
    for address in addresses:
        mapped = getattr(address, "ipv4_mapped", None)
        plain = mapped or address
        expected.append(str(ipaddress.ip_network(f"{plain}/{24 if plain.version == 4 else 64}", strict=False)))
    assert network_keys([str(address) for address in addresses]).to_list() == expected


def test_one_network() -> None:
    assert network_key("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert network_key("nobody") is None


def test_blocking_unit_is_the_address_or_the_64() -> None:
    units = blocking_units(parse_addresses(["192.0.2.200:99", "2001:db8::9", "x"]))
    assert units.to_list() == ["192.0.2.200", "2001:db8::/64", None]
