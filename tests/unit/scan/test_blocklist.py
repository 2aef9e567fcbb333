"""What may be blocked, and above all what never may."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.errors import InputError, UsageError
from floorwalker.features.network import Networks, parse_addresses
from floorwalker.scan.blocklist import SPARED_KINDS, Blocklist, build_blocklist, format_blocklist
from floorwalker.scan.result import ScanResult, SourceFacts
from floorwalker.sinks.blocklist import list_formats

NOW = datetime(2024, 7, 2, 22, 0, tzinfo=UTC)
# Addresses that could be blocked at all must be public ones, so those of documentation cannot serve here.
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/115.0"


def visitor(client: str | None, tier: str | None = "proven", **columns: Any) -> dict[str, Any]:
    usual = {
        "visitor": 0,
        "client": client,
        "user_agent": BROWSER,
        "flagged": tier is not None,
        "tier": tier,
        "pattern": "impostor" if tier else None,
        "rank": 0.9,
        "checkouts": 0,
        "reasons": ["claims to be Googlebot"] if tier else [],
    }
    return {**usual, **columns}


def result(rows: list[dict[str, Any]], machines: list[tuple[str, bool]] = (), **columns: Any) -> ScanResult:  # type: ignore[assignment]
    numbered = [{**row, "visitor": row["visitor"] or position + 1} for position, row in enumerate(rows)]
    schema = {
        "visitor": pl.Int32,
        "client": pl.String,
        "user_agent": pl.String,
        "flagged": pl.Boolean,
        "tier": pl.String,
        "pattern": pl.String,
        "rank": pl.Float32,
        "checkouts": pl.Int32,
        "reasons": pl.List(pl.String),
    }
    empty = pl.DataFrame()
    return ScanResult(
        source=SourceFacts((), "combined", "", 0, 0, 0, None, None),
        cleaned=[],
        warnings=[],
        visitors=pl.DataFrame(numbered, schema=schema),
        swarms=empty,
        machines=pl.DataFrame(machines, schema={"client": pl.String, "impostor": pl.Boolean}, orient="row"),
        routes=empty,
        days=empty,
        medians={},
        features=[],
        feature_units={},
        detector="isolation_forest",
        threshold=0.6,
        budget=0.001,
        judged_days=(date(2024, 7, 2),),
        **columns,
    )


def build(rows: list[dict[str, Any]], **options: Any) -> Blocklist:
    machines = options.pop("machines", [])
    return build_blocklist(result(rows, machines), networks=Networks.default(), now=NOW, **options)


def networks(blocklist: Blocklist) -> list[str]:
    return [entry.network for entry in blocklist.entries]


def test_the_first_two_tiers_are_blocked_with_evidence_and_expiry() -> None:
    rows = [
        visitor("94.1.2.3", "strong pattern", rank=0.5),
        visitor("8.209.1.1"),
        visitor("94.1.2.9", "only unusual"),
        visitor("94.1.2.10", None),
    ]
    blocklist = build(rows, lifetime_hours=6)
    assert networks(blocklist) == ["8.209.1.1", "94.1.2.3"]
    entry = blocklist.entries[0]
    assert (entry.tier, entry.reason_code, entry.evidence) == ("proven", "impostor", "claims to be Googlebot")
    assert entry.expires_at == NOW + timedelta(hours=6)
    assert blocklist.withheld == {}
    assert (
        blocklist.would_have_hit.visitors,
        blocklist.would_have_hit.unflagged,
        blocklist.would_have_hit.checkouts,
    ) == (2, 0, 0)
    assert "2 addresses to block" in blocklist.summary()[0]


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        ("10.1.2.3", "private or reserved address"),
        ("127.0.0.1", "private or reserved address"),
        ("fe80::1", "private or reserved address"),
        ("192.0.2.7", "private or reserved address"),
        ("0.0.0.0", "private or reserved address"),
        ("224.0.0.9", "private or reserved address"),
        ("100.64.9.9", "carrier network"),
        ("174.200.1.1", "carrier network"),
        ("5.115.1.1", "carrier network"),
        ("172.225.1.1", "privacy relay that many people share"),
        ("104.16.1.1", "delivery network or load balancer"),
        ("2606:4700::1", "delivery network or load balancer"),
        ("130.211.1.1", "delivery network or load balancer"),
        ("66.249.66.1", "crawler's published range"),
        ("2001:4860:4801:10::1", "crawler's published range"),
        ("63.143.42.241", "monitor's published range"),
        ("shop.example", "no address"),
        (None, "no address"),
    ],
)
def test_spared_networks(client: str | None, reason: str) -> None:
    blocklist = build([visitor(client)])
    assert networks(blocklist) == []
    assert blocklist.withheld == {reason: 1}
    assert f"withheld: 1 ({reason})" in blocklist.summary()


def test_own_addresses_and_proxies_are_spared() -> None:
    rows = [visitor("94.1.2.3"), visitor("94.5.6.7"), visitor("2a01:4f8:1:2::9"), visitor("95.216.1.1")]
    blocklist = build(rows, own_addresses=("94.1.2.0/24", "2a01:4f8:1:2::1"), trusted_proxies=("94.5.6.7",))
    assert networks(blocklist) == ["95.216.1.1"]
    assert blocklist.withheld == {"the shop's own address or a trusted proxy": 3}


def test_whoever_shares_the_address_protects_it() -> None:
    shared = [visitor("94.1.2.3"), visitor("94.1.2.3", None)]
    assert build(shared).withheld == {"shared with visitors who are not flagged": 1}
    weak = [visitor("94.1.2.3"), visitor("94.1.2.3", "only unusual")]
    assert build(weak).withheld == {"shared with visitors who are not flagged": 1}
    both = [visitor("94.1.2.3"), visitor("94.1.2.3", "strong pattern", rank=0.95)]
    blocklist = build(both)
    assert [(entry.network, entry.tier) for entry in blocklist.entries] == [("94.1.2.3", "proven")]
    assert blocklist.would_have_hit.visitors == 2


def test_another_day_of_the_same_visitor_does_not_protect_it() -> None:
    days = [visitor("94.1.2.3", visitor=7), visitor("94.1.2.3", None, visitor=7)]
    assert networks(build(days)) == ["94.1.2.3"]


def test_a_checkout_protects_the_address_whoever_made_it() -> None:
    assert build([visitor("94.1.2.3", checkouts=1)]).withheld == {"completed a checkout": 1}
    other_day = [visitor("94.1.2.3", visitor=7), visitor("94.1.2.3", None, visitor=7, checkouts=1)]
    assert build(other_day).withheld == {"completed a checkout": 1}


def test_machines_set_apart_protect_the_address_and_impostors_do_not() -> None:
    rows = [visitor("94.1.2.3"), visitor("94.1.2.4")]
    blocklist = build(rows, machines=[("94.1.2.3", False), ("94.1.2.4", True)])
    assert networks(blocklist) == ["94.1.2.4"]
    assert blocklist.withheld == {"shared with a machine that was set apart": 1}


def test_ipv6_is_blocked_by_64_and_all_of_it_must_be_guilty() -> None:
    guilty = [visitor("2a02:8388:1:2::1"), visitor("2a02:8388:1:2:ffff::9", "strong pattern")]
    assert networks(build(guilty)) == ["2a02:8388:1:2::/64"]
    for innocent in (visitor("2a02:8388:1:2:aaaa::1", None), visitor("2a02:8388:1:2:aaaa::1", checkouts=2)):
        assert networks(build([*guilty, innocent])) == []
    assert networks(build(guilty, machines=[("2a02:8388:1:2::77", False)])) == []
    assert networks(build([*guilty, visitor("2a02:8388:1:3::1", None)])) == ["2a02:8388:1:2::/64"]


def test_a_port_or_a_mapped_form_is_the_same_address() -> None:
    rows = [visitor("94.1.2.3"), visitor("::ffff:94.1.2.3", None)]
    assert build(rows).withheld == {"shared with visitors who are not flagged": 1}


def test_sparse_visitors_protect_the_address_too() -> None:
    others = pl.DataFrame(
        {"visitor": [90, 91, 1], "client": ["94.1.2.3", "94.1.2.4", "94.1.2.5"], "checkouts": [0, 2, 0]}
    )
    rows = [visitor("94.1.2.5"), visitor("94.1.2.3"), visitor("94.1.2.4")]
    blocklist = build(rows, others=others)
    assert networks(blocklist) == ["94.1.2.5"]
    assert blocklist.withheld == {"completed a checkout": 1, "shared with visitors who are not flagged": 1}


def test_what_may_be_a_real_crawler_is_shown_but_not_blocked() -> None:
    claim = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    assert build([visitor("34.100.1.1", "strong pattern", user_agent=claim)]).withheld == {"may be a real crawler": 1}
    assert networks(build([visitor("94.1.2.3", "proven", user_agent=claim)])) == ["94.1.2.3"]


def test_a_log_behind_a_proxy_gives_no_blocklist() -> None:
    refused = result([visitor("94.1.2.3")], blocklist_allowed=False, blocklist_refusal="all lines come from Cloudflare")
    with pytest.raises(InputError, match="all lines come from Cloudflare") as caught:
        build_blocklist(refused, networks=Networks.default(), now=NOW)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("options", [{"lifetime_hours": 0.0}, {"now": datetime(2024, 7, 2)}])  # noqa: DTZ001
def test_wrong_use(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        build_blocklist(result([]), **{"networks": Networks.default(), "now": NOW, **options})


@pytest.mark.parametrize("kind", list_formats())
def test_nothing_to_block_is_a_valid_result(kind: str) -> None:
    blocklist = build([])
    assert blocklist.entries == ()
    assert blocklist.would_have_hit.visitors == 0
    assert "94." not in format_blocklist(blocklist, kind)


ADDRESSES = st.sampled_from(
    [
        "94.1.2.3",
        "94.1.2.4",
        "95.216.1.2",
        "10.0.0.1",
        "104.16.1.1",
        "174.200.1.1",
        "66.249.66.1",
        "2a02:8388:1:2::1",
        "2a02:8388:1:2::2",
        "2a02:8388:1:3::1",
        "fd00::1",
        "x",
    ]
)
TIERS = st.sampled_from(["proven", "strong pattern", "only unusual", None])
ROWS = st.lists(st.tuples(ADDRESSES, TIERS, st.integers(1, 9), st.integers(0, 1)), max_size=12)


@settings(deadline=None, max_examples=30)
@given(ROWS, st.lists(st.tuples(ADDRESSES, st.booleans()), max_size=3))
def test_nothing_on_the_list_is_anything_that_must_never_be(
    rows: list[tuple[str, str | None, int, int]], machines: list[tuple[str, bool]]
) -> None:
    visitors = [visitor(client, tier, visitor=number, checkouts=bought) for client, tier, number, bought in rows]
    blocklist = build(visitors, machines=machines)
    listed = networks(blocklist)
    spared = Networks.default().of_kinds(*SPARED_KINDS)

    def unit(client: str) -> str:
        return client.rsplit("::", 1)[0] + "::/64" if ":" in client else client

    assert not spared.holds(parse_addresses([network.partition("/")[0] for network in listed])).any()
    condemned = {number for _, tier, number, _ in rows if tier in ("proven", "strong pattern")}
    for client, _, number, bought in rows:
        assert not (bought and unit(client) in listed)
        assert not (number not in condemned and unit(client) in listed)
    assert not {unit(client) for client, impostor in machines if not impostor} & set(listed)
    # Nothing vanishes: each candidate is on the list or counted as withheld.
    candidates = {unit(client) for client, tier, _, _ in rows if tier in ("proven", "strong pattern")}
    assert len(listed) + sum(blocklist.withheld.values()) == len(candidates)
    assert blocklist.would_have_hit.unflagged == blocklist.would_have_hit.checkouts == 0


def test_one_address_is_not_several() -> None:
    blocklist = build([visitor("94.1.2.3")])
    assert blocklist.summary()[0].startswith(
        "1 address to block; on this log they would have hit 1 visitor, 0 of them not flagged, and 0 checkouts"
    )
