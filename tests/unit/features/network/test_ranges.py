"""Longest prefix, against rereading the whole list for every address."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.errors import UsageError
from floorwalker.features.network import RangeTable, parse_addresses

Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network


@st.composite
def prefixes(draw: st.DrawFn) -> Prefix:
    # A narrow alphabet of addresses, so that prefixes nest and repeat.
    if draw(st.booleans()):
        return ipaddress.ip_network((draw(st.integers(0, 15)) << 28, draw(st.integers(0, 32))), strict=False)
    host = draw(st.integers(0, 15)) << 124 | draw(st.integers(0, 3))
    return ipaddress.IPv6Network((host, draw(st.integers(0, 128))), strict=False)


def slow_find(listed: list[Prefix], address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    best = -1
    for row, prefix in enumerate(listed):
        if (
            prefix.version == address.version
            and address in prefix
            and (best < 0 or prefix.prefixlen >= listed[best].prefixlen)
        ):
            best = row
    return best


@settings(deadline=None)
@given(st.lists(prefixes(), max_size=12), st.lists(st.integers(0, 2**32 - 1), max_size=8))
def test_narrowest_range_wins_for_ipv4(listed: list[Prefix], numbers: list[int]) -> None:
    fours = [prefix for prefix in listed if prefix.version == 4]
    addresses = [ipaddress.IPv4Address(number) for number in numbers]
    addresses += [prefix[0] for prefix in fours] + [prefix[-1] for prefix in fours]
    found = RangeTable.build([str(prefix) for prefix in fours]).find(parse_addresses([str(a) for a in addresses]))
    assert found.tolist() == [slow_find(fours, address) for address in addresses]


@settings(deadline=None)
@given(st.lists(prefixes(), max_size=12))
def test_both_families_share_a_table(listed: list[Prefix]) -> None:
    # ::/0 and the like hold the mapped IPv4 addresses too; a prefix that short is none that anybody lists.
    kept = [prefix for prefix in listed if prefix.version == 4 or prefix.prefixlen >= 4]
    kept = [prefix for prefix in kept if prefix.version == 4 or int(prefix.network_address) >> 124]
    addresses = [prefix[0] for prefix in kept] + [prefix[-1] for prefix in kept]
    found = RangeTable.build([str(prefix) for prefix in kept]).find(parse_addresses([str(a) for a in addresses]))
    assert found.tolist() == [slow_find(kept, address) for address in addresses]


def test_no_range_holds_what_is_no_address() -> None:
    assert RangeTable.build(["::/0"]).find(parse_addresses(["x", "192.0.2.1"])).tolist() == [-1, 0]


def test_an_empty_table_holds_nothing() -> None:
    table = RangeTable.build([])
    assert not table.holds(parse_addresses(["192.0.2.1"])).any()
    assert not table.touches(parse_addresses(["2001:db8::1"])).any()


def test_single_addresses_and_host_bits() -> None:
    table = RangeTable.build(["192.0.2.7", "198.51.100.9/24"])
    assert table.find(parse_addresses(["192.0.2.7", "192.0.2.8", "198.51.100.200"])).tolist() == [0, -1, 1]


def test_a_spared_address_touches_its_whole_64() -> None:
    table = RangeTable.build(["2001:db8:0:1::5", "192.0.2.7"])
    near = parse_addresses(["2001:db8:0:1::9", "2001:db8:0:2::9", "192.0.2.7", "192.0.2.8"])
    assert table.touches(near).tolist() == [True, False, True, False]
    wide = RangeTable.build(["2001:db8::/32"])
    assert wide.touches(near).tolist() == [True, True, False, False]


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        RangeTable.build(
            ["192.0.2.0/24", "192.0.2.0/33", "shop.example", "192.0.2.1:80", "2001:db8::/129", "192.0.2.0/-1"]
        )
    for fault in ("192.0.2.0/33", "shop.example", "192.0.2.1:80", "2001:db8::/129", "192.0.2.0/-1"):
        assert repr(fault) in str(caught.value)
    assert "'192.0.2.0/24'" not in str(caught.value)
