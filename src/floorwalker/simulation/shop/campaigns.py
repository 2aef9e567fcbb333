"""Who comes when, with which craft and budget: the plan that the splits' quotas are kept by.

A campaign is a function of the scenario and of its number, so any process can make any of them. What the plan promises:
malicious events stay below the scenario's share; a campaign lies within one split; what `TEST_ONLY` and
`EXPERTS_TEST_ONLY` name appears in the test part alone; each abuse type and each skill gets its share of harmful events
in each part (`SKILL_SHARES`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from numpy.random import Generator

from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.simulation.shop.adversaries import list_adversaries, load_adversary
from floorwalker.simulation.shop.adversaries._base import SKILLS, Adversary, Brief, span_of
from floorwalker.simulation.shop.adversaries._base import run as play
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.scenario import DAY, SPLITS, Scenario
from floorwalker.simulation.shop.world.calendar import Calendar

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World

TEST_ONLY: frozenset[str] = frozenset({"human_farms", "triangulation"})
"""Families that no model sees before it is judged."""
EXPERTS_TEST_ONLY: frozenset[str] = frozenset({"fake_reviews", "scraping_slow"})
"""Families whose naive, skilled and advanced variants are seen before, whose experts are not."""
SKILL_SHARES = MappingProxyType(
    {
        "train": {"naive": 0.24, "skilled": 0.28, "advanced": 0.26, "expert": 0.22},
        "validation": {"naive": 0.22, "skilled": 0.26, "advanced": 0.27, "expert": 0.25},
        "test": {"naive": 0.20, "skilled": 0.26, "advanced": 0.26, "expert": 0.28},
    }
)
"""Part -> skill -> share of its harmful events."""
SCARCE_SHARES = MappingProxyType({"naive": 0.16, "skilled": 0.24, "advanced": 0.27, "expert": 0.33})
"""Of the test part, where it has few campaigns: so that experts make their quarter of it with room to spare."""
_SCARCE = 8_000
"""Malicious events below which a test part has few campaigns."""
TYPE_WEIGHTS = MappingProxyType({"scraping": 1.5})
"""Abuse type -> times the harmful events of the others: a page that is copied is little."""
_LEAST = (by_skill(30, 20, 10, 8), by_skill(120, 80, 40, 30))
"""Skill -> harmful events below which one more campaign says nothing: of any kind, and of copied pages."""
_FEW = 20
"""Harmful events of one kind of abuse below which a part has room for one campaign of it at the most (`_one_each`)."""
_ONE_EACH = MappingProxyType(
    {
        "train": ("naive", "skilled", "naive", "expert", "naive", "skilled", "advanced", "naive", "skilled"),
        "validation": ("naive", "skilled", "expert", "naive", "advanced", "skilled", "naive", "expert", "skilled"),
        "test": ("naive", "expert", "skilled", "advanced", "expert", "skilled", "advanced", "expert", "advanced"),
    }
)
"""Part -> the skills of its campaigns, one kind of abuse after the other, where there is room for few."""
_WORTH = by_skill(150, 150, 60, 60)
"""Skill -> events of the smallest campaign that is one: a list of cards is tried out, a ring has its accounts; whoever
hides may be few."""
_QUIET = ("expert", "advanced")
"""Skills whose campaigns can be small."""
_LEAST_EVENTS = 45
"""Events of the smallest campaign of a part that has room for few kinds of abuse."""
_LEAST_OF_FEW = 75
"""The same of a test part that cannot have every kind: then rather fewer that can be seen."""
_FEW_TESTED = ("expert", "skilled", "advanced", "naive")
"""The skills of such a part's campaigns, so that it keeps what is promised of skills however few they are."""
ROOM = 500_000
"""Events of a scenario from which on every part has room for campaigns of every kind of abuse."""
_RESERVE = 0.14
"""Share of the malicious events of smaller scenarios that is not planned: campaigns that take longer need it."""
_MANY = 60
"""Campaigns whose sum is near what is planned for all of them."""
MOST_MALICIOUS = 0.03
"""Share of a run's events that all campaigns together may cause, however small it is."""
_SLACK = 1.5
"""A campaign may cause this many times the events that it is planned with."""


_READY = by_skill(0.0, 0.0, 2.0, 4.0)
"""Skill -> days before a moment from which on a campaign that waits for it prepares."""


