"""What a guard makes of a request, without a server."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest
from floorwalker_client import UsageError
from floorwalker_client.steps import Core
from floorwalker_client.web import Collector, Guard
from floorwalker_client.web.addresses import TrustedProxies
from floorwalker_client.web.urls import clean_referrer, clean_url
from hypothesis import example, given
from hypothesis import strategies as st

from floorwalker.events.decode import decode_event
from floorwalker.sources.access_log._addresses import TrustedProxies as LogProxies

NOW = 1_760_000_000_000_000
HEADER = st.text(st.characters(max_codepoint=255), max_size=60)
ADDRESS = st.one_of(
    st.ip_addresses(v=4, network="192.0.2.0/24"),
    st.ip_addresses(v=4, network="203.0.113.0/24"),
    st.ip_addresses(v=6, network="2001:db8::/32"),
).map(str)
HOP = st.one_of(
    ADDRESS, ADDRESS.map(lambda a: f"[{a}]:80" if ":" in a else f"{a}:80"), st.sampled_from(["", "x", "unknown"])
)


@given(
    method=st.one_of(st.sampled_from(["GET", "POST"]), HEADER),
    path=st.text(max_size=60).map(lambda text: "/" + text),
    query=st.one_of(st.text(max_size=80), st.sampled_from(["password=x&q=4111111111111111", "a" * 5000])),
    headers=st.dictionaries(
        st.sampled_from(["user-agent", "referer", "host", "cookie", "x-forwarded-for", "x-ja4", "x-country", "accept"]),
        st.one_of(
            HEADER,
            st.sampled_from(["4111 1111 1111 1111", "X", "T1", "https://a.example.org/?pwd=x", "sid=4111111111111111"]),
        ),
    ),
    peer=st.one_of(ADDRESS, st.just("")),
)
def test_no_visitor_can_have_his_page_view_refused(
    method: str, path: str, query: str, headers: dict[str, str], peer: str
) -> None:
    guard = Guard(
        session=lambda visit: visit.cookie("sid"),
        account=lambda visit: visit.headers.get("accept"),
        trusted_proxies=["192.0.2.0/24"],
        network_headers={"ja4": "X-JA4", "country": "X-Country"},
        kept_parameters=["q", "password"],
        collector=Collector(b"sixteen bytes or more"),
    )
    visit = guard.make_visit(method, path, query, headers, peer, {})
    event = Core("key", now=lambda: NOW).prepare(guard.make_event(visit, status=200))
    assert decode_event(json.dumps(event).encode(), now=NOW).type == "page_view"


@given(st.lists(HOP, max_size=6), ADDRESS)
def test_the_client_is_who_the_scan_says_it_is(hops: list[str], peer: str) -> None:
    header = ", ".join(hops)
    trusted = ["192.0.2.0/24", "2001:db8::/48"]
    expected = LogProxies(trusted).walk(header) if peer in LogProxies(trusted) else None
    assert TrustedProxies(trusted).client(peer, header) == (expected or str(ipaddress.ip_address(peer)))


def test_a_stranger_cannot_name_his_address() -> None:
    assert Guard().make_visit("GET", "/", "", {"x-forwarded-for": "198.51.100.1"}, "203.0.113.5", {}).client == (
        "203.0.113.5"
    )
    guard = Guard(trusted_proxies=["192.0.2.1"], network_headers={"ja4": "x-ja4"})
    stranger = guard.make_visit("GET", "/", "", {"x-ja4": "t13"}, "203.0.113.5", {})
    assert "network" not in guard.make_event(stranger)
    proxied = guard.make_visit("GET", "/", "", {"x-ja4": "t13"}, "192.0.2.1", {})
    assert guard.make_event(proxied)["network"] == {"ja4": "t13"}


def test_queries_lose_their_values() -> None:
    kept = frozenset({"page", "password", "card"})
    assert clean_url("/a b", "page=2&q=x&password=p&card=4111111111111111&flag", kept) == (
        "/a%20b?page=2&q=&password=&card=%5Bcard+number%5D&flag="
    )
    assert clean_referrer("https://shop.example.com/x?page=2&q=3", "shop.example.com:443", kept) == (
        "https://shop.example.com/x?page=2&q="
    )
    assert clean_referrer("https://other.example.com/x?page=2", "shop.example.com", kept) == (
        "https://other.example.com/x?page="
    )
    for odd in ("javascript:alert(1)", "data:text/html,x", "/relative", "https://[::1", "https://a:99999999/"):
        assert clean_referrer(odd, "shop.example.com", kept) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"trusted_proxies": ["nowhere"]},
        {"hooks": {"chalenge": print}},
        {"network_headers": {"ja5": "x"}},
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="allowed"):
        Guard(**settings)


def test_a_collector_needs_a_secret_and_a_path() -> None:
    for settings in ({"secret": b"short"}, {"secret": b"x" * 16, "path": "fw/"}, {"secret": b"x" * 16, "path": "/"}):
        with pytest.raises(UsageError, match="allowed"):
            Collector(**settings)  # type: ignore[arg-type]


def _collect(guard: Guard, message: object, **headers: str) -> tuple[dict[str, object] | None, str | None]:
    visit = guard.make_visit("POST", "/_fw/collect", "", {"host": "shop.example.com", **headers}, "203.0.113.5", {})
    return guard.make_collected(visit, json.dumps(message).encode())


NAMES = st.sampled_from(["v", "view", "n", "signals", "device", "parts", "page", "webdriver", "kind", "x"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
)


@given(ANYTHING)
@example({"n": False})
@example({"v": 1.0})
def test_whatever_is_sent_to_the_shops_own_path_breaks_nothing(message: object) -> None:
    guard = Guard(collector=Collector(b"sixteen bytes or more"))
    base = {"v": 1, "view": "0123456789abcdef", "n": 0, "signals": {"webdriver": True}}
    for sent in (message, {**base, **message} if isinstance(message, dict) else base):
        event, _ = _collect(guard, sent)
        if event is None:
            # As texts: in Python, False is 0 and 1.0 is 1.
            assert json.dumps(sent) != json.dumps(base)
            continue
        assert event["type"] == "client_signals"
        text = json.dumps(Core("key").prepare(event), allow_nan=False).encode("utf-8", "surrogatepass")
        assert len(text) < 16_384


def test_signals_are_remembered_for_the_shops_own_events() -> None:
    guard = Guard(collector=Collector(b"sixteen bytes or more"), remembered=2)
    message = {"v": 1, "view": "0123456789abcdef", "n": 0, "signals": {"webdriver": True, "x": 1, "touches": True}}
    event, signed = _collect(guard, message)
    assert event is not None
    assert signed is not None
    assert event["signals"] == {"webdriver": True}
    visit = guard.make_visit("GET", "/", "", {"cookie": f"a=b; fw_id={signed}"}, "203.0.113.5", {})
    assert guard.facts(visit) == {
        "channel": "web", "ip": "203.0.113.5", "device": event["device"], "signals": {"webdriver": True},
    }  # fmt: skip
    again, new = _collect(guard, message, cookie=f"fw_id={signed}")
    assert again is not None
    assert new is None
    assert (again["id"], again["device"]) == (event["id"], event["device"])
    for _ in range(2):
        _collect(guard, message)
    assert "signals" not in guard.facts(visit)  # two newer browsers took its place


def test_a_made_up_id_is_none() -> None:
    guard = Guard(collector=Collector(b"sixteen bytes or more"))
    theirs = Collector(b"another secret here").make_id("default")
    for forged in (theirs, theirs.partition(".")[0], "fd1_x.y", "x", "", "é.é"):
        visit = guard.make_visit("GET", "/", "", {"cookie": f"fw_id={forged}"}, "203.0.113.5", {})
        assert "device" not in guard.make_event(visit)


def test_another_site_may_not_send() -> None:
    guard = Guard(collector=Collector(b"sixteen bytes or more"))
    message = {"v": 1, "view": "0123456789abcdef", "n": 0, "signals": {"webdriver": True}}
    assert _collect(guard, message, **{"sec-fetch-site": "cross-site"}) == (None, None)
    assert _collect(guard, message, origin="https://evil.example.org") == (None, None)
    assert _collect(guard, message, origin="https://shop.example.com")[0] is not None
    assert _collect(guard, message, **{"sec-fetch-site": "same-origin"})[0] is not None
