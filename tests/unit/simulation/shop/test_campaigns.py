"""The plan of the campaigns: quotas, splits, and that a campaign needs nothing but its number."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from floorwalker.errors import UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.simulation.shop import campaigns
from floorwalker.simulation.shop.adversaries import list_adversaries, load_adversary
from floorwalker.simulation.shop.campaigns import EXPERTS_TEST_ONLY, TEST_ONLY, Planned, plan, run
from floorwalker.simulation.shop.quotas import Quotas, count_quotas
from floorwalker.simulation.shop.scenario import SPLITS, Scenario
from floorwalker.simulation.shop.world import World

SMALL = Scenario(events=100_000, seed=2, days=3)
LARGE = Scenario(events=5_000_000, seed=2)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    world = World(SMALL)
    return [ran.row for ran in campaigns.run_campaigns(world, plan(SMALL))]


def test_small_runs_keep_what_is_promised(rows: list[dict[str, object]]) -> None:
    found = count_quotas(rows)
    assert found.broken(SMALL) == [], found.table()
    total = sum(found.events.values())
    assert 0.6 * SMALL.malicious_share < total / SMALL.events < 0.03
    # Each part has its share of them, as long as it lasts.
    assert all(found.events[split] > total / 6 for split in SPLITS)


def test_small_runs_have_few_campaigns_of_a_sensible_size(rows: list[dict[str, object]]) -> None:
    """A rule cannot see a list of five cards; in a small shop few come, and each is worth its name."""
    loud = [row for row in rows if row["split"] != "test" and row["skill"] in ("naive", "skilled")]
    assert len(loud) >= 5
    assert all(int(str(row["events"])) >= 75 for row in loud)
    assert len(rows) <= 30


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_large_runs_keep_what_is_promised(seed: int) -> None:
    scenario = Scenario(events=1_000_000, seed=seed)
    world = World(scenario)
    found = count_quotas(ran.row for ran in campaigns.run_campaigns(world, plan(scenario)))
    assert found.broken(scenario) == []
    assert sum(found.events.values()) > 0.7 * scenario.malicious_share * scenario.events


@pytest.mark.parametrize("days", [3, 6, 30])
@pytest.mark.parametrize("events", [1_000, 3_000, 8_000, 20_000])
def test_the_least_runs_have_few_malicious_events(events: int, days: int) -> None:
    """The bound holds for every size: what campaigns may cause together is planned, not hoped for."""
    for seed in (1, 2, 3):
        scenario = Scenario(events=events, seed=seed, days=days)
        assert 0 < sum(one.most for one in plan(scenario)) <= 0.03 * events
    world = World(scenario)
    assert sum(ran.row["events"] for ran in campaigns.run_campaigns(world, plan(scenario))) <= 0.03 * events


@pytest.mark.slow
@pytest.mark.parametrize("events", [8_000, 50_000, 150_000])
@pytest.mark.parametrize("seed", [11, 12])
def test_no_size_of_run_has_too_many_malicious_events(events: int, seed: int) -> None:
    scenario = Scenario(events=events, seed=seed, days=10)
    world = World(scenario)
    caused = sum(ran.row["events"] for ran in campaigns.run_campaigns(world, plan(scenario)))
    assert 0.006 * events < caused <= 0.03 * events


@pytest.mark.parametrize("events", [1_500, 10_000, 20_000, 40_000])
def test_the_least_runs_have_few_but_full_campaigns(events: int) -> None:
    """What is tested for was there to learn from, and what is promised of skills holds however few there are."""
    for seed in range(1, 9):
        scenario = Scenario(events=events, seed=seed)
        parts: dict[str, list[Planned]] = {split: [] for split in SPLITS}
        for one in plan(scenario):
            parts[one.split].append(one)
        kinds = {split: [load_adversary(one.adversary).abuse_type for one in parts[split]] for split in SPLITS}
        assert all(len(set(some)) == len(some) > 0 for some in kinds.values())
        assert kinds["train"][0] == kinds["validation"][0] == kinds["test"][0]
        assert set(kinds["test"]) <= set(kinds["train"])
        tested = sum(one.harmful for one in parts["test"])
        expert, naive = (
            sum(one.harmful for one in parts["test"] if one.skill == skill) / tested for skill in ("expert", "naive")
        )
        assert expert >= 0.25
        assert naive <= 0.25
        # A list of cards is tried out, a ring has its accounts: what makes noise can be heard.
        loud = parts["train"][0]
        assert loud.skill == "naive"
        assert loud.harmful / load_adversary(loud.adversary).harmful_share["naive"] > min(0.01 * events, 130)


def test_kinds_for_which_there_is_no_room_are_named(rows: list[dict[str, object]]) -> None:
    assert count_quotas(rows).absent(replace(SMALL, malicious_share=0.0)) == {}
    lacking = count_quotas(rows).absent(SMALL)
    assert "test" not in lacking
    assert set(lacking) <= {"train", "validation"}
    here = {load_adversary(str(row["adversary"])).abuse_type for row in rows if row["split"] == "validation"}
    assert here | set(lacking["validation"]) == set(ABUSE_TYPES)
    assert not here & set(lacking["validation"])
    # Nobody misses what he has not asked for, or what a part never has.
    chosen = replace(SMALL, only=("carding", "human_farms"))
    assert count_quotas([]).absent(chosen) == {
        "train": ["payment_fraud"], "validation": ["payment_fraud"], "test": ["promotion_abuse", "payment_fraud"],
    }  # fmt: skip


def test_an_account_is_used_in_one_part_only() -> None:
    scenario = Scenario(events=70_000, seed=6, days=12)
    world = World(scenario)
    parts: dict[str, set[str]] = {}
    for planned in plan(scenario):
        for entry in campaigns.run(world, planned).entries:
            if entry.truth.adversary:
                for account in (entry.event.account, entry.event.inviter, entry.event.recipient):
                    parts.setdefault(account or "", set()).add(planned.split)
    parts.pop("", None)
    assert len(parts) > 60
    assert all(len(some) == 1 for some in parts.values())


@pytest.mark.parametrize("scenario", [SMALL, LARGE, replace(LARGE, seed=9, days=60)])
def test_every_campaign_stays_in_its_part(scenario: Scenario) -> None:
    planned = plan(scenario)
    assert [one.number for one in planned] == list(range(len(planned)))
    for one in planned:
        low, high = scenario.span_of(one.split)
        assert low <= one.starts_at < one.ends_at <= high
        assert one.harmful >= 1
        assert one.budget_minor > 0
        if one.family in TEST_ONLY or (one.family in EXPERTS_TEST_ONLY and one.skill == "expert"):
            assert one.split == "test"


def test_large_plans_hold_every_family() -> None:
    planned = plan(LARGE)
    here = {(one.adversary, one.skill) for one in planned}
    for name in list_adversaries():
        # What is seen in the test part alone has less room.
        wanted = {"expert"} if name in TEST_ONLY else set(load_adversary(name).skills) - {"naive"}
        assert {(name, skill) for skill in wanted} <= here
    assert len(TEST_ONLY) == 2
    assert len(EXPERTS_TEST_ONLY) == 2


def test_a_campaign_is_a_function_of_the_scenario_and_its_number() -> None:
    planned = plan(SMALL)[3::17]
    together = [run(World(SMALL), one) for one in planned]
    alone = run(World(SMALL), planned[-1])

    def told(ran: campaigns.Ran) -> list[bytes]:
        return [msgspec.json.encode(entry.event) for entry in ran.entries]

    assert told(alone) == told(together[-1])
    assert alone.row == together[-1].row
    other = run(World(replace(SMALL, seed=8)), plan(replace(SMALL, seed=8))[3])
    assert told(other) != told(together[0])


def test_chosen_adversaries_only() -> None:
    chosen = replace(SMALL, only=("carding", "scraping_fast"))
    assert {one.adversary for one in plan(chosen)} == {"carding", "scraping_fast"}
    with pytest.raises(UsageError, match="unknown adversary"):
        plan(replace(SMALL, only=("cardin",)))
    assert plan(replace(SMALL, malicious_share=0.0)) == ()


def test_broken_promises_are_named() -> None:
    row = {"split": "train", "events": 99_999, "harmful": 10, "adversary": "human_farms", "family": "human_farms"}
    found = count_quotas([{**row, "skill": "naive"}]).broken(SMALL)
    assert any("more than 3%" in line for line in found)
    assert any("human_farms (naive) appears in train" in line for line in found)
    assert any("scraping is missing in test" in line for line in found)
    assert Quotas().table() == ""


def test_rows_say_what_happened(rows: list[dict[str, object]]) -> None:
    for row, planned in zip(rows, plan(SMALL), strict=True):
        assert isinstance(planned, Planned)
        assert row["campaign"] == planned.number
        assert 0 <= row["spent_minor"] <= row["budget_minor"]  # type: ignore[operator]
        assert row["harmful"] <= planned.harmful  # type: ignore[operator]
        assert not row["gave_up"]