@dataclass(frozen=True)
class Planned:
    """One campaign that will be.

    Parameters
    ----------
    number : its own, 0 and up.
    adversary, family : id, and the group that splits are made by.
    skill, split : how good, and in which part.
    starts_at, ends_at : when it may act, microseconds; the end is excluded.
    budget_minor : what it may spend, minor units of EUR.
    harmful : harmful events that it is after.
    most : events that it may cause at the most.
    """

    number: int
    adversary: str
    family: str
    skill: str
    split: str
    starts_at: int
    ends_at: int
    budget_minor: int
    harmful: int
    most: int


@dataclass(frozen=True)
class Ran:
    """One campaign as it went.

    Parameters
    ----------
    entries : its events with their truth, in the order of their times.
    row : its line of `campaigns.parquet`.
    """

    entries: list[Entry]
    row: dict[str, Any]


def plan(scenario: Scenario) -> tuple[Planned, ...]:
    """All campaigns of a scenario, by split and family.

    >>> planned = plan(Scenario(events=100_000, days=3))
    >>> {campaign.split for campaign in planned} == {"train", "validation", "test"}
    True
    """
    calendar = Calendar(scenario, Chance(scenario.seed))
    made: list[Planned] = []
    wanted = {}
    for split in SPLITS:
        low, high = scenario.span_of(split)
        share = (high - low) / (scenario.end_at - scenario.first_at)
        reserve = _RESERVE if scenario.events < ROOM else 0.0
        wanted[split] = scenario.events * scenario.malicious_share * share * (1.0 - reserve)
    few = _few_kinds(scenario, wanted["test"])
    for split in SPLITS:
        made += _plan_split(scenario, calendar, split, wanted[split], len(made), few)
    # What one campaign causes differs from its plan by a fifth; many make up for each other, few need a bound.
    return tuple(made if len(made) >= _MANY else _bounded(made, int(MOST_MALICIOUS * scenario.events)))


def _few_kinds(scenario: Scenario, tested: float) -> tuple[str, ...]:
    """Kinds of abuse in the order in which every part gets them where the test part cannot have all; else nothing.

    Parameters
    ----------
    tested : malicious events that the test part has room for.

    In a small run what is tested for shall have been there to learn from, as far as there is room for both. Whoever
    names the adversaries wants to see them all: then each part has its own order.
    """
    kinds = {load_adversary(name).abuse_type for name in list_adversaries()}
    if scenario.only or tested >= _LEAST_EVENTS * len(kinds):
        return ()
    drawn = Chance(scenario.seed).generator("plan/kinds").permutation(len(kinds))
    return tuple(sorted(kinds, key=ABUSE_TYPES.index)[place] for place in drawn.tolist())


