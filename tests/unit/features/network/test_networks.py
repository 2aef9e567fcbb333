"""What kind of network an address belongs to, by published lists and by a user's."""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import polars as pl
import pytest

from floorwalker.errors import UsageError
from floorwalker.features.network import KINDS, Networks, load_networks, parse_addresses


def kind(address: str, networks: Networks | None = None) -> str | None:
    found = (networks or Networks.default()).describe(parse_addresses([address]))
    return found["kind"].item()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.20.30.40", "private"),
        ("172.31.255.255", "private"),
        ("fd00::1", "private"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("169.254.1.1", "link_local"),
        ("fe80::1", "link_local"),
        ("100.64.0.1", "carrier_nat"),
        ("192.0.2.1", "documentation"),
        ("2001:db8::1", "documentation"),
        ("0.0.0.0", "reserved"),
        ("255.255.255.255", "reserved"),
        ("239.1.1.1", "reserved"),
        ("104.16.1.1", "cdn"),
        ("151.101.1.1", "cdn"),
        ("13.32.1.1", "cdn"),
        ("23.1.1.1", "cdn"),
        ("35.191.0.1", "load_balancer"),
        ("130.211.1.1", "load_balancer"),
        ("66.249.66.1", "crawler"),
        ("17.58.1.1", "crawler"),
        ("157.55.39.1", "crawler"),
        ("54.36.148.1", "crawler"),
        ("63.143.42.241", "monitor"),
        ("3.80.1.1", "hosting"),
        ("95.216.1.1", "hosting"),
        ("174.200.1.1", "carrier"),
        ("172.225.1.1", "relay"),
        ("172.15.255.255", None),
        ("172.32.0.0", "carrier"),
        ("11.0.0.1", None),
    ],
)
def test_published_kinds(address: str, expected: str | None) -> None:
    assert kind(address) == expected


def test_only_declared_kinds_occur() -> None:
    assert set(Networks.default().kinds) == set(KINDS) - {"own"}


def test_no_listed_range_is_wider_than_any_operator_holds() -> None:
    for name, prefix in zip(Networks.default().names, Networks.default().prefixes, strict=True):
        length = int(prefix.partition("/")[2] or 32)
        assert length >= (4 if name in ("reserved", "IPv6") else 7), (name, prefix)


def test_special_addresses_cannot_be_listed_as_public() -> None:
    table = Networks.default().of_kinds("private", "loopback")
    assert table.holds(parse_addresses(["10.0.0.1", "127.0.0.9", "192.0.2.1"])).tolist() == [True, True, False]


def test_a_users_csv_goes_above_the_published_lists(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "label,cidr\n# our partners\ncarrier:Example Mobile,198.51.100.0/24\ncdn,3.80.0.0/12\namazon,203.0.113.9\n\n"
    )
    networks = load_networks([path])
    assert kind("198.51.100.3", networks) == "carrier"
    assert kind("3.80.1.1", networks) == "cdn"
    assert kind("203.0.113.9", networks) == "hosting"
    described = networks.describe(parse_addresses(["198.51.100.3", "3.80.1.1"]))
    assert described["name"].to_list() == ["Example Mobile", "your cdn"]
    assert kind("198.51.100.3") == "documentation"


def test_operators_json_is_read(tmp_path: Path) -> None:
    path = tmp_path / "googlebot.json"
    path.write_text(
        '{"creationTime": "2024", "prefixes": [{"ipv4Prefix": "203.0.113.0/27"}, {"ipv6Prefix": "2001:db8::/64"}]}'
    )
    described = load_networks([path]).describe(parse_addresses(["203.0.113.4", "2001:db8::7"]))
    assert described.select("kind", "name").rows() == [("crawler", "Google"), ("crawler", "Google")]


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)])
def test_packed_files(tmp_path: Path, suffix: str, pack: object) -> None:
    path = tmp_path / f"ranges.csv{suffix}"
    path.write_bytes(pack(b"own,203.0.113.0/24\n"))  # type: ignore[operator]
    assert kind("203.0.113.1", load_networks([path])) == "own"


def test_every_fault_of_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("carrier,203.0.113.0/24\nnonsense,203.0.113.0/24\ncdn\ncdn,203.0.113.0/99\n")
    with pytest.raises(UsageError) as caught:
        load_networks([path])
    message = str(caught.value)
    for part in ("line 2: unknown label 'nonsense'", "line 3", "line 4: '203.0.113.0/99'"):
        assert part in message
    assert "line 1" not in message


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"{", b'{"prefixes": 3}', b'{"prefixes": [{"ipv4Prefix": 4}]}', b"{}"],
)
def test_unusable_files_are_wrong_use(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ranges.json"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        load_networks([path])


def test_a_missing_or_broken_archive_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_networks([tmp_path / "none.csv"])
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"own,203.0.113.0/24\n" * 50)[:30])
    with pytest.raises(UsageError, match="cannot be read"):
        load_networks([broken])


@pytest.mark.data
def test_a_public_table_of_providers_agrees_with_ours() -> None:
    folder = os.environ.get("FLOORWALKER_DATA")
    path = Path(folder or "-") / "ip_and_bot_lists" / "provider_ipv4.csv.gz"
    if not path.exists():
        pytest.skip("FLOORWALKER_DATA does not name the folder of public data sets")
    theirs = load_networks([path])
    assert len(theirs.prefixes) > 15_000
    rows = pl.read_csv(path).filter(pl.col("provider") == "cloudflare", ~pl.col("cidr").str.contains(":"))
    first = parse_addresses(rows["cidr"].str.split("/").list.first())
    described = Networks.default().describe(first)
    # Inside Cloudflare's blocks lies the egress of a relay, which is no edge address.
    assert set(described["kind"].to_list()) <= {"cdn", "relay"}
