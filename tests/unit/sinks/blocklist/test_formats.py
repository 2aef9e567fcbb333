"""Every format of blocklist: what it writes, and that no evidence breaks out of it."""

import ipaddress
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.errors import UsageError
from floorwalker.sinks.blocklist import BlockEntry, comment_text, list_formats, write_entries

NOW = datetime(2024, 7, 2, 22, 0, tzinfo=UTC)
DIRECTIVES = {
    "nginx": re.compile(r"deny [0-9a-f.:]+(/64)?;|#[ -~]*"),
    "apache": re.compile(
        r"</?RequireAll>|    Require all granted|    Require not ip [0-9a-f.:]+(/64)?| *#[ -~]*[^\\\n]?"
    ),
    "plain": re.compile(r"[0-9a-f.:]+(/64)?"),
}


def entry(network: str = "203.0.113.9", evidence: str = "claims to be Googlebot", code: str = "impostor") -> BlockEntry:
    return BlockEntry(network, "proven", evidence, code, NOW + timedelta(hours=24))


ENTRIES = [entry(), entry("2001:db8:1:2::/64", "4,000 pages at night", "cadence.steady")]


def test_nginx_denies() -> None:
    text = write_entries(ENTRIES, "nginx", made_at=NOW)
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        "deny 203.0.113.9;",
        "deny 2001:db8:1:2::/64;",
    ]
    assert "# proven, until 2024-07-03T22:00:00+00:00, impostor: claims to be Googlebot\ndeny 203.0.113.9;" in text


def test_apache_grants_all_but_the_entries() -> None:
    lines = [
        line for line in write_entries(ENTRIES, "apache", made_at=NOW).splitlines() if not line.lstrip().startswith("#")
    ]
    assert lines == [
        "<RequireAll>",
        "    Require all granted",
        "    Require not ip 203.0.113.9",
        "    Require not ip 2001:db8:1:2::/64",
        "</RequireAll>",
    ]


def test_plain_is_addresses_alone() -> None:
    assert write_entries(ENTRIES, "plain", made_at=NOW) == "203.0.113.9\n2001:db8:1:2::/64\n"


def test_crowdsec_decisions() -> None:
    first, second = json.loads(write_entries(ENTRIES, "crowdsec", made_at=NOW))
    assert first == {
        "duration": "1440m",
        "reason": "floorwalker/impostor: claims to be Googlebot",
        "scope": "ip",
        "type": "ban",
        "value": "203.0.113.9",
    }
    assert (second["scope"], second["value"]) == ("range", "2001:db8:1:2::/64")


def test_crowdsec_decisions_that_are_about_to_expire_last_a_minute() -> None:
    (decision,) = json.loads(write_entries([entry()], "crowdsec", made_at=NOW + timedelta(hours=30)))
    assert decision["duration"] == "1m"


@pytest.mark.parametrize("format_id", list_formats())
@pytest.mark.parametrize(
    "network", ["0.0.0.0/0; allow all", "shop.example", "203.0.113.9;", "203.0.113.9\n", "", "203.0.113.9/24"]
)
def test_what_is_no_network_is_never_written(format_id: str, network: str) -> None:
    with pytest.raises(UsageError, match="no address or network"):
        write_entries([entry(network)], format_id, made_at=NOW)


@pytest.mark.parametrize("format_id", list_formats())
def test_networks_are_written_in_their_one_form(format_id: str) -> None:
    text = write_entries([entry("2001:0DB8:0:0::/64")], format_id, made_at=NOW)
    assert "2001:db8::/64" in text
    assert "0DB8" not in text


HOSTILE = [
    "a\ndeny all;",
    "a\r}\rlocation / { return 200; }",
    "a\\",
    "a\x0b\x0c\x1c\x85\u2028\u2029allow all;",
    "</RequireAll>\n<RequireAll>",
    '"; drop `rm -rf`',
    "${jndi:ldap://x}",
    "\x00\x1b[31m",
]


@pytest.mark.parametrize("format_id", sorted(DIRECTIVES))
@pytest.mark.parametrize("evidence", HOSTILE)
def test_hostile_evidence_stays_in_its_comment(format_id: str, evidence: str) -> None:
    text = write_entries([entry(evidence=evidence, code=evidence)], format_id, made_at=NOW)
    for line in text.split("\n")[:-1]:
        assert DIRECTIVES[format_id].fullmatch(line), line
        assert not line.endswith("\\")


@given(st.text(max_size=400))
def test_any_evidence_stays_in_its_comment(evidence: str) -> None:
    for format_id, shape in DIRECTIVES.items():
        text = write_entries([entry(evidence=evidence)], format_id, made_at=NOW)
        assert all(shape.fullmatch(line) for line in text.split("\n")[:-1])
        assert len(text.split("\n")) == {"nginx": 5, "apache": 8, "plain": 2}[format_id]
    assert len(json.loads(write_entries([entry(evidence=evidence)], "crowdsec", made_at=NOW))) == 1


def test_long_evidence_is_cut() -> None:
    assert len(comment_text("x" * 5000)) < 300


def test_an_unknown_format_names_those_that_exist() -> None:
    with pytest.raises(UsageError, match="apache, crowdsec, nginx, plain"):
        write_entries([], "iptables", made_at=NOW)


@given(st.ip_addresses(v=4))
def test_every_address_round_trips(address: ipaddress.IPv4Address) -> None:
    assert write_entries([entry(str(address))], "plain", made_at=NOW) == f"{address}\n"


def test_one_entry_is_not_several() -> None:
    assert "1 entry\n" in write_entries([entry()], "nginx", made_at=NOW)
    assert "2 entries\n" in write_entries(ENTRIES, "nginx", made_at=NOW)