def _bounded(made: list[Planned], allowed: int) -> list[Planned]:
    """The same campaigns, with less room above what they are planned with where all together could cause too much."""
    planned = [_planned_events(one) for one in made]
    slack = sum(one.most for one in made) - sum(planned)
    left = min(1.0, max(0, allowed - sum(planned)) / max(slack, 1))
    if sum(planned) > allowed:
        planned = [count * allowed // sum(planned) for count in planned]
    return [
        replace(one, most=max(1, count + int(left * (one.most - count))))
        for one, count in zip(made, planned, strict=True)
    ]


def _planned_events(one: Planned) -> int:
    return min(one.most, int(one.harmful / load_adversary(one.adversary).harmful_share[one.skill]) + 1)


def brief_of(world: World, planned: Planned) -> Brief:
    """What the adversary of one campaign is sent out with."""
    return Brief(
        world=world,
        skill=planned.skill,
        campaign=planned.number,
        starts_at=planned.starts_at,
        ends_at=planned.ends_at,
        budget_minor=planned.budget_minor,
        rng=world.chance.generator("campaign", planned.number),
        harmful=planned.harmful,
        most=planned.most,
    )


def run(world: World, planned: Planned) -> Ran:
    """One campaign where nobody defends himself: a function of the scenario and of the campaign's number."""
    adversary = load_adversary(planned.adversary)(brief_of(world, planned))
    entries = play(adversary)
    return Ran(entries, row_of(planned, adversary, entries))


def run_campaigns(world: World, campaigns: Iterable[Planned]) -> Iterator[Ran]:
    """Some campaigns, one after the other: workers take `plan(scenario)[worker::workers]`."""
    for planned in campaigns:
        yield run(world, planned)


def row_of(planned: Planned, adversary: Adversary, entries: list[Entry]) -> dict[str, Any]:
    """The line of a campaign in `campaigns.parquet`; customers whom it drew in are none of its accounts."""
    entries = [entry for entry in entries if entry.truth.adversary]
    return {
        "campaign": planned.number,
        "adversary": planned.adversary,
        "family": planned.family,
        "skill": planned.skill,
        "split": planned.split,
        "starts_at": planned.starts_at,
        "ends_at": planned.ends_at,
        "budget_minor": planned.budget_minor,
        "spent_minor": adversary.spent_minor,
        "gained_minor": round(adversary.purse.gained_minor),
        "accounts": len({entry.event.account for entry in entries if entry.event.account}),
        "events": len(entries),
        "harmful": sum(entry.truth.phase == "harmful" for entry in entries),
        "loss_minor": sum(entry.truth.loss_minor for entry in entries),
        "gave_up": adversary.gave_up,
    }


def available(split: str, skill: str, names: Iterable[str]) -> dict[str, list[type[Adversary]]]:
    """Abuse type -> the families that may appear in this part with this skill."""
    found: dict[str, list[type[Adversary]]] = {}
    for name in names:
        family = load_adversary(name)
        hidden = name in TEST_ONLY or (name in EXPERTS_TEST_ONLY and skill == "expert")
        if skill in family.skills and not (hidden and split != "test"):
            found.setdefault(family.abuse_type, []).append(family)
    return found


@dataclass
class _Slot:
    """A campaign that is being planned: how much harm it does is known once all are."""

    skill: str
    family: type[Adversary]
    harmful: float


def _plan_split(
    scenario: Scenario, calendar: Calendar, split: str, events: float, first: int, few: tuple[str, ...]
) -> list[Planned]:
    names = scenario.only or list_adversaries()
    rng = Chance(scenario.seed).generator(f"plan/{split}")
    by_type: dict[str, dict[str, list[type[Adversary]]]] = {}
    for skill in scenario.skills or SKILLS:
        for abuse_type, families in available(split, skill, names).items():
            order = [families[place] for place in rng.permutation(len(families)).tolist()]
            by_type.setdefault(abuse_type, {})[skill] = order
    if not by_type or events <= 0:
        return []
    kinds = sorted(by_type, key=ABUSE_TYPES.index)
    kinds = [kinds[place] for place in rng.permutation(len(kinds)).tolist()]
    skills: tuple[str, ...] = _ONE_EACH[split]
    least = _LEAST_EVENTS
    if few:
        kinds = sorted(kinds, key=few.index)
        if split == "test":
            skills, least = _FEW_TESTED, _LEAST_OF_FEW
    kinds = kinds[: max(1, int(events // least))]
    shares = SCARCE_SHARES if split == "test" and events < _SCARCE else SKILL_SHARES[split]
    harmful = events / 10.0
    slots: list[_Slot] = []
    for _ in range(6):
        # How many events a harmful one costs depends on who does it: a few rounds, and both fit.
        if harmful < _FEW * len(kinds):
            slots = _one_each(by_type, kinds, skills, events, shares if split == "test" else None, bool(few))
            break
        slots = _slots(by_type, kinds, shares, harmful, even=split == "test")
        harmful *= events / sum(slot.harmful / slot.family.harmful_share[slot.skill] for slot in slots)
    scale = events / sum(slot.harmful / slot.family.harmful_share[slot.skill] for slot in slots)
    low, high = scenario.span_of(split)
    made: list[Planned] = []
    for slot in slots:
        family, skill = slot.family, slot.skill
        target = max(2, round(slot.harmful * scale))
        span = _span(scenario, calendar, rng, slot, (low, high))
        made.append(_campaign(first + len(made), family, skill, split, span, target))
    return made


def _span(
    scenario: Scenario, calendar: Calendar, rng: Generator, slot: _Slot, part: tuple[int, int]
) -> tuple[int, int]:
    """When a campaign lives: at any time within its part, or around a moment that it waits for."""
    low, high = part
    family, skill = slot.family, slot.skill
    span = int(span_of(skill, (high - low) / DAY, hurry=family.hurry, early=family.early) * DAY)
    moments = [one for one in calendar.of_kind(family.waits_for) if low <= one.starts_at < high]
    # One draw, whoever waits or does not: when a campaign lives moves none of the others.
    drawn = float(rng.random())
    if not moments:
        begins = low + int(drawn * (high - low - span))
        return begins, begins + span
    place = drawn * len(moments)
    moment = moments[int(place)]
    # The careful have their accounts ready before they know what for; parcels come days later.
    begins = max(low, moment.starts_at - int(_READY[skill] * (0.7 + (1.3 - 0.7) * (place % 1.0)) * DAY))
    return begins, min(high, moment.ends_at + 4 * DAY)


def _slots(
    by_type: Mapping[str, Mapping[str, list[type[Adversary]]]],
    kinds: list[str],
    shares: Mapping[str, float],
    harmful: float,
    *,
    even: bool,
) -> list[_Slot]:
    """Campaigns of so much harm in all: of every skill where there is room, else few that are worth their name.

    Where there is no room, each does the same harm (`even`), or more where harm needs fewer other events: a naive
    campaign then has nearer to as many attempts as such a campaign has in life.
    """
    weights = {kind: TYPE_WEIGHTS.get(kind, 1.0) for kind in kinds}
    slots: list[_Slot] = []
    given = dict.fromkeys(SKILLS, 0.0)
    for kind in kinds:
        wanted = harmful * weights[kind] / sum(weights.values())
        families = by_type[kind]
        least = _LEAST[kind == "scraping"]
        roomy = all(wanted * shares[skill] >= least[skill] for skill in families)
        mine = dict.fromkeys(SKILLS, 0.0)
        if roomy:
            for skill, some in families.items():
                part = wanted * shares[skill] / sum(shares[one] for one in families)
                size = sum(family.sizes[skill] for family in some) / len(some)
                count = max(1, round(part / size), min(len(some), int(part // least[skill])))
                slots += [_Slot(skill, some[turn % len(some)], part / count) for turn in range(count)]
                given[skill] += part
            continue
        count = max(1, int(wanted // least["skilled"]))
        for turn in range(count):
            # Whichever skill is furthest behind its share, of all harm and of this kind's.
            part = wanted / count
            total, own = sum(given.values()) + part, sum(mine.values()) + part
            skill = max(families, key=lambda one: shares[one] * (total + own) - given[one] - mine[one])
            some = families[skill]
            family = some[turn % len(some)]
            slots.append(_Slot(skill, family, part if even else part * (8.0 * family.harmful_share[skill]) ** 0.5))
            given[skill] += part
            mine[skill] += part
    return slots


def _one_each(
    by_type: Mapping[str, Mapping[str, list[type[Adversary]]]],
    kinds: list[str],
    skills: tuple[str, ...],
    events: float,
    shares: Mapping[str, float] | None,
    in_order: bool,
) -> list[_Slot]:
    """Few campaigns, each of a size that such a campaign has in life, of as many kinds of abuse as there is room for.

    Parameters
    ----------
    by_type : abuse type -> skill -> families, in the order in which they come.
    kinds : abuse types in the order in which they come.
    skills : of the first, the second, … campaign.
    events : that all may cause.
    shares : skill -> share of the harm where it is promised (then every kind appears, and sizes follow the promise).
    in_order : a kind whose campaign is too large has a smaller one, so that no later kind comes in its place.
    """
    chosen: list[tuple[str, type[Adversary]]] = []
    for turn, kind in enumerate(kinds):
        wished = skills[turn % len(skills)]
        skill = wished if wished in by_type[kind] else sorted(by_type[kind], key=SKILLS.index)[-1]
        chosen.append((skill, by_type[kind][skill][0]))
    if shares is not None:
        counts = {one: sum(skill == one for skill, _ in chosen) for one in SKILLS}
        return [_Slot(skill, family, shares[skill] / counts[skill]) for skill, family in chosen]
    slots: list[_Slot] = []
    left = events
    for kind, (skill, family) in zip(kinds, chosen, strict=True):
        if slots and left < _WORTH[skill]:
            quiet = next((one for one in _QUIET if one in by_type[kind] and _WORTH[one] <= left), "")
            if not (in_order and quiet):
                continue
            skill, family = quiet, by_type[kind][quiet][0]
        slots.append(_Slot(skill, family, _WORTH[skill] * family.harmful_share[skill]))
        left -= _WORTH[skill]
    return slots


def _campaign(
    number: int, family: type[Adversary], skill: str, split: str, span: tuple[int, int], harmful: int
) -> Planned:
    dearest = max(tactic.dearest for tactic in family.tactics[skill])
    budget = int(1.2 * (harmful * 1.5 + 4) * (dearest + family.economics.extra_minor + family.needs_minor)) + 1_000
    most = int(_SLACK * harmful / family.harmful_share[skill]) + 60
    return Planned(number, family.id, family.id, skill, split, *span, budget, harmful, most)
