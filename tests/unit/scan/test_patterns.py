"""Each named pattern: a visitor that it names, one that it leaves alone, one that tries to slip under it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from floorwalker.events.requests import METHODS, RequestBatch
from floorwalker.features.routes.roles import ROLES
from floorwalker.features.visitors import FEATURES, VisitorTable
from floorwalker.scan.model import pattern_cutoff
from floorwalker.scan.patterns import Evidence, load_patterns

START = 1_636_000_000 // 86_400 * 86_400
PATTERNS = {pattern.code: pattern for pattern in load_patterns()}


@dataclass
class Visit:
    """Requests of one visitor: `at` in seconds of the day, role of the route, number of the target, method, status."""

    requests: list[tuple[float, str, int, str, int]] = field(default_factory=list)

    def add(self, at: float, role: str, target: int = 0, method: str = "GET", status: int = 200) -> Visit:
        self.requests.append((at, role, target, method, status))
        return self


def evidence_of(visit: Visit, *, dangers: dict[int, int] | None = None, referrer: int = 1) -> Evidence:
    rows = sorted(visit.requests)
    count = len(rows)
    table = VisitorTable(ROLES, seed=1)
    role = {name: position for position, name in enumerate(ROLES)}
    target = np.array([role[name] * 1000 + number for _, name, number, _, _ in rows], np.int32)
    nothing = np.full(count, -1, np.int32)
    danger = np.zeros(len(ROLES) * 1000 + 1000, np.int8)
    for number, level in (dangers or {}).items():
        danger[role["other"] * 1000 + number] = level
    batch = RequestBatch(
        at=np.array([int((START + at) * 1e6) for at, *_ in rows], np.int64), utc_offset=np.zeros(count, np.int16),
        host=nothing, client=np.zeros(count, np.int32), session=nothing, user_agent=np.zeros(count, np.int32),
        target=target, referrer_host=nothing,
        method=np.array([METHODS.index(method) for *_, method, _ in rows], np.uint8),
        status=np.array([status for *_, status in rows], np.int16), size=np.full(count, 5000, np.int64),
    )  # fmt: skip
    kind = np.array([{"asset": 1, "beacon": 2}.get(name, 0) for name in ROLES], np.int8)
    table.advance(
        batch, np.array([role[name] for _, name, *_ in rows], np.int32), route_kind=kind,
        route_role=np.arange(len(ROLES), dtype=np.int8), target_danger=danger,
        referrer_kind=np.full(count, referrer, np.int8),
    )  # fmt: skip
    facts = table.facts(np.array([0]), {"active_days": np.ones(1), "offer_days": np.ones(1)})
    features = {feature.name: feature.compute(facts) for feature in FEATURES}
    medians = {feature.name: 1.0 for feature in FEATURES} | {"post_share": 0.0}
    return Evidence(features, facts, medians, True, np.full(1, 24.0))


def browse(pages: int = 12, *, every: float = 40.0, assets: int = 6, start: float = 36_000.0) -> Visit:
    """An honest customer: different pages, assets with each, people's pauses."""
    visit = Visit()
    at = start
    for page in range(pages):
        at += every * (0.3 + (page * 7 % 5))
        visit.add(at, ("product", "category", "search")[page % 3], page)
        for asset in range(assets):
            visit.add(at + 0.2, "asset", asset)
    return visit


def watcher(steps: int, every: float) -> Visit:
    visit = Visit()
    for step in range(steps):
        visit.add(600 + step * every, "offer", step % 2)
    return visit


def burst(count: int, role: str, method: str, status: int, every: float = 1.5) -> Visit:
    visit = Visit()
    for step in range(count):
        visit.add(36_000 + step * every, role, step % 3, method, status)
    return visit


def catalogue(pages: int, assets: int) -> Visit:
    visit = Visit()
    for page in range(pages):
        visit.add(30_000 + page * 5, "product", page)
        for asset in range(assets):
            visit.add(30_000 + page * 5 + 0.3, "asset", asset)
    return visit


def prober(paths: int) -> Visit:
    visit = Visit()
    for path in range(paths):
        visit.add(40_000 + path, "other", path, "GET", 404)
    return visit


