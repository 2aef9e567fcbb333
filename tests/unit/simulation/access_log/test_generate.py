from __future__ import annotations

import ipaddress
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from floorwalker.errors import UsageError
from floorwalker.features.network import load_networks, parse_addresses
from floorwalker.simulation._site import Site
from floorwalker.simulation.access_log import ABUSIVE_KINDS, KINDS, GeneratedLog, Scenario, generate, generate_on

CALM = Scenario("tiny", 5, days=2, visitors_per_day=300)


def test_the_same_scenario_gives_the_same_log(tiny: Site) -> None:
    scenario = replace(CALM, hunters=20)
    first, second = generate_on(tiny, scenario), generate_on(tiny, scenario)
    assert first.requests.equals(second.requests)
    assert first.truth.equals(second.truth)
    assert not first.requests.equals(generate_on(tiny, replace(scenario, seed=6)).requests)


def test_requests_are_in_time_order_and_within_the_local_days(busy: GeneratedLog) -> None:
    at = busy.requests["at"]
    assert at.is_sorted()
    midnight = 1_635_984_000_000_000 - 8 * 3_600_000_000  # 4 November 2021, 00:00 at UTC+8
    assert midnight <= at.item(0) < midnight + 3_600_000_000
    assert at.item(-1) < midnight + 3 * 86_400_000_000


def test_truth_has_one_row_for_each_address_and_user_agent(busy: GeneratedLog) -> None:
    pairs = busy.requests.select("client", "user_agent", "visitor").unique()
    assert len(pairs) == len(busy.truth) == busy.requests["visitor"].n_unique()
    counted = busy.requests.group_by("visitor").agg(
        pl.len().alias("n"), pl.col("at").min(), pl.col("at").max().alias("last")
    )
    joined = busy.truth.join(counted, on="visitor")
    assert (joined["requests"] == joined["n"]).all()
    assert (joined["first_at"] == joined["at"]).all()
    assert (joined["last_at"] == joined["last"]).all()
    assert busy.truth["family"].null_count() == 0
    assert set(busy.truth["kind"]) == set(KINDS)


def test_abusive_is_what_the_kind_says_where_nothing_is_shared(busy: GeneratedLog) -> None:
    alone = busy.truth.filter((pl.col("abusive_share") == 0.0) | (pl.col("abusive_share") == 1.0))
    assert (alone["abusive"] == alone["kind"].is_in(ABUSIVE_KINDS)).all()
    assert (alone["skill"].is_not_null() == alone["abusive"]).all()


def test_without_hunters_nobody_is_abusive(tiny: Site) -> None:
    truth = generate_on(tiny, CALM).truth
    assert truth["abusive"].sum() == 0
    assert set(truth["kind"]) == {"honest", "machine"}
    assert set(generate_on(tiny, replace(CALM, machines=False)).truth["kind"]) == {"honest"}


def test_twice_the_hunters_are_twice_the_abusive_visitors(tiny: Site) -> None:
    names = ("watch_offers", "poll_stock", "burst_coupons", "stuff_credentials", "copy_prices_fast")
    few, many = (
        generate_on(tiny, replace(CALM, hunters=hunters, adversaries=names, skills=(1, 1, 1, 0))).truth["abusive"].sum()
        for hunters in (25, 50)
    )
    assert 1.7 <= many / few <= 2.3


def test_a_promotion_brings_a_crowd_and_its_hunters(tiny: Site) -> None:
    plain = replace(CALM, hunters=30, visitors_per_day=400)
    loud = generate_on(tiny, replace(plain, promotion_days=(1,), surge=4.0))
    first_of_day_two = (
        loud.requests["at"].min() // 86_400_000_000 * 86_400_000_000 + 2 * 86_400_000_000 - 8 * 3_600_000_000
    )
    day = (loud.requests["at"] >= first_of_day_two).alias("is_second")
    visitors = loud.requests.with_columns(day).join(loud.truth.select("visitor", "kind", "family"), on="visitor")
    honest = visitors.filter(pl.col("kind") == "honest").group_by("is_second").agg(pl.col("visitor").n_unique())
    first, second = honest.sort("is_second")["visitor"]
    assert 2.5 <= second / first <= 5.0
    bursts = (
        visitors.filter(pl.col("family") == "burst_coupons").group_by("is_second").agg(pl.col("visitor").n_unique())
    )
    counts = dict(bursts.iter_rows())
    assert counts[True] >= 2 * counts[False]


def test_a_family_of_the_other_split_is_refused(tiny: Site) -> None:
    with pytest.raises(UsageError, match="belongs to the split 'report'"):
        generate_on(tiny, replace(CALM, hunters=3, adversaries=("raid_seckill",)))
    with pytest.raises(UsageError, match="unknown family"):
        generate_on(tiny, replace(CALM, honest=("nobody",)))
    with pytest.raises(UsageError, match="split"):
        generate_on(tiny, replace(CALM, split="test"))


