"""Who only claims to be a crawler: proven where it can be, and never on a guess."""

import os
from pathlib import Path

import polars as pl
import pytest

from floorwalker.features.network import Networks
from floorwalker.scan.machines import Ignore, confirmed_name, recognise
from floorwalker.scan.machines._resolving import resolve_all

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PHONE_GOOGLEBOT = (
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/41 "
    "Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)
BINGBOT = "Mozilla/5.0 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/94"
APPLEBOT = "Mozilla/5.0 (Macintosh) Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)"
YANDEX = "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)"


def judge(*rows: tuple[str, str | None], **options: object) -> pl.DataFrame:
    facts = pl.DataFrame(rows, schema={"client": pl.String, "user_agent": pl.String}, orient="row")
    return recognise(facts.with_columns(requests=pl.lit(50)), networks=Networks.default(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "agent",
    [
        GOOGLEBOT,
        PHONE_GOOGLEBOT,
        BINGBOT,
        APPLEBOT,
        "Googlebot/2.1",
        "AdsBot-Google (+http://www.google.com/adsbot.html)",
    ],
)
@pytest.mark.parametrize("client", ["95.216.1.2", "174.200.3.4", "203.0.113.3", "198.51.100.7"])
def test_a_claim_from_somebody_elses_network_is_refuted(agent: str, client: str) -> None:
    answer = judge((client, agent)).row(0, named=True)
    assert answer["impostor"]
    assert answer["verdict"] == "impostor"
    assert client in answer["evidence"]


@pytest.mark.parametrize(
    ("client", "agent"),
    [
        # Networks of the operator beside its published crawler ranges: rented machines, offices, old blocks.
        ("34.100.1.1", GOOGLEBOT),
        ("35.200.1.1", GOOGLEBOT),
        ("74.125.1.1", GOOGLEBOT),
        ("2001:4860::1", GOOGLEBOT),
        ("20.40.1.1", BINGBOT),
        ("40.76.1.1", BINGBOT),
        ("65.52.1.1", BINGBOT),
        ("135.233.1.1", BINGBOT),
        ("207.46.100.1", BINGBOT),
        # Proxies, relays' edges, inside addresses, and what is no address.
        ("104.16.1.1", GOOGLEBOT),
        ("35.191.1.1", GOOGLEBOT),
        ("10.0.0.1", GOOGLEBOT),
        ("127.0.0.1", BINGBOT),
        ("unknown", GOOGLEBOT),
        # Operators that promise no complete list.
        ("95.216.1.2", YANDEX),
        ("95.216.1.2", "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"),
        ("95.216.1.2", "GPTBot/1.2"),
        ("95.216.1.2", "AhrefsBot/6.1; +http://ahrefs.com/robot/"),
        # bingbot's IPv6 addresses are not published.
        ("2a01:4f8::1", BINGBOT),
        # No claim at all.
        ("95.216.1.2", "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)"),
        ("95.216.1.2", "Mozilla/5.0 (compatible; SomeBot/1.0; like Googlebot; +http://some.example)"),
        ("95.216.1.2", "Mozilla/5.0 (not-googlebot/1.0)"),
        ("95.216.1.2", "MyGooglebotTester 1.0"),
    ],
)
def test_a_claim_that_cannot_be_refuted_is_not(client: str, agent: str) -> None:
    assert not judge((client, agent))["impostor"].item()


@pytest.mark.data
def test_nothing_that_google_or_microsoft_publish_is_refuted_and_their_crawlers_are_verified() -> None:
    path = Path(os.environ.get("FLOORWALKER_DATA", "-")) / "ip_and_bot_lists" / "provider_ipv4.csv.gz"
    if not path.exists():
        pytest.skip("FLOORWALKER_DATA does not name the folder of public data sets")
    listed = pl.read_csv(path).with_columns(client=pl.col("cidr").str.split("/").list.first())
    for provider, agent in {"google": GOOGLEBOT, "googlebot": GOOGLEBOT, "microsoft": BINGBOT, "bing": BINGBOT}.items():
        clients = listed.filter(pl.col("provider") == provider)["client"]
        answer = judge(*((client, agent) for client in clients))
        assert len(answer) > 20
        assert not answer["impostor"].any()
        if provider in ("googlebot", "bing"):
            assert set(answer["verdict"].to_list()) == {"verified"}


def test_a_claim_from_a_rented_machine_of_the_operator_is_judged_like_anybody() -> None:
    answer = judge(("34.100.1.1", GOOGLEBOT), ("20.40.1.1", BINGBOT))
    assert answer["kind"].to_list() == [None, None]
    assert answer["verdict"].to_list() == ["unproven", "unproven"]


def test_the_shops_own_addresses_are_never_impostors() -> None:
    answer = judge(("203.0.113.3", GOOGLEBOT), own_addresses=("203.0.113.0/24",))
    assert answer.select("impostor", "verdict").rows() == [(False, "declared")]


def test_a_log_of_host_names() -> None:
    hosts = ["crawl-66-249-66-1.googlebot.com", "googlebot.com.rented.example", "rented.example"]
    answer = judge(*((host, GOOGLEBOT) for host in hosts))
    assert answer["verdict"].to_list() == ["declared", "unproven", "unproven"]
    assert not answer["impostor"].any()


def test_many_programs_behind_one_address_prove_nothing() -> None:
    crowd = [("203.0.113.3", f"Mozilla/5.0 (Windows NT 10.0) Firefox/{n}.0") for n in range(60)]
    answer = judge(("203.0.113.3", GOOGLEBOT), ("203.0.113.4", GOOGLEBOT), *crowd)
    assert answer["verdict"].head(2).to_list() == ["unproven", "impostor"]


def test_a_users_ranges_confirm_a_crawler() -> None:
    networks = Networks.build([("crawler", "Google", "198.51.100.0/24")])
    facts = pl.DataFrame({"client": ["198.51.100.7"], "user_agent": [GOOGLEBOT], "requests": [1]})
    assert recognise(facts, networks=networks)["verdict"].item() == "verified"


def test_a_confirmed_host_name_confirms_and_refutes() -> None:
    names = {
        "95.108.1.1": "spider.yandex.com",
        "95.216.1.2": "static.rented.example",
        "95.216.1.3": "yandex.com.evil.example",
    }
    asked: list[str] = []

    def resolve(address: str) -> str | None:
        asked.append(address)
        return names.get(address)

    answer = judge(
        ("95.216.1.2", YANDEX),
        ("95.216.1.3", YANDEX),
        ("95.216.1.4", YANDEX),
        ("66.249.66.1", GOOGLEBOT),
        resolve=resolve,
    )
    assert answer["verdict"].to_list() == ["impostor", "impostor", "declared", "verified"]
    assert "static.rented.example" in answer["evidence"][0]
    # An address that is confirmed by its range is not looked up.
    assert sorted(asked) == ["95.216.1.2", "95.216.1.3", "95.216.1.4"]


def test_a_confirmed_host_name_saves_a_crawler_from_a_new_range() -> None:
    answer = judge(("203.0.113.3", GOOGLEBOT), resolve={"203.0.113.3": "crawl-203-0-113-3.googlebot.com"}.get)
    assert answer.select("verdict", "impostor").rows() == [("verified", False)]


def test_forward_confirmation_needs_both_directions() -> None:
    assert confirmed_name("192.0.2.1", reverse=lambda _: "A.Example.", forward=lambda _: ["192.0.2.1"]) == "a.example"
    assert confirmed_name("192.0.2.1", reverse=lambda _: "a.example", forward=lambda _: ["192.0.2.2"]) is None

    def fail(_: str) -> str:
        raise OSError("no such host")

    assert confirmed_name("192.0.2.1", reverse=fail) is None


def test_look_ups_end_in_time_and_survive_a_broken_resolver() -> None:
    import threading

    hang = threading.Event()

    def resolve(address: str) -> str | None:
        if address == "192.0.2.1":
            hang.wait(30)
        if address == "192.0.2.2":
            raise RuntimeError("broken")
        return "a.example"

    found = resolve_all(["192.0.2.1", "192.0.2.2", "192.0.2.3"], resolve, workers=3, timeout=0.3)
    hang.set()
    assert found == {"192.0.2.3": "a.example"}
    assert resolve_all([], resolve) == {}


def test_answers_stand_in_the_order_of_the_facts() -> None:
    rows = [
        ("66.249.66.1", GOOGLEBOT),
        ("203.0.113.3", None),
        (None, None),
        ("66.249.66.1", GOOGLEBOT),
        ("203.0.113.3", GOOGLEBOT),
    ]
    answer = judge(*rows)  # type: ignore[arg-type]
    assert answer["verdict"].to_list() == ["verified", None, None, "verified", "impostor"]
    assert answer["impostor"].to_list() == [False, False, False, False, True]


def test_no_facts_give_no_answers() -> None:
    facts = pl.DataFrame(schema={"client": pl.String, "user_agent": pl.String, "requests": pl.Int64})
    answer = recognise(facts, networks=Networks.default(), ignore=Ignore())
    assert answer.shape == (0, 5)
    assert answer.schema["impostor"] == pl.Boolean


def test_codes_and_texts_give_the_same_answer() -> None:
    agents = [GOOGLEBOT, None, "okhttp/4.9.1", GOOGLEBOT]
    facts = pl.DataFrame(
        {
            "client": ["66.249.66.1", "203.0.113.3", "203.0.113.4", "203.0.113.5"],
            "user_agent": agents,
            "requests": [5] * 4,
        }
    )
    coded = facts.with_columns(user_agent_code=pl.Series([0, -1, 1, 0], dtype=pl.Int32))
    networks = Networks.default()
    assert recognise(facts, networks=networks).equals(recognise(coded, networks=networks))