FIRES = {
    "monitoring.watches_offers": evidence_of(watcher(48, 1700.0)),
    "activity.bursts_on_offers": evidence_of(burst(20, "offer", "GET", 200)),
    "activity.claims_codes": evidence_of(burst(12, "offer", "POST", 200, 20.0)),
    "activity.sends_forms": evidence_of(burst(12, "other", "POST", 200, 20.0), referrer=0),
    "login.tries_credentials": evidence_of(burst(15, "login", "POST", 401, 20.0)),
    "checkout.tests_payments": evidence_of(burst(10, "checkout", "POST", 402, 20.0)),
    "scraping.reads_catalogue": evidence_of(catalogue(80, 0), referrer=0),
    "probing.asks_for_secrets": evidence_of(prober(5), dangers=dict.fromkeys(range(5), 1)),
}
# What comes near each pattern and is honest: a bargain hunter's sittings, a full basket, a claim or two, a page
# that asks its server at each tap, a forgotten password, a card refused twice, a reader with a browser, a shop with a
# login page of WordPress.
STAYS_QUIET = {
    "monitoring.watches_offers": evidence_of(
        Visit(watcher(9, 60.0).requests + [(at + 40_000, *rest) for at, *rest in watcher(9, 70.0).requests])
    ),
    "activity.bursts_on_offers": evidence_of(Visit(browse().requests + burst(5, "offer", "GET", 200, 10.0).requests)),
    "activity.claims_codes": evidence_of(Visit(browse().requests + burst(2, "offer", "POST", 200).requests)),
    "activity.sends_forms": evidence_of(Visit(browse(6).requests + burst(11, "other", "POST", 200, 1.0).requests)),
    "login.tries_credentials": evidence_of(Visit(browse().requests + burst(4, "login", "POST", 401, 30.0).requests)),
    "checkout.tests_payments": evidence_of(Visit(browse().requests + burst(2, "checkout", "POST", 402).requests)),
    "scraping.reads_catalogue": evidence_of(catalogue(80, 5)),
    "probing.asks_for_secrets": evidence_of(
        Visit([*browse().requests, (50000, "other", 0, "GET", 200)]), dangers={0: 1}
    ),
}
# What an abuser tries: jitter, one claim a minute, success reported for refused cards is beyond a log; a slow scraper.
EVADES = {
    "monitoring.watches_offers": evidence_of(
        Visit([(600 + step * 2400 + (step * 7919 % 1500), "offer", step % 4, "GET", 200) for step in range(34)])
    ),
    "activity.claims_codes": evidence_of(burst(20, "offer", "POST", 200, 70.0)),
    "login.tries_credentials": evidence_of(burst(14, "login", "POST", 200, 300.0)),
    "scraping.reads_catalogue": evidence_of(
        Visit([(page * 900.0, "product", page, "GET", 200) for page in range(80)]), referrer=0
    ),
    "activity.sends_forms": evidence_of(burst(30, "other", "POST", 200, 120.0)),
}


def is_flagged(code: str, evidence: Evidence) -> bool:
    return float(PATTERNS[code].strength(evidence)[0]) >= PATTERNS[code].floor


def test_every_pattern_has_its_cases() -> None:
    assert set(FIRES) == set(STAYS_QUIET) == set(PATTERNS)


@pytest.mark.parametrize("code", sorted(PATTERNS))
def test_it_fires_and_says_why_with_numbers(code: str) -> None:
    assert is_flagged(code, FIRES[code])
    sentence = PATTERNS[code].sentence(FIRES[code], 0)
    assert any(character.isdigit() for character in sentence)


@pytest.mark.parametrize("code", sorted(PATTERNS))
def test_it_leaves_the_honest_alone(code: str) -> None:
    assert not is_flagged(code, STAYS_QUIET[code])
    assert not is_flagged(code, evidence_of(browse(30)))


@pytest.mark.parametrize("code", sorted(EVADES))
def test_small_disguises_do_not_help(code: str) -> None:
    assert is_flagged(code, EVADES[code])


def test_where_everybody_posts_only_what_is_refused_or_worth_money_is_a_flood() -> None:
    def everybody_posts(evidence: Evidence) -> Evidence:
        return replace(evidence, medians={**evidence.medians, "post_share": 0.9})

    code = "activity.sends_forms"
    recorder = burst(300, "other", "POST", 200, 1.0)
    assert is_flagged(code, evidence_of(recorder, referrer=0))
    assert not is_flagged(code, everybody_posts(evidence_of(recorder, referrer=0)))
    assert is_flagged(code, everybody_posts(evidence_of(burst(30, "login", "POST", 200, 20.0))))
    assert is_flagged(code, everybody_posts(evidence_of(burst(30, "other", "POST", 403, 20.0))))


def test_an_adaptive_cutoff_rises_with_the_site_and_never_falls_below_the_floor() -> None:
    pattern = PATTERNS["activity.bursts_on_offers"]
    assert pattern_cutoff(pattern, np.empty(0), 0.001) == pattern.floor
    facts = FIRES[pattern.code].facts
    hurried = Evidence(
        {name: np.repeat(values, 50) for name, values in FIRES[pattern.code].features.items()},
        replace(
            facts,
            stats=np.repeat(facts.stats, 50, axis=0),
            distinct_targets=np.repeat(facts.distinct_targets, 50),
            history={name: np.repeat(values, 50) for name, values in facts.history.items()},
        ),
        {},
        True,
        np.full(50, 24.0),
    )
    strength = pattern.strength(hurried)
    assert pattern_cutoff(pattern, strength, 0.001) == pytest.approx(float(strength[0]))
    proven = PATTERNS["probing.asks_for_secrets"]
    assert pattern_cutoff(proven, proven.strength(FIRES[proven.code]), 0.001) == proven.floor


def test_shares_are_written_as_everywhere_else() -> None:
    for code in ("activity.sends_forms", "scraping.reads_catalogue"):
        sentence = PATTERNS[code].sentence(FIRES[code], 0)
        assert " %" in sentence
        assert not any(f"{digit}%" in sentence for digit in range(10)), sentence