def test_a_site_of_the_other_split_is_refused() -> None:
    with pytest.raises(UsageError, match="site family 'tiny'"):
        generate(CALM)
    with pytest.raises(UsageError, match="not of the split 'report'"):
        generate(replace(CALM, site_family="german_nested", split="report"))


def test_people_and_abusers_have_public_addresses(busy: GeneratedLog) -> None:
    clients = busy.truth.filter(pl.col("kind") != "machine")["client"].unique()
    assert all(ipaddress.ip_address(client).is_global for client in clients)
    inside = busy.truth.filter(pl.col("family") == "health_checks")["client"]
    assert all(ipaddress.ip_address(client).is_private for client in inside)


def test_nobody_seems_to_come_from_a_crawler_or_a_delivery_network(busy: GeneratedLog) -> None:
    networks = load_networks()
    clients = busy.truth.filter(pl.col("kind") != "machine")["client"].unique(maintain_order=True)
    kinds = networks.describe(parse_addresses(clients))["kind"].value_counts(normalize=True)
    share = dict(kinds.iter_rows())
    assert set(share) <= {None, "carrier", "hosting"}
    assert share["carrier"] > 0.02
    assert 0.005 < share["hosting"] < 0.3
    verified = busy.truth.filter(pl.col("family").is_in(["googlebot", "bingbot", "applebot"]))["client"]
    assert set(networks.describe(parse_addresses(verified))["kind"]) == {"crawler"}


def test_many_share_an_address_and_some_an_address_and_user_agent(busy: GeneratedLog) -> None:
    sessions = busy.requests.drop_nulls("session").group_by("visitor").agg(pl.col("session").n_unique())
    shared = busy.truth.join(sessions, on="visitor").filter(
        pl.col("family").is_in(["offices", "campuses", "carrier_crowd"])
    )
    assert shared["session"].max() > 10


def test_some_abusers_hide_behind_addresses_of_honest_people(busy: GeneratedLog) -> None:
    people = busy.truth.filter(pl.col("kind") != "machine")
    sides = people.group_by("client").agg(pl.col("abusive").any().alias("any"), pl.col("abusive").all().alias("all"))
    mixed = sides.filter(pl.col("any") & ~pl.col("all"))
    assert 0.002 < len(mixed) / people.filter("abusive")["client"].n_unique() < 0.3


def best_stump_auc(values: np.ndarray, is_abusive: np.ndarray) -> float:
    """The AUC of the best depth-1 tree: one threshold, either direction."""
    order = np.argsort(values, kind="stable")
    last = np.append(values[order][1:] != values[order][:-1], True)
    caught = np.cumsum(is_abusive[order]) / is_abusive.sum()
    alarmed = np.cumsum(~is_abusive[order]) / (~is_abusive).sum()
    return 0.5 + 0.5 * float(np.abs(caught - alarmed)[last].max())


def test_the_stump_finds_a_planted_tell_tale() -> None:
    values = np.arange(2000) % 60
    assert best_stump_auc(values, values < 5) > 0.9


def test_no_trivial_field_separates_abusers(busy: GeneratedLog) -> None:
    first = busy.requests.with_row_index("row").unique("visitor", keep="first", maintain_order=True)
    people = first.join(busy.truth.select("visitor", "kind", "abusive"), on="visitor").filter(
        pl.col("kind") != "machine"
    )
    is_abusive = people["abusive"].to_numpy()
    at, size = people["at"].to_numpy(), people["size"].to_numpy()
    assert is_abusive.sum() > 600
    fields = {
        "second of the minute": at // 1_000_000 % 60,
        "millisecond": at // 1000 % 1000,
        "below the millisecond": at % 1000,
        "last digit of the size": np.where(size > 0, size % 10, 5),
        "visitor number": people["visitor"].to_numpy(),
        "parity of the visitor number": people["visitor"].to_numpy() % 2,
    }
    aucs = {name: best_stump_auc(values, is_abusive) for name, values in fields.items()}
    assert max(aucs.values()) < 0.56, aucs
    # Within one millisecond the order is drawn, not by who it is.
    rows = busy.requests.join(busy.truth.select("visitor", "abusive"), on="visitor", maintain_order="left")
    tied = rows.with_columns(pl.col("at").count().over("at").alias("n"), pl.col("at").cum_count().over("at").alias("k"))
    tied = tied.filter((pl.col("n") == 2) & (pl.col("abusive").n_unique().over("at") == 2))
    if len(tied) >= 200:
        assert abs(tied.filter("abusive")["k"].mean() - 1.5) < 0.12
