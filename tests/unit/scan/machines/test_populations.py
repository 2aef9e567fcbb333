"""Rules that look at the whole population: apps that many phones carry, logs written behind a proxy."""

import polars as pl

from floorwalker.features.network import Networks
from floorwalker.scan.machines import recognise

APP = "ExampleShop/{}.1 (iPhone; iOS 15) CFNetwork/1240.0.4 Darwin/20.6.0"


def phones(count: int, *, pictures: int, pages: int = 6, agent: str = APP) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "client": [f"2001:db8:{n}::7" for n in range(count)],
            "user_agent": [agent.format(n % 3) for n in range(count)],
            "requests": [pages + pictures] * count,
            "page_requests": [pages] * count,
            "image_requests": [pictures] * count,
            "top_route_share": [0.4] * count,
            "distinct_routes": [4] * count,
        }
    )


def kinds(facts: pl.DataFrame) -> set[str | None]:
    return set(recognise(facts, networks=Networks.default())["kind"].to_list())


def test_an_app_on_many_phones_is_set_apart() -> None:
    assert kinds(phones(40, pictures=12)) == {"app"}


def test_a_cohort_that_loads_no_pictures_is_not() -> None:
    assert kinds(phones(40, pictures=0)) == {None}


def test_a_bare_library_is_not() -> None:
    assert kinds(phones(40, pictures=4, agent="okhttp/4.{}.1")) == {None}


def test_an_app_on_few_phones_is_not() -> None:
    assert kinds(phones(10, pictures=40, pages=30)) == {None}


def test_one_phone_that_copies_the_catalogue_is_not() -> None:
    greedy = phones(40, pictures=12).with_columns(
        page_requests=pl.when(pl.int_range(pl.len()) == 0).then(4000).otherwise("page_requests")
    )
    answer = recognise(greedy, networks=Networks.default())["kind"].to_list()
    assert answer[0] is None
    assert set(answer[1:]) == {"app"}


def test_browsers_behind_a_private_proxy_are_visitors() -> None:
    facts = pl.DataFrame(
        {
            "client": [f"10.0.0.{n % 3}" for n in range(60)],
            "user_agent": [f"Mozilla/5.0 (Windows NT 10.0) Firefox/{n}.0" for n in range(60)],
            "requests": [30] * 60,
        }
    )
    assert kinds(facts) == {None}


def test_busy_health_checks_do_not_hide_that_private_addresses_are_the_shops() -> None:
    facts = pl.DataFrame(
        {
            "client": ["10.0.0.5", "10.0.0.6", "203.0.113.3"],
            "user_agent": [
                "ELB-HealthChecker/2.0",
                "Mozilla/5.0 (Windows NT 10.0) Firefox/90.0",
                "Mozilla/5.0 (iPhone) Safari/604.1",
            ],
            "requests": [90_000, 10, 400],
        }
    )
    assert recognise(facts, networks=Networks.default())["kind"].to_list() == ["health check", "private address", None]
