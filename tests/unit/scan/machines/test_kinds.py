"""Every kind of machine: cases that it recognises, cases that it does not, and attempts to pass for it."""

from typing import Any

import polars as pl
import pytest

from floorwalker.features.network import Networks
from floorwalker.scan.machines import VERDICTS, list_kinds, load_kind, recognise

PHONE = (
    "Mozilla/5.0 (Linux; Android 11; SM-A515F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96 Mobile Safari/537.36"
)
HOME, RENTED, INSIDE = "203.0.113.77", "95.216.1.2", "10.1.2.3"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def case(client: str, agent: str | None, **facts: Any) -> dict[str, Any]:
    usual = {"requests": 40, "page_requests": 30, "asset_requests": 10, "distinct_routes": 9, "top_route_share": 0.4}
    return {"client": client, "user_agent": agent, **usual, **facts}


PROBE = {
    "requests": 288,
    "page_requests": 288,
    "asset_requests": 0,
    "distinct_routes": 1,
    "top_route_share": 1.0,
    "gap_mean": 300.0,
    "gap_spread": 4.0,
}
PICTURES = {"requests": 40, "page_requests": 0, "asset_requests": 40, "image_requests": 40, "distinct_routes": 1}
CALLS = {"requests": 20, "page_requests": 20, "callback_requests": 20, "asset_requests": 0}
FEEDS = {"requests": 48, "page_requests": 48, "feed_requests": 48, "asset_requests": 0}
SCRAPING = {"requests": 5000, "page_requests": 5000, "asset_requests": 0, "distinct_routes": 12, "top_route_share": 0.6}

