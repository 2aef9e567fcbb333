"""What every family of visitors must keep, whichever exist."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from floorwalker.simulation import sites
from floorwalker.simulation.access_log import (
    ABUSIVE_KINDS,
    KINDS,
    SPLITS,
    Scenario,
    generate,
    list_families,
    load_family,
)
from floorwalker.simulation.access_log._addresses import AddressBook
from floorwalker.simulation.access_log._agents import AgentBook
from floorwalker.simulation.access_log._catalogue import Catalogue
from floorwalker.simulation.access_log._crowd import Crowd
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.sites import make_site

FAMILIES = list_families()
DOCUMENT = Path(__file__).parents[2] / "docs" / "simulated-logs.md"


SITE = make_site("german_nested", seed=1, items=200)


def crowd_of(name: str, *, seed: int = 3, regime: int = 0) -> tuple[Town, Crowd]:
    scenario = Scenario("german_nested", seed, days=3, promotion_days=(2,))
    catalogue = Catalogue(SITE, np.random.default_rng(seed))
    town = Town(scenario, catalogue, AddressBook(np.random.default_rng(seed)), AgentBook(), regime)
    family = load_family(name)
    daily = np.array([6, 6, 12] if family.abusive else [90, 90, 180])
    return town, family.act(town, np.random.default_rng(seed), daily)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_acts(name: str) -> None:
    town, crowd = crowd_of(name)
    actors, steps = crowd.actors, crowd.steps
    assert len(actors) > 0
    assert len(steps) > 0
    assert steps.actor.min() >= 0
    assert steps.actor.max() < len(actors)
    assert np.isfinite(steps.at).all()
    within = (steps.at >= 0) & (steps.at < town.end)
    assert within.mean() > 0.5
    assert steps.target.min() >= 0
    assert steps.target.max() < len(town.catalogue.texts)
    assert actors.agent.max() < len(town.agents.texts)
    assert max(actors.address.max(), steps.address.max()) < len(town.addresses)
    if load_family(name).abusive:
        assert set(np.unique(actors.skill)) <= {0, 1, 2, 3}
        assert (actors.campaign >= 0).all()
    else:
        assert (actors.skill == -1).all()
        assert (actors.campaign == -1).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_repeatable(name: str) -> None:
    _, first = crowd_of(name)
    _, second = crowd_of(name)
    for field in ("actor", "at", "target", "kind", "method", "address", "agent"):
        assert np.array_equal(getattr(first.steps, field), getattr(second.steps, field)), field


@pytest.mark.parametrize(
    "name", [name for name in FAMILIES if load_family(name).kind == "honest" and load_family(name).split == "both"]
)
def test_a_family_of_both_splits_has_two_sets_of_parameters(name: str) -> None:
    _, choose = crowd_of(name, regime=0)
    _, report = crowd_of(name, regime=1)
    assert len(choose.steps) != len(report.steps) or not np.array_equal(choose.steps.at, report.steps.at)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_states_what_it_is(name: str) -> None:
    family = load_family(name)
    module = importlib.import_module(f"floorwalker.simulation.access_log.families.{name}")
    assert family.kind in KINDS
    assert family.split in SPLITS
    assert family.share > 0
    assert module.__doc__
    row = [line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| `{name}` |")]
    assert len(row) == 1, f"{name} needs one row in docs/simulated-logs.md"
    assert f"| {family.kind} |" in row[0]
    assert f"| {family.split} |" in row[0]


def test_the_documentation_lists_no_family_that_is_gone() -> None:
    named = [
        line.split("`")[1] for line in DOCUMENT.read_text().splitlines() if line.startswith("| `") and "|" in line[3:]
    ]
    families = [name for name in named if not name.startswith(("Scenario", "generate", "write"))]
    assert sorted(families) == sorted(FAMILIES)


def test_no_abuser_is_in_both_splits_and_each_split_has_every_sort() -> None:
    for split in ("choose", "report"):
        kinds = {load_family(name).kind for name in list_families(split=split)}
        assert kinds == set(KINDS)
        categories = {load_family(name).category for name in list_families("hunter", split=split)}
        assert {"monitoring", "activity"} <= categories
    for kind in ABUSIVE_KINDS:
        assert not set(list_families(kind, split="choose")) & set(list_families(kind, split="report"))


@pytest.mark.parametrize("site_family", sites.list_families())
def test_every_family_of_sites_can_be_visited(site_family: str) -> None:
    scenario = Scenario(
        site_family, 2, days=1, visitors_per_day=120, promotion_days=(0,), surge=2.0, hunters=20, items=90, split="both"
    )
    log = generate(scenario)
    asked = log.requests.join(log.truth.select("visitor", "kind"), on="visitor").filter(pl.col("kind") == "honest")
    role = {target: page.role for page in log.site.pages for target in page.targets}
    roles = asked["target"].replace_strict(role, default="stray").value_counts(normalize=True)
    share = dict(roles.iter_rows())
    assert share["product"] > 0.05
    assert share["asset"] > 0.2
    assert share.get("stray", 0.0) == 0.0
    assert {"offer", "search", "basket"} <= set(share)
