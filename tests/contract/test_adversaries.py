"""Every adversary that there is, with every skill: what it may do, what it must say, when it stops."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import polars as pl
import pytest

from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.decode import decode_event
from floorwalker.events.types import TYPE_CODES
from floorwalker.simulation.shop.adversaries import list_adversaries, load_adversary
from floorwalker.simulation.shop.adversaries._base import Adversary, Answer, Brief, run
from floorwalker.simulation.shop.adversaries._skills import SKILLS
from floorwalker.simulation.shop.diary import Entry, Truth
from floorwalker.simulation.shop.run import simulate
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.world import World

NAMES = list_adversaries()
SCENARIO = Scenario(events=3_000, seed=3, days=12)


@pytest.fixture(scope="module")
def world() -> World:
    return World(SCENARIO)


def brief(world: World, skill: str, *, harmful: int = 3, days: int = 6, budget_minor: int = 30_000) -> Brief:
    start = SCENARIO.first_at + DAY
    rng = world.chance.generator(f"contract/{skill}", 5)
    return Brief(world, skill, 7, start, start + days * DAY, budget_minor, rng, harmful=harmful, most=400)


def told(entries: list[Entry]) -> list[tuple[bytes, object]]:
    return [(msgspec.json.encode(entry.event), entry.truth) for entry in entries]


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name: str) -> None:
    family = load_adversary(name)
    assert family.id == name
    assert family.title
    assert family.abuse_type in ABUSE_TYPES
    assert family.harmful <= set(TYPE_CODES)
    assert family.owasp == "" or family.owasp.startswith("OAT-0")
    assert family.economics.gain_minor > 0
    assert set(family.skills) <= set(SKILLS)
    for skill in family.skills:
        assert 0.0 < family.harmful_share[skill] <= 1.0
        assert all(tactic.cost >= 0.0 for tactic in family.tactics[skill])


@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("name", NAMES)
def test_each_campaign(world: World, name: str, skill: str) -> None:
    family = load_adversary(name)
    if skill not in family.skills:
        pytest.skip("this family has no such skill")
    given = brief(world, skill)
    adversary = family(given)
    entries = run(adversary)
    # It does what it came for, within its time and its budget.
    harmful = [entry for entry in entries if entry.truth.phase == "harmful"]
    assert 0 < len(harmful) <= given.harmful
    assert all(given.starts_at <= entry.event.at < given.ends_at for entry in entries)
    assert [entry.event.at for entry in entries] == sorted(entry.event.at for entry in entries)
    assert adversary.spent_minor <= given.budget_minor
    # The truth says the same of all of it, but for customers whom it drew in without their knowing.
    assert {entry.event.type for entry in harmful} <= family.harmful
    own = [entry for entry in entries if entry.truth.adversary]
    assert {entry.truth.abuse_type for entry in own} == {family.abuse_type}
    assert {(entry.truth.adversary, entry.truth.skill, entry.truth.campaign) for entry in own} == {(name, skill, 7)}
    assert {entry.truth.phase for entry in own} <= {"preparatory", "harmful"}
    assert all(entry.truth == Truth(segment=entry.truth.segment) for entry in entries if not entry.truth.adversary)
    assert all((entry.truth.loss_minor > 0) <= (entry.truth.phase == "harmful") for entry in entries)
    # Its events are events.
    for place, entry in enumerate(entries):
        event = msgspec.structs.replace(entry.event, id=f"e{place:05d}")
        decoded = decode_event(msgspec.json.encode(event), now=SCENARIO.end_at)
        assert msgspec.structs.replace(decoded, received_at=0) == event
    # The same chance, the same campaign; for one skill of each family, to save time.
    if SKILLS[NAMES.index(name) % 4] == skill:
        assert told(run(family(brief(world, skill)))) == told(entries)


@pytest.mark.parametrize(("place", "name"), list(enumerate(NAMES)))
def test_gives_up_where_everything_is_refused(world: World, name: str, place: int) -> None:
    family = load_adversary(name)
    skill = SKILLS[(place + 1) % 4]
    given = brief(world, skill, harmful=400, budget_minor=400_000)
    adversary = family(replace(given, most=100_000))
    now: int | None = given.starts_at
    while now is not None:
        step = adversary.step(now)
        if step.entries:
            adversary.hear([Answer(step.entries[0], "refused")])
        now = step.next_at
    assert adversary.gave_up
    assert adversary.spent_minor < 0.3 * given.budget_minor


HUMAN = ("pointer_moves", "touches", "scrolls")


@pytest.mark.parametrize("name", NAMES)
def test_experts_look_like_people(world: World, name: str) -> None:
    family = load_adversary(name)
    entries = run(family(brief(world, "expert", harmful=5, budget_minor=60_000)))
    kinds = {entry.event.network.kind for entry in entries if entry.event.network}
    assert "hosting" not in kinds
    assert all(tactic.looks_human for tactic in family.tactics["expert"])
    # Of people's own reports eight in ten thousand take them for a driven browser.
    assert sum(entry.event.signals.webdriver is True for entry in entries if entry.event.signals) <= 1
    for entry in entries:
        seen = entry.event.signals
        if seen is not None:
            assert any(getattr(seen, field) for field in HUMAN)
        facts = entry.event.device_facts
        if facts is not None:
            assert not facts.emulator
            assert not facts.cloned
    # Nobody acts again and again: harm is spread over accounts, and they over days.
    harmful = [entry.event for entry in entries if entry.truth.phase == "harmful"]
    named = [event.account or event.session for event in harmful]
    # A visit of pages has many of them; everything else is done once or twice by each.
    if family.abuse_type not in ("scraping", "ranking_manipulation"):
        assert max(named.count(one) for one in named) <= 3


def test_unknown_names_are_refused() -> None:
    from floorwalker.errors import UsageError

    with pytest.raises(UsageError, match="no_such"):
        load_adversary("no_such")


def test_each_is_an_adversary() -> None:
    assert all(issubclass(load_adversary(name), Adversary) for name in NAMES)
    assert len(NAMES) >= 28


@pytest.mark.parametrize("name", ["credential_stuffing", "credential_cracking"])
def test_a_wrong_password_looks_alike_whoever_types_it(name: str, tmp_path) -> None:
    simulate(Scenario(events=12_000, seed=4, days=6, only=(name,)), tmp_path)
    events = pl.read_parquet(tmp_path / "events.parquet")
    failed = events.join(pl.read_parquet(tmp_path / "truth.parquet").select("id", "phase"), on="id").filter(
        pl.col("type") == "login_failed"
    )
    malicious, honest = (failed.filter((pl.col("phase") == "") == is_honest) for is_honest in (False, True))
    assert len(malicious) > 3
    assert len(honest) > 3
    for column in ("reason", "url", "method"):
        assert set(malicious[column].unique()) <= set(honest[column].unique()), column