# kind: (recognised with its verdict, not recognised, passes itself off)
CASES: dict[str, tuple[list[tuple[str, dict[str, Any]]], list[dict[str, Any]], list[dict[str, Any]]]] = {
    "crawler": (
        [
            ("verified", case("66.249.66.1", GOOGLEBOT)),
            ("verified", case("66.249.64.1", "Googlebot-Image/1.0")),
            (
                "verified",
                case("157.55.39.1", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
            ),
            ("verified", case("65.55.1.1", "msnbot/2.0b (+http://search.msn.com/msnbot.htm)")),
            ("verified", case("17.1.1.1", "Safari/600.2.5 (Applebot/0.1; +http://www.apple.com/go/applebot)")),
            ("verified", case("54.36.148.1", "Mozilla/5.0 (compatible; AhrefsBot/6.1; +http://ahrefs.com/robot/)")),
            ("verified", case("100.43.64.1", "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)")),
            ("declared", case(RENTED, "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)", **SCRAPING)),
            ("declared", case(RENTED, "NewKidBot/0.1 (+https://newkid.example/bot)")),
            ("declared", case(INSIDE, GOOGLEBOT)),
            ("declared", case("104.16.1.1", GOOGLEBOT)),
        ],
        [
            case(HOME, PHONE),
            case(HOME, "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 Chrome/90 Mobile Safari/537.36"),
        ],
        [
            case(RENTED, "python-requests/2.31", **SCRAPING),
            case(RENTED, "Scrapy/2.5 (+https://scrapy.org)", **SCRAPING),
            case(RENTED, "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/96.0 Safari/537.36", **SCRAPING),
            case(RENTED, "Mozilla/5.0 zgrab/0.x", **SCRAPING),
            case(RENTED, "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", **SCRAPING),
            case(RENTED, "colly - https://github.com/gocolly/colly/v2 bot/1.0", **SCRAPING),
            case("34.100.1.1", GOOGLEBOT, **SCRAPING),
        ],
    ),
    "uptime_monitor": (
        [
            (
                "verified",
                case("63.143.42.241", "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"),
            ),
            ("declared", case(RENTED, "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", **PROBE)),
            ("declared", case(RENTED, f"{PHONE} StatusCake", **PROBE)),
        ],
        [case(HOME, PHONE, **PROBE)],
        [case(RENTED, "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", **SCRAPING)],
    ),
    "health_check": (
        [
            ("verified", case(INSIDE, "ELB-HealthChecker/2.0", **PROBE)),
            ("verified", case(INSIDE, "kube-probe/1.21", **PROBE)),
            ("verified", case("35.191.0.9", "GoogleHC/1.0", **PROBE)),
            ("behaviour", case(INSIDE, None, requests=300, health_requests=300)),
            ("declared", case(RENTED, "ELB-HealthChecker/2.0", **PROBE)),
        ],
        [case(HOME, PHONE, requests=300, health_requests=300)],
        [case(RENTED, "ELB-HealthChecker/2.0", **SCRAPING)],
    ),
    "feed_reader": (
        [
            (
                "verified",
                case("209.85.200.1", "Feedfetcher-Google; (+http://www.google.com/feedfetcher.html)", **FEEDS),
            ),
            ("declared", case(RENTED, "Tiny Tiny RSS/21.11 (http://tt-rss.org/)", **FEEDS)),
            (
                "declared",
                case(RENTED, "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)", **FEEDS),
            ),
            ("behaviour", case(RENTED, None, **FEEDS)),
            ("declared", case(RENTED, "UniversalFeedParser/4.2 +http://feedparser.org/", **PROBE)),
        ],
        [case(HOME, PHONE, **FEEDS)],
        [case(RENTED, "Tiny Tiny RSS/21.11 (http://tt-rss.org/)", **SCRAPING)],
    ),
    "callback": (
        [
            ("behaviour", case(RENTED, "PaymentGateway-Notify/2.1", **CALLS)),
            ("behaviour", case(RENTED, None, **CALLS)),
            ("declared", case(RENTED, "Stripe/1.0 (+https://stripe.com/docs/webhooks)", **CALLS)),
        ],
        [case(HOME, PHONE, **CALLS)],
        [case(RENTED, "PaymentGateway-Notify/2.1", **SCRAPING, callback_requests=100)],
    ),
    "cron": (
        [
            ("verified", case(INSIDE, "curl/7.68.0")),
            ("verified", case("127.0.0.1", "WordPress/5.8; https://shop.example")),
        ],
        [case(RENTED, "curl/7.68.0")],
        [case(RENTED, "Wget/1.20.3 (linux-gnu)", **SCRAPING)],
    ),
    "app": (
        [
            ("behaviour", case(HOME, "okhttp/4.9.1", **PICTURES)),
            ("behaviour", case(HOME, "MobileSafari/604.1 CFNetwork/976 Darwin/18.2.0", **PICTURES)),
            ("behaviour", case(HOME, "Dalvik/2.1.0 (Linux; U; Android 8.1.0; SM-J710F Build/M1AJQ)", **PICTURES)),
        ],
        [case(HOME, PHONE, **PICTURES)],
        [
            case(RENTED, "okhttp/4.9.1", **SCRAPING),
            case(RENTED, "okhttp/4.9.1", requests=5000, page_requests=1500, asset_requests=3500, image_requests=3500),
            case(RENTED, "Dart/3.1 (dart:io)", **SCRAPING),
        ],
    ),
    "link_preview": (
        [
            (
                "verified",
                case("173.252.80.1", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"),
            ),
            ("verified", case("149.154.161.5", "TelegramBot (like TwitterBot)")),
            ("declared", case(HOME, "WhatsApp/2.21.22.26 A", page_requests=2)),
            # Apple's messages app says this from people's own phones.
            (
                "declared",
                case(
                    HOME,
                    "Mozilla/5.0 (Macintosh) Safari/600 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
                    page_requests=1,
                ),
            ),
        ],
        [case(HOME, f"{PHONE} [FB_IAB/FB4A;FBAV/343.0.0.37.117;]")],
        [case(RENTED, "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", **SCRAPING)],
    ),
    "beacon": (
        [("behaviour", case(HOME, PHONE, requests=6, page_requests=0, asset_requests=0, beacon_requests=6))],
        [case(HOME, PHONE, requests=7, page_requests=1, asset_requests=0, beacon_requests=6)],
        [case(RENTED, PHONE, **SCRAPING, beacon_requests=4000)],
    ),
    "prefetch": (
        [
            (
                "verified",
                case(
                    "66.249.82.1",
                    "Mozilla/5.0 (compatible; Google-Read-Aloud; +https://support.google.com/webmasters/)",
                ),
            ),
            ("verified", case("66.249.82.2", "Chrome Privacy Preserving Prefetch Proxy")),
            (
                "verified",
                case("40.77.188.1", "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ BingPreview/1.0b"),
            ),
            ("declared", case(HOME, f"{PHONE} Chrome-Lighthouse", page_requests=3)),
        ],
        [case(HOME, PHONE)],
        [case(RENTED, f"{PHONE} Chrome-Lighthouse", **SCRAPING)],
    ),
    "private_address": (
        [("verified", case(INSIDE, None)), ("verified", case("fd12::1", PHONE))],
        [case(HOME, None), case("192.0.2.8", None)],
        [case("172.32.0.1", None, **SCRAPING)],
    ),
}


def judge(*rows: dict[str, Any]) -> pl.DataFrame:
    # Shoppers beside, so that a log is not all inside addresses.
    crowd = [case(f"198.51.100.{n}", PHONE, requests=400) for n in range(20)]
    facts = pl.from_dicts([*rows, *crowd], infer_schema_length=None)
    return recognise(facts, networks=Networks.default()).head(len(rows))


def test_every_kind_has_cases() -> None:
    assert sorted(CASES) == list_kinds()
    for recognised, others, evasions in CASES.values():
        assert recognised
        assert others
        assert evasions


@pytest.mark.parametrize(
    ("kind", "verdict", "row"),
    [(kind, verdict, row) for kind, (cases, _, _) in CASES.items() for verdict, row in cases],
)
def test_recognised(kind: str, verdict: str, row: dict[str, Any]) -> None:
    answer = judge(row).row(0, named=True)
    assert (answer["kind"], answer["verdict"]) == (load_kind(kind).TITLE, verdict)
    assert answer["name"]
    assert len(answer["evidence"]) > 10
    assert not answer["impostor"]


@pytest.mark.parametrize(
    ("kind", "row"), [(kind, row) for kind, (_, others, evasions) in CASES.items() for row in (*others, *evasions)]
)
def test_not_taken_for_it(kind: str, row: dict[str, Any]) -> None:
    assert judge(row)["kind"].item() != load_kind(kind).TITLE


@pytest.mark.parametrize("row", [row for _, _, evasions in CASES.values() for row in evasions])
def test_who_passes_itself_off_is_judged_like_anybody(row: dict[str, Any]) -> None:
    answer = judge(row).row(0, named=True)
    assert answer["kind"] is None
    assert answer["verdict"] in (None, "unproven")


@pytest.mark.parametrize("kind", list_kinds())
def test_each_kind_states_itself(kind: str) -> None:
    module = load_kind(kind)
    assert kind.replace("_", " ") == module.TITLE or module.TITLE.startswith(kind)
    assert isinstance(module.ORDER, int)
    assert all(signature.token == signature.token.lower() for signature in module.SIGNATURES)
    assert len({signature.token for signature in module.SIGNATURES}) == len(module.SIGNATURES)
    assert (module.judge.__doc__ or "").startswith("Rows ")


def test_orders_and_titles_are_distinct() -> None:
    modules = [load_kind(kind) for kind in list_kinds()]
    assert len({module.ORDER for module in modules}) == len(modules)
    assert len({module.TITLE for module in modules}) == len(modules)


def test_verdicts_are_those_declared() -> None:
    rows = [row for cases, others, evasions in CASES.values() for row in (*(r for _, r in cases), *others, *evasions)]
    assert set(judge(*rows)["verdict"].drop_nulls().to_list()) <= set(VERDICTS)


def test_one_page_is_not_several() -> None:
    found = recognise(
        pl.DataFrame(
            [
                case(RENTED, "WhatsApp/2.21.12.21 A", page_requests=1),
                case(RENTED, "WhatsApp/2.21.12.21 A", page_requests=2),
                case(HOME, PHONE, requests=1, page_requests=0, asset_requests=0, beacon_requests=1),
            ]
        ),
        networks=Networks.default(),
    )
    assert [text.partition(" and ")[2] or text for text in found["evidence"]] == [
        "fetched 1 page",
        "fetched 2 pages",
        "opened no page",
    ]
    assert found["evidence"][2] == "sent 1 beacon and opened no page"
