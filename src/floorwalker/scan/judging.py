"""Who is flagged, why, and how sure we are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.features.visitors import _columns as c
from floorwalker.scan.categories import categorise
from floorwalker.scan.cohorts import MOST_PAGES, cohort_frame
from floorwalker.scan.cutoff import score_cutoff
from floorwalker.scan.model import VisitorModel, pattern_cutoff
from floorwalker.scan.patterns import Evidence, Pattern, load_patterns
from floorwalker.scan.result import CATEGORIES, TIERS
from floorwalker.scan.swarms import Swarms, find_swarms
from floorwalker.scan.visitor_days import Rows, VisitorDays
from floorwalker.scan.wording import unusual_sentences
from floorwalker.settings import ScanSettings

Values = NDArray[np.float64]
IMPOSTOR = "machine.impostor"
UNUSUAL = "visitor.unusual"
SWARM = "swarm.acts_as_one"
NOTABLE_SPREADS = 3.0
FEWEST_NOTABLE = 2
FULL_DAY = 0.1


@dataclass
class Judgement:
    """What was decided of the judged visitor-days; `m` rows.

    Parameters
    ----------
    rows : positions of the judged visitor-days among all.
    sparse_rows : positions of ordinary visitor-days with too few visits, of the judged days.
    model : what they were judged by.
    features : name to float64 [m].
    score : float32 [m] in [0, 1], how unusual.
    category : int8 [m], index into `CATEGORIES`.
    tier : int8 [m], index into `TIERS`, -1 where not flagged.
    rank : float32 [m], flags are ordered by it.
    unusual : bool [m], whether the score alone is beyond the cut-off.
    flagged : positions of the flagged among the judged.
    codes, sentences : reason codes and sentences of each of `flagged`, strongest first.
    swarms : cohorts of visitors with few visits (see `ScanResult.swarms`).
    """

    rows: Rows
    sparse_rows: Rows
    model: VisitorModel
    features: dict[str, Values]
    score: NDArray[np.float32]
    category: NDArray[np.int8]
    tier: NDArray[np.int8]
    rank: NDArray[np.float32]
    unusual: NDArray[np.bool_]
    flagged: Rows
    codes: list[list[str]]
    sentences: list[list[str]]
    swarms: pl.DataFrame


def judge(
    days: VisitorDays,
    machines: pl.DataFrame,
    *,
    judged: Sequence[int],
    training: Sequence[int],
    settings: ScanSettings,
    model: VisitorModel | None,
) -> Judgement:
    """Learn where no model is given, then judge.

    Parameters
    ----------
    machines : the verdict on each visitor-day, row-aligned: `kind` (null for a visitor), `impostor`, `evidence`.
    judged, training : days since 1970-01-01.
    model : of an earlier run; None fits one on the training days.
    """
    impostor = machines["impostor"].to_numpy()
    ordinary = machines["kind"].is_null().to_numpy() | impostor
    enough = days.stat(c.PAGES) >= settings.min_visits
    span_hours = days.span_hours()
    if model is None:
        taught = np.flatnonzero(ordinary & ~impostor & enough & np.isin(days.day, list(training)))
        facts = days.facts(taught)
        features = days.features(facts)

        def evidence_of(medians: Mapping[str, float], fetches: bool) -> Evidence:
            return Evidence(features, facts, medians, fetches, span_hours[taught])

        model = VisitorModel.fit(features, evidence_of, settings, days=_full_days(days.day[taught]))
    on_judged_days = np.isin(days.day, list(judged))
    rows = np.flatnonzero(ordinary & on_judged_days & (enough | impostor))
    sparse = np.flatnonzero(ordinary & on_judged_days & ~enough & ~impostor & (days.stat(c.PAGES) > 0))
    facts = days.facts(rows)
    features = days.features(facts)
    evidence = Evidence(features, facts, model.medians, model.site_fetches_assets, span_hours[rows])
    deviations = model.deviations(features)
    score = model.score(deviations)
    flags = _flag(evidence, deviations, score, impostor[rows], days.day[rows], model, settings)
    few = ordinary & on_judged_days & ~impostor & (days.stat(c.PAGES) > 0) & (days.stat(c.PAGES) <= MOST_PAGES)
    swarms = find_swarms(
        cohort_frame(days, np.flatnonzero(few)),
        min_clients=settings.min_swarm,
        site_fetches_assets=model.site_fetches_assets,
    )
    swarm_of = _members(swarms, rows)
    flags.tier[(swarm_of >= 0) & (flags.tier != TIERS.index("proven"))] = TIERS.index("strong pattern")
    flags.rank[(swarm_of >= 0) & (flags.rank < 2.0)] += len(TIERS) - TIERS.index("strong pattern")
    codes, sentences = _explain(flags, evidence, deviations, swarm_of, swarms, machines["evidence"], rows, model)
    category = categorise(evidence)
    for pattern, strength in flags.strengths.items():
        if pattern.category is not None:
            category[strength > 0] = CATEGORIES.index(pattern.category)
    return Judgement(
        rows=rows,
        sparse_rows=sparse,
        model=model,
        features=features,
        score=score,
        category=category,
        tier=flags.tier,
        rank=flags.rank,
        unusual=flags.unusual,
        flagged=np.flatnonzero(flags.tier >= 0),
        codes=codes,
        sentences=sentences,
        swarms=swarms.table,
    )


def _full_days(day: NDArray[np.int64]) -> int:
    """How many days teach: a day counts from a tenth of the fullest one's visitors on. A line of a clock gone wrong, or
    the hour behind midnight, is no day."""
    counts = np.unique(day, return_counts=True)[1]
    return int((counts >= FULL_DAY * counts.max()).sum()) if len(counts) else 0


def _members(swarms: Swarms, rows: Rows) -> NDArray[np.int32]:
    """int32 [m], the flagged swarm that each judged visitor-day is a member of, or -1."""
    found = np.full(len(rows), -1, np.int32)
    position = np.searchsorted(rows, swarms.members["row"].to_numpy())
    inside = position < len(rows)
    inside[inside] = rows[position[inside]] == swarms.members["row"].to_numpy()[inside]
    found[position[inside]] = swarms.members["swarm"].to_numpy()[inside]
    return found


@dataclass
class _Flags:
    """`strengths` holds, for each pattern, its strength over its cut-off where it is flagged and 0 elsewhere."""

    strengths: dict[Pattern, Values]
    unusual: NDArray[np.bool_]
    impostor: NDArray[np.bool_]
    tier: NDArray[np.int8]
    rank: NDArray[np.float32]


def _flag(
    evidence: Evidence,
    deviations: NDArray[np.float32],
    score: NDArray[np.float32],
    impostor: NDArray[np.bool_],
    day: NDArray[np.int64],
    model: VisitorModel,
    settings: ScanSettings,
) -> _Flags:
    strengths: dict[Pattern, Values] = {}
    # On a promotion day honest visitors hurry too: the day's own body may raise a cut-off, never lower it.
    groups = [np.flatnonzero(day == value) for value in np.unique(day)]
    for pattern in load_patterns():
        strength = pattern.strength(evidence)
        over = np.zeros(len(evidence))
        learned = model.pattern_cutoffs.get(pattern.code, pattern.floor)
        for group in groups:
            cut = max(learned, pattern_cutoff(pattern, strength[group], settings.false_alarm_budget))
            over[group] = np.where(strength[group] >= cut, strength[group] / cut, 0.0)
        strengths[pattern] = over
    unusual = np.zeros(len(evidence), bool)
    # A score over few or coarse features may pass its cut-off on next to nothing; a person must see why.
    notable = (np.abs(deviations) >= NOTABLE_SPREADS).sum(axis=1) >= FEWEST_NOTABLE
    named = np.zeros(len(evidence), bool)
    for over in strengths.values():
        named |= over > 0
    for group in groups:
        cut = max(model.threshold, score_cutoff(score[group[~named[group]]], settings.false_alarm_budget))
        unusual[group] = (score[group] > cut) & notable[group]
    tier = np.full(len(evidence), -1, np.int8)
    tier[unusual] = TIERS.index("only unusual")
    weight = np.zeros(len(evidence))
    for pattern, over in strengths.items():
        level = TIERS.index(pattern.tier)
        tier[(over > 0) & ((tier < 0) | (tier > level))] = level
        weight += 1.0 - np.exp(-over)
    tier[impostor] = TIERS.index("proven")
    # Tier first; within it how far over the cut-offs and how unusual besides.
    rank = np.where(tier < 0, 0.0, len(TIERS) - tier) + 0.2 * np.minimum(weight, 3.0) + 0.2 * score
    return _Flags(strengths, unusual, impostor, tier, rank.astype(np.float32))


def _explain(
    flags: _Flags,
    evidence: Evidence,
    deviations: NDArray[np.float32],
    swarm_of: NDArray[np.int32],
    swarms: Swarms,
    machine_evidence: pl.Series,
    rows: Rows,
    model: VisitorModel,
) -> tuple[list[list[str]], list[list[str]]]:
    codes: list[list[str]] = []
    sentences: list[list[str]] = []
    flagged = np.flatnonzero(flags.tier >= 0)
    for row in flagged.tolist():
        its_codes: list[str] = []
        its_sentences: list[str] = []
        if flags.impostor[row]:
            its_codes.append(IMPOSTOR)
            its_sentences.append(str(machine_evidence[int(rows[row])]))
        found = sorted(
            ((over[row], pattern) for pattern, over in flags.strengths.items() if over[row] > 0),
            key=lambda pair: (TIERS.index(pair[1].tier), -pair[1].specificity, -pair[0]),
        )
        for _, pattern in found:
            its_codes.append(pattern.code)
            its_sentences.append(pattern.sentence(evidence, row))
        if swarm_of[row] >= 0:
            its_codes.append(SWARM)
            its_sentences.append("one of a swarm: " + swarms.table["reasons"][int(swarm_of[row])][0])
        if flags.unusual[row]:
            its_codes.append(UNUSUAL)
        its_sentences += unusual_sentences(model, evidence.features, deviations[row], row)
        codes.append(its_codes)
        sentences.append(its_sentences)
    return codes, sentences
