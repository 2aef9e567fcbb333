"""What a simulation promises of its malicious events, and whether a run kept it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.simulation.shop.adversaries import list_adversaries, load_adversary
from floorwalker.simulation.shop.campaigns import EXPERTS_TEST_ONLY, MOST_MALICIOUS, ROOM, TEST_ONLY, available
from floorwalker.simulation.shop.scenario import SKILLS, SPLITS, Scenario

LEAST_EXPERT, MOST_NAIVE, LEAST_TYPE = 0.25, 0.25, 0.05
"""Shares of the harmful events of the test part."""


@dataclass
class Quotas:
    """Malicious events of a run, counted.

    Parameters
    ----------
    events : of all campaigns, by split.
    harmful : by split.
    skills, types, families : harmful events by (split, skill), (split, abuse type), (split, family, skill).
    """

    events: Counter[str] = field(default_factory=Counter)
    harmful: Counter[str] = field(default_factory=Counter)
    skills: Counter[tuple[str, str]] = field(default_factory=Counter)
    types: Counter[tuple[str, str]] = field(default_factory=Counter)
    families: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def broken(self, scenario: Scenario) -> list[str]:
        """What was promised and not kept, a sentence each; empty where all is well."""
        found = []
        total = sum(self.events.values())
        if total > MOST_MALICIOUS * scenario.events:
            found.append(f"{total} malicious events of {scenario.events} are more than {MOST_MALICIOUS:.0%}")
        test = max(self.harmful["test"], 1)
        expert, naive = self.skills["test", "expert"] / test, self.skills["test", "naive"] / test
        if expert < LEAST_EXPERT:
            found.append(f"experts make {expert:.1%} of the harmful test events, {LEAST_EXPERT:.0%} at least are due")
        if naive > MOST_NAIVE:
            found.append(
                f"naive ones make {naive:.1%} of the harmful test events, {MOST_NAIVE:.0%} at most are allowed"
            )
        for kind in ABUSE_TYPES:
            share = self.types["test", kind] / test
            if share < LEAST_TYPE:
                found.append(f"{kind} makes {share:.1%} of the harmful test events, {LEAST_TYPE:.0%} at least are due")
            needed = SPLITS if scenario.events >= ROOM else ("test",)
            found += [f"{kind} is missing in {split}" for split in needed if not self.types[split, kind]]
        for (split, family, skill), count in self.families.items():
            hidden = family in TEST_ONLY or (family in EXPERTS_TEST_ONLY and skill == "expert")
            if hidden and split != "test" and count:
                found.append(f"{family} ({skill}) appears in {split}")
        return found

    def absent(self, scenario: Scenario) -> dict[str, list[str]]:
        """Part -> kinds of abuse that the scenario asks for and the part has no harmful event of.

        >>> Quotas().absent(Scenario(only=("carding", "triangulation")))
        {'train': ['payment_fraud'], 'validation': ['payment_fraud'], 'test': ['payment_fraud']}
        """
        if not scenario.malicious_share:
            return {}
        names = scenario.only or list_adversaries()
        found: dict[str, list[str]] = {}
        for split in SPLITS:
            asked = {kind for skill in scenario.skills or SKILLS for kind in available(split, skill, names)}
            lacking = [kind for kind in ABUSE_TYPES if kind in asked and not self.types[split, kind]]
            found |= {split: lacking} if lacking else {}
        return found

    def absent_families(self, scenario: Scenario) -> list[str]:
        """Families that the scenario asks for and for which it had no room at all.

        >>> counted = Quotas(families=Counter({("test", "carding", "expert"): 3}))
        >>> counted.absent_families(Scenario(only=("carding", "triangulation")))
        ['triangulation']
        """
        if not scenario.malicious_share:
            return []
        present = {family for (_, family, _), count in self.families.items() if count}
        return [name for name in scenario.only or list_adversaries() if name not in present]

    def table(self) -> str:
        """The shares as lines of text.

        >>> Quotas(harmful=Counter(test=4), skills=Counter({("test", "expert"): 3, ("test", "naive"): 1})).table()
        'test: 0 events, 4 harmful; expert 75.0 %, naive 25.0 %'
        """
        lines = []
        for split in SPLITS:
            harmful = self.harmful[split]
            if not harmful:
                continue
            parts = []
            for counts in (self.skills, self.types):
                found = sorted((name, count) for (where, name), count in counts.items() if where == split)
                if found:
                    parts.append(", ".join(f"{name} {100 * count / harmful:.1f} %" for name, count in found))
            lines.append(f"{split}: {self.events[split]:,} events, {harmful:,} harmful; " + "; ".join(parts))
        return "\n".join(lines)


def count_quotas(rows: Iterable[Mapping[str, Any]]) -> Quotas:
    """Count the lines of `campaigns.parquet`."""
    kinds = {name: load_adversary(name).abuse_type for name in list_adversaries()}
    made = Quotas()
    for row in rows:
        split, harmful = str(row["split"]), int(row["harmful"])
        made.events[split] += int(row["events"])
        made.harmful[split] += harmful
        made.skills[split, str(row["skill"])] += harmful
        made.types[split, kinds[str(row["adversary"])]] += harmful
        made.families[split, str(row["family"]), str(row["skill"])] += harmful
    return made
