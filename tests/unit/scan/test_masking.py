"""Nothing that was masked can be read, and what was apart stays apart."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.errors import UsageError
from floorwalker.scan.export import flatten_visitors, to_json
from floorwalker.scan.masking import Masker, mask_result, new_mask_key
from floorwalker.scan.report import render_report
from floorwalker.scan.result import Cleaned, ScanResult
from floorwalker.testing.scan_results import make_scan_result

KEY = bytes(range(32))
MASKER = Masker(KEY)


@given(st.ip_addresses())
def test_no_address_survives(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    masked = MASKER.address(str(address))
    assert str(address) not in masked
    with pytest.raises(ValueError, match="does not appear"):
        ipaddress.ip_address(masked)
    kept = masked.split("x~")[0]
    if address.version == 4 or address.ipv4_mapped:
        octets = str(address if address.version == 4 else address.ipv4_mapped).split(".")
        assert kept == ".".join(octets[:3]) + "."
    else:
        groups = address.exploded.split(":")
        assert [int(group, 16) for group in kept.strip(":").split(":")] == [int(group, 16) for group in groups[:3]]


@given(st.ip_addresses(), st.sampled_from(["{} - - [x]", "ip={},", "[{}]:443", '"{}"', "for={};proto=https", "a {} b"]))
def test_no_address_survives_inside_a_text(address: ipaddress.IPv4Address | ipaddress.IPv6Address, frame: str) -> None:
    masked = MASKER.text(frame.format(address))
    assert str(address) not in masked
    assert MASKER.address(str(address)) in masked
    assert MASKER.text(masked) == masked


def test_two_visitors_of_one_network_stay_two() -> None:
    masked = {MASKER.address(f"203.0.113.{last}") for last in range(256)}
    assert len(masked) == 256
    assert all(text.startswith("203.0.113.x~") for text in masked)


def test_the_tag_depends_on_the_key() -> None:
    other = Masker(new_mask_key())
    assert MASKER.address("192.0.2.1") == Masker(KEY).address("192.0.2.1")
    assert other.address("192.0.2.1") != MASKER.address("192.0.2.1")
    assert new_mask_key() != new_mask_key()
    assert KEY.hex() not in str(MASKER.address("192.0.2.1"))


@pytest.mark.parametrize("size", [0, 15, 65])
def test_a_short_key_is_refused(size: int) -> None:
    with pytest.raises(UsageError, match="16 to 64 bytes"):
        Masker(bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "10/Nov/2021:12:34:56 +0330",
        "12:34:56",
        "2021-11-11-12",
        "1.2.3.4.5",
        "999.1.1.1",
        "std::vector",
        "/product/{}",
        "monkey=2 keyboard=1",
    ],
)
def test_what_is_no_address_is_left_alone(text: str) -> None:
    assert MASKER.text(text) == text


def test_versions_in_user_agents_are_no_addresses() -> None:
    agent = "Mozilla/5.0 Chrome/9.1.2.3 MIUI/V12.0.5.0"
    assert MASKER.text(agent, versions=True) == agent
    assert "9.1.2.3" not in MASKER.text("GET /Chrome/9.1.2.3")
    assert "192.0.2.4" not in MASKER.text("bot (+http://192.0.2.4/)", versions=True)


def test_dashed_addresses_of_resolved_names_are_masked() -> None:
    assert MASKER.text("ip-203-0-113-9.isp.example").startswith("ip-203-0-113-x~")
    assert "203-0-113-9" not in MASKER.address("ip-203-0-113-9.isp.example")


def test_the_cut_end_of_an_address_is_masked() -> None:
    assert "2001:db8:1:2:ab" not in MASKER.text("GET / 2001:db8:1:2:ab")


def test_session_ids_are_masked_everywhere() -> None:
    masker = Masker(KEY, frozenset({"deadbeef42"}))
    for text in (
        "/cart;jsessionid=deadbeef42",
        "/?PHPSESSID=zzz",
        '{"session": "abc"}',
        "token%3Dabc",
        "x deadbeef42 y",
    ):
        masked = masker.text(text)
        assert not re.search(r"deadbeef42|zzz|abc", masked), masked
    assert "/u/" in masker.text("/u/deadbeef42/x")
    assert "deadbeef42" not in masker.text("/u/deadbeef42/x")


def test_networks_keep_no_more_than_24_and_48_bits() -> None:
    assert MASKER.network("203.0.113.0/24") == "203.0.113.0/24"
    assert MASKER.network("203.0.113.7/32").startswith("203.0.113.0/24~")
    assert MASKER.network("2001:db8:1:2::/64").startswith("2001:db8:1::/48~")
    assert MASKER.network("2001:db8:1:2::/64") != MASKER.network("2001:db8:1:3::/64")
    assert MASKER.network("2001:db8::/32") == "2001:db8::/32"


def _with_secrets() -> tuple[ScanResult, list[str]]:
    result = make_scan_result(np.random.default_rng(5), visitors=120)
    secret = ["192.0.2.200", "2001:db8:9:9::9", "sess-1234567890"]
    visitors = result.visitors.with_columns(
        pl.when(pl.col("visitor") == 0).then(pl.lit(secret[2])).otherwise(pl.col("session")).alias("session"),
        pl.when(pl.col("flagged"))
        .then(pl.concat_list(pl.lit(f"shares {secret[0]} with {secret[1]} in {secret[2]}")))
        .otherwise(pl.col("reasons"))
        .alias("reasons"),
    )
    return (
        dataclasses.replace(
            result,
            visitors=visitors,
            cleaned=[Cleaned("malformed line", 1, "lines", (f"{secret[0]} GET /?sid={secret[2]}",))],
            warnings=[f"most lines come from {secret[1]}"],
            routes=result.routes.with_columns(pl.lit(f"/a?u={secret[0]}").alias("example")),
            machines=result.machines.with_columns(pl.lit(f"resolved to {secret[0]}").alias("evidence")),
            blocklist_refusal=f"all behind {secret[0]}",
            blocklist_allowed=False,
        ),
        secret,
    )


def test_no_output_of_a_masked_result_shows_an_address_or_a_session() -> None:
    result, secret = _with_secrets()
    clients = result.visitors["client"].to_list()
    masked = mask_result(result, KEY)
    outputs = [json.dumps(to_json(masked)), render_report(masked, masked=True), flatten_visitors(masked).write_csv()]
    for output in outputs:
        words = set(re.findall(r"[0-9A-Za-z.:\-]+", output.replace(".0/24", "")))
        assert not words & {*secret, *clients}
    assert masked.visitors.height == result.visitors.height
    assert masked.visitors["client"].n_unique() == len(set(clients))
    assert masked.visitors["score"].equals(result.visitors["score"])


def test_the_original_is_left_as_it_was() -> None:
    result = make_scan_result(np.random.default_rng(5), visitors=20)
    before = result.visitors.clone()
    mask_result(result, KEY)
    assert result.visitors.equals(before)


def test_an_empty_result_can_be_masked() -> None:
    result = make_scan_result(np.random.default_rng(5), visitors=0)
    assert mask_result(result, KEY).visitors.height == 0


def test_masking_twice_is_masking_once() -> None:
    result, _ = _with_secrets()
    once = mask_result(result, KEY)
    twice = mask_result(once, new_mask_key())
    assert twice.visitors.equals(once.visitors)
    assert twice.machines.equals(once.machines)
    assert twice.cleaned == once.cleaned
