"""What betrays some adversaries is also true of some honest people, and nobody but the SDK says it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from floorwalker.simulation.shop.honest.crowd import make_crowd
from floorwalker.simulation.shop.honest.frame import make_frames
from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.simulation.shop.world import World
from floorwalker.simulation.shop.world.devices import APP, NOTICED


@pytest.fixture(scope="module")
def world() -> World:
    return World(Scenario(events=150_000, seed=6))


@pytest.fixture(scope="module")
def business(world: World) -> pl.DataFrame:
    crowd = make_crowd(world, np.arange(world.customers), np.random.default_rng(1), 1.2)
    return make_frames(crowd, 0)[1]


def test_honest_devices_are_rooted_cloned_and_emulated_now_and_then(business: pl.DataFrame) -> None:
    app = business.filter(pl.col("device_facts.attestation").is_not_null())
    assert set(app["channel"]) == {"app"}
    for name in NOTICED:
        share = app[f"device_facts.{name}"].is_not_null().mean()
        assert 0.0 < share < 0.04, name
        # What is not noticed is not said.
        assert set(app[f"device_facts.{name}"].drop_nulls()) == {True}
    said = dict(app["device_facts.attestation"].value_counts(normalize=True).iter_rows())
    assert said["passed"] > 0.8
    assert min(said["failed"], said["unavailable"]) > 0.004


def test_filling_a_balance_names_the_cards_range(business: pl.DataFrame) -> None:
    filled = business.filter(pl.col("type") == "top_up")
    assert 0.2 < filled["bin"].is_not_null().mean() < 1.0


def test_not_every_card_is_kept_by_the_shop(business: pl.DataFrame) -> None:
    orders = business.filter(pl.col("type") == "order")
    assert 0.7 < orders["card.stored"].mean() < 0.95
    assert not orders.filter(pl.col("guest"))["card.stored"].any()


def test_collectors_now_and_then_take_people_for_machines(business: pl.DataFrame) -> None:
    told = business.filter(pl.col("type") == "client_signals")
    assert 0.0 < told["signals.webdriver"].mean() < 0.005


def test_chinese_customers_write_their_addresses_in_one_line(business: pl.DataFrame) -> None:
    orders = business.filter(pl.col("type") == "order", pl.col("billing_address.country") == "CN")
    assert orders["billing_address.text"].is_not_null().any()


def test_a_person_has_the_device_that_the_crowd_has(world: World) -> None:
    """Whoever steals a customer's telephone gets what the shop knows of it."""
    people = world.people(np.arange(400))
    found = 0
    for number, person in enumerate(world.customers_as(range(400))):
        model = people.model[number, 0]
        if model < 0 or world.devices.use[model] != APP:
            continue
        noticed = world.devices.noticed(people.model[number, :1], people.device_number[number, :1])
        facts = person.devices[0].facts
        assert facts is not None
        assert facts.attestation == noticed["attestation"][0]
        assert [bool(getattr(facts, name)) for name in NOTICED] == [bool(noticed[name][0]) for name in NOTICED]
        found += 1
    assert found > 50


def test_a_new_telephone_is_drawn_like_any_other(world: World) -> None:
    rng = np.random.default_rng(3)
    made = [world.new_device(rng, kind="phone", hidden=1.0).facts for _ in range(900)]
    rooted = np.mean([bool(facts and facts.rooted) for facts in made])
    assert 0.0 < rooted < 0.03
    emulated = [world.new_device(rng, kind="emulator", hidden=0.0) for _ in range(60)]
    assert {one.facts.os for one in emulated if one.facts} == {"Android"}
    assert all(one.facts and one.facts.emulator for one in emulated)
