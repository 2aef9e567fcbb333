"""Whether a log's addresses are the visitors' own."""

import polars as pl
import pytest

from floorwalker.features.network import Networks
from floorwalker.scan.coverage import Coverage, describe_cut_agents, judge_coverage
from floorwalker.sources.access_log.formats import list_formats


def judge(rows: dict[str | None, int], format_id: str = "combined", **columns: list[int]) -> Coverage:
    clients = pl.DataFrame(
        {"client": pl.Series(list(rows), dtype=pl.String), "requests": list(rows.values()), **columns}
    )
    return judge_coverage(clients, format_id, Networks.default())


HOMES = {f"94.{n}.2.3": 10 for n in range(100)}


def test_ordinary_addresses_are_trusted() -> None:
    coverage = judge({**HOMES, "104.16.1.1": 100, "10.0.0.1": 100})
    assert coverage.warning is None
    assert not coverage.refuse_blocklist
    assert coverage.proxy_share == pytest.approx(100 / 1200)
    assert coverage.inside_share == pytest.approx(100 / 1200)
    assert coverage.operators == (("Cloudflare", pytest.approx(100 / 1200)),)
    assert coverage.addresses == 102


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        (["104.16.1.1", "172.64.3.3"], ["Cloudflare", "CF-Connecting-IP", "real_ip_header"]),
        (["151.101.3.4"], ["Fastly", "Fastly-Client-IP"]),
        (["13.32.5.6", "99.84.1.1"], ["CloudFront", "CloudFront-Viewer-Address"]),
        (["23.1.2.3"], ["Akamai", "True-Client-IP"]),
        (["35.191.4.5"], ["load balancer", "Google front end", "X-Forwarded-For"]),
        (["10.0.3.4", "10.0.3.5"], ["private addresses", "X-Forwarded-For"]),
        (["100.64.0.9"], ["private addresses"]),
        ([None], ["no client address"]),
    ],
)
def test_proxies_are_named_with_the_field_to_log(addresses: list[str | None], words: list[str]) -> None:
    coverage = judge({**HOMES, **dict.fromkeys(addresses, 5000)})
    assert coverage.refuse_blocklist
    assert coverage.warning is not None
    for word in (*words, "--trusted-proxy"):
        assert word in coverage.warning


def test_half_is_not_most() -> None:
    assert judge({**HOMES, "104.16.1.1": 1000}).warning is None
    assert judge({**HOMES, "104.16.1.1": 1001}).warning is not None


def test_busy_health_checks_are_no_proxy() -> None:
    rows = {**HOMES, "10.0.0.5": 90_000}
    assert judge(rows).refuse_blocklist
    assert not judge(rows, browser_requests=[9] * 100 + [0]).refuse_blocklist
    assert judge(rows, browser_requests=[9] * 100 + [5000]).refuse_blocklist
    # A log without any browser is judged by all of its requests.
    assert judge({"10.0.0.5": 90}, browser_requests=[0]).refuse_blocklist


def test_very_few_addresses_for_very_many_requests() -> None:
    few = {f"94.1.2.{n}": 100 for n in range(20)}
    assert "come from 20 addresses" in str(judge(few).warning)
    assert judge(dict.fromkeys(few, 10)).warning is None
    assert judge({**few, "94.1.2.99": 100}).warning is None


def test_one_scraper_is_no_proxy_but_one_address_with_many_programs_is() -> None:
    busy = {**dict.fromkeys(HOMES, 1), "94.200.1.1": 5000}
    assert judge(busy, user_agents=[1] * 100 + [1]).warning is None
    assert "98 % of the requests come from 1 address," in str(judge(busy, user_agents=[1] * 100 + [80]).warning)


@pytest.mark.parametrize("format_id", list_formats())
def test_every_format_has_advice_without_gaps(format_id: str) -> None:
    warning = judge({"104.16.1.1": 5000}, format_id).warning
    assert warning is not None
    assert "{" not in warning.replace("%{CF-Connecting-IP}i", "")
    assert (
        "CF-Connecting-IP" in warning
        or "http_cf_connecting_ip" in warning
        or "ClientIP" in warning
        or "x-forwarded-for" in warning
    )


def test_formats_of_a_users_own_get_general_advice() -> None:
    assert "name the field in --format" in str(judge({"104.16.1.1": 5000}, "custom").warning)


def test_an_empty_log_is_no_fault() -> None:
    assert judge({}).warning is None


@pytest.mark.parametrize(("addresses", "words"), [(1, "from 1 address,"), (2, "from 2 addresses,")])
def test_few_addresses_are_counted_in_words(addresses: int, words: str) -> None:
    rows: dict[str | None, int] = {f"94.1.2.{n}": 2000 // addresses for n in range(addresses)}
    coverage = judge(rows, user_agents=[50] * addresses)
    assert coverage.warning is not None
    assert f"2,000 requests come {words}" in coverage.warning


def test_few_names_in_place_of_addresses_are_another_field() -> None:
    coverage = judge({"shop.example": 1990, "m.shop.example": 5, "94.1.2.3": 5})
    assert coverage.refuse_blocklist
    assert "names such as 'shop.example'" in str(coverage.warning)
    assert "--format" in str(coverage.warning)
    # Where the server looks names up, visitors are names, and many.
    assert judge({f"host-{n}.isp.example": 100 for n in range(40)}).warning is None


def test_user_agents_that_are_cut_are_noticed() -> None:
    browsers = [
        f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.{build} Safari/537.36"
        for system in ("Windows NT 10.0; Win64; x64", "Windows NT 6.1; WOW64", "X11; Linux x86_64", "Linux; Android 11")
        for major in (9, 88, 101)
        for build in (7, 42, 4280, 10_000)
    ]
    for length in (40, 64, 96):
        cut = [text[:length] for text in browsers] + ["curl/8", "python-requests/2.25.1", None]
        assert f"at {length} characters" in str(describe_cut_agents(pl.Series(cut)))
    for whole in (
        browsers,
        browsers[:16],
        [f"Firefox/{n}" for n in range(60, 99)],
        ["Mozilla/5.0"] * 500,
        [None, "UA"],
    ):
        assert describe_cut_agents(pl.Series(whole, dtype=pl.String)) is None
    assert describe_cut_agents(pl.Series([], dtype=pl.String)) is None
