"""Addresses at times: leases, shared pools, and what lists of networks say of them."""

import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.events.placeholders import is_private_address
from floorwalker.features.network._carriers import CARRIERS
from floorwalker.features.network._hosting import HOSTING
from floorwalker.features.network.addresses import parse_addresses
from floorwalker.features.network.ranges import RangeTable
from floorwalker.simulation.shop.scenario import DAY, HOUR
from floorwalker.simulation.shop.world.networks import FACT_KINDS, KINDS, OPERATORS


def drawn(world, kind, count=600, **more):
    rng = np.random.default_rng(1)
    book = world.networks
    return np.array([book.code(book.draw(kind, rng, **more)) for _ in range(count)])


def at_once(world, codes, at):
    return world.networks.addresses(codes, np.full(len(codes), at))


@pytest.mark.parametrize("kind", KINDS)
def test_addresses_are_somebodys_and_one_at_a_time_says_the_same(world, kind):
    codes = drawn(world, kind, 200)
    at = world.scenario.first_at + 5 * HOUR
    written = at_once(world, codes, at).to_list()
    assert (parse_addresses(written).family > 0).all()
    assert not any(is_private_address(text) for text in written)
    for code, text in zip(codes[:40].tolist(), written, strict=False):
        name = world.networks.name(code)
        assert world.networks.code(name) == code
        assert world.networks.address(name, at) == text


def test_lists_of_networks_say_the_right_thing(world):
    carriers, hosting = (
        RangeTable.build([block for _, _, blocks in table for block in blocks.split()]) for table in (CARRIERS, HOSTING)
    )
    for kind, in_carriers, in_hosting in (
        ("home", 0.0, 0.0), ("office", 0.0, 0.0), ("campus", 0.0, 0.0), ("vpn", 0.0, 0.0),
        ("carrier", 0.8, 0.0), ("hosting", 0.0, 1.0),
    ):  # fmt: skip
        found = parse_addresses(at_once(world, drawn(world, kind), world.scenario.first_at))
        assert carriers.holds(found).mean() >= in_carriers
        assert hosting.holds(found).mean() >= in_hosting
        if not in_carriers:
            assert not carriers.holds(found).any()
        if not in_hosting:
            assert not hosting.holds(found).any()


def test_homes_keep_an_address_for_a_lease_and_then_get_another_near_by(world):
    codes = drawn(world, "home")
    first = world.scenario.first_at
    before, soon, later = (at_once(world, codes, first + hours * HOUR).to_list() for hours in (0, 1, 24 * 25))
    four = [row for row, text in enumerate(before) if ":" not in text and ":" not in soon[row] + later[row]]
    assert np.mean([before[row] == soon[row] for row in four]) > 0.85
    assert 0.3 < np.mean([before[row] != later[row] for row in four]) < 0.95
    assert all(before[row].split(".")[:2] == later[row].split(".")[:2] for row in four)


def test_a_carrier_puts_many_behind_one_address_and_moves_them_about(world):
    book = world.networks
    codes = book.codes(1, np.zeros(3_000, np.int64), np.arange(1, 3_001))
    first = world.scenario.first_at
    four = at_once(world, codes, first).filter(~at_once(world, codes, first).str.contains(":"))
    assert four.n_unique() < len(four) / 20
    assert (at_once(world, codes, first) != at_once(world, codes, first + DAY)).mean() > 0.7


def test_residential_exits_are_homes_and_telephones_of_customers(world):
    codes = drawn(world, "proxy", 400)
    at = np.full(400, world.scenario.first_at)
    operator, said = world.networks.operators(codes, at)
    kinds = {OPERATORS[place].kind for place in operator.tolist()}
    assert kinds == {"residential", "mobile"}
    known = np.mean(said == FACT_KINDS.index("proxy"))
    assert 0.005 < known < 0.1
    homes = np.concatenate([world.people(np.arange(world.customers)).network[:, :2].ravel()])
    theirs = set(world.networks.addresses(homes, np.full(len(homes), at[0])).str.replace(r"\d+$", "").to_list())
    exits = world.networks.addresses(codes, at).str.replace(r"\d+$", "").to_list()
    assert np.mean([text in theirs for text in exits if ":" not in text]) > 0.8


def test_databases_err_a_little(world):
    codes = drawn(world, "home", 4_000)
    said = world.networks.operators(codes, np.zeros(4_000, np.int64))[1]
    assert 0.0 < np.mean(said == FACT_KINDS.index("proxy")) < 0.02
    tunnels = world.networks.operators(drawn(world, "vpn"), np.zeros(600, np.int64))[1]
    assert (tunnels == FACT_KINDS.index("vpn")).mean() > 0.4


def test_networks_of_a_country_are_of_that_country(world):
    for kind in ("home", "carrier", "proxy"):
        codes = drawn(world, kind, 60, country="DE")
        operator, _ = world.networks.operators(codes, np.zeros(60, np.int64))
        assert np.mean([OPERATORS[place].country == "DE" for place in operator.tolist()]) > 0.97


@pytest.mark.parametrize("name", ["home", "moon/1", "home/x", "home/1/2/3"])
def test_a_network_that_is_none_is_refused(world, name):
    with pytest.raises(UsageError, match="no network is called"):
        world.networks.address(name, 0)


def test_a_kind_that_is_none_is_refused(world):
    with pytest.raises(UsageError, match="no kind of network"):
        world.networks.draw("moon", np.random.default_rng(1))
