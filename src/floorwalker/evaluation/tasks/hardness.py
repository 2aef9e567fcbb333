"""Is the simulated shop hard? No single number, and no small tree, may tell an expert from an honest customer.

Each harmful event is compared with honest events of its own type and day (`_hardness_sample`): a refund is not
suspicious for being a refund, nor for coming in the last week. A figure is the area under the ROC curve of one field of
the event or one default live feature, whichever way it points. Malicious texts are compared with honest ones by a bag
of words. And so that hard does not mean impossible, boosted trees learned on the train part are judged on the test
part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.evaluation.extras import need_evaluation_extra
from floorwalker.evaluation.tasks._hardness_columns import commonness, field_columns, place_in_second
from floorwalker.evaluation.tasks._hardness_figures import (
    FEWEST,
    FOLDS,
    full_model_auc,
    single_aucs,
    text_auc,
    tree_auc,
)
from floorwalker.evaluation.tasks._hardness_sample import CONTROLS, Sample, choose_sample
from floorwalker.evaluation.tasks._shop_run import gather_features, read_truth, simulated_shop
from floorwalker.simulation.shop.campaigns import EXPERTS_TEST_ONLY, TEST_ONLY
from floorwalker.simulation.shop.scenario import Scenario

BARS = {
    "worst_single_feature_auc_expert": {"max": 0.85},
    "shallow_tree_auc_expert": {"max": 0.90},
    "text_bag_of_words_auc": {"min": 0.60, "max": 0.80},
    "full_model_auc": {"min": 0.95},
}
EVENTS = 5_000_000
FIRST_SEED = 2_600
"""The scenario of seed 0; no setting of the simulator was chosen on it, nor on those that follow it."""
RARE_PART = 8
"""What part of the events the scenarios have in which only the experts of rare families act."""
SHOWN = 10
"""Of the most telling columns, how many are named."""
WRITTEN = ("review", "listing", "message", "support_contact", "livestream")
"""Types of event whose texts are compared."""
MOST_TEXTS = 20_000


def run(*, data: Path | None = None, seeds: Sequence[int] = (0,), events: int = EVENTS) -> dict[str, Any]:
    """Measure one scenario.

    Parameters
    ----------
    data : not needed.
    seeds : the first is the scenario's and the models'; a second scenario of this size would take as long again.
    events : of the scenario.

    Returns `metrics`, `bars`, `split`, `data` and `notes`, as `floorwalker.evaluation.document` takes them.
    """
    need_evaluation_extra()
    seed = seeds[0]
    scenario = Scenario(events=events, seed=FIRST_SEED + seed)
    found = measure(scenario, seed=seed)
    metrics = found["metrics"]
    rare = tuple(name for name, count in metrics.pop("expert_events").items() if count < FEWEST)
    more = [
        measure_rare(scenario, group, seed=seed, events=max(1_000, events // RARE_PART), number=number)
        for number, group in enumerate(rare_groups(rare), 1)
    ]
    for one in more:
        for name in ("worst_by_family", "most_telling_by_family", "tree_by_family", "usual_by_family"):
            metrics[name] |= one[name]
        metrics["worst_single_feature_auc_expert"] = max(metrics["worst_single_feature_auc_expert"], one["worst"])
        metrics["types_without_honest_events"] = sorted(
            {*metrics["types_without_honest_events"], *one["types_without_honest_events"]}
        )
    metrics["worst_tree_by_family"] = max(metrics["tree_by_family"].values(), default=float("nan"))
    metrics["worst_usual_by_family"] = max(
        (next(iter(one.values())) for one in metrics["usual_by_family"].values()), default=float("nan")
    )
    metrics["rare_families"] = {name: count for one in more for name, count in one["expert_events"].items()}
    unmeasured = {name: count for one in more for name, count in one["not_measured"].items()}
    metrics["not_measured"] = unmeasured
    return {
        "data": {
            "source": "floorwalker simulate",
            "events": found["events"],
            "harmful": found["harmful"],
            "scenario_seed": scenario.seed,
            "rare_scenarios": [one["events"] for one in more],
        },
        "split": "full model: learned on the train days, judged on the test days; campaigns never cross",
        "seeds": [seed],
        "metrics": found["metrics"],
        "baselines": {"chance": 0.5},
        "bars": BARS,
        "notes": [
            f"each harmful event beside {CONTROLS} honest ones of its type and day; direction-free, "
            "but for rates learned on other campaigns, of which more is worse",
            "beside the bars: tree_by_family, a tree of depth 3 for the experts of each family; usual_by_family, how "
            "well it tells them how usual exactly this number is among honest events (what no threshold shows)",
            f"a family is measured where it has at least {FEWEST} harmful expert events; those with fewer "
            f"({', '.join(rare) or 'none'}) in scenarios of a {RARE_PART}th of the size, where only their experts act",
            "not measured, for want of events: "
            + (", ".join(f"{name} ({count})" for name, count in unmeasured.items()) or "none"),
        ],
    }


@dataclass(frozen=True)
class Compared:
    """One scenario's harmful events beside honest ones, and all the columns that may tell them apart.

    Parameters
    ----------
    folder : of the simulated shop.
    known : truth, a row an event. sample : which of them are compared.
    columns : every field and feature by name, float64 or float32 [rows] each.
    matrix, plain : float32 [rows, columns], all of them; and without the learned rates, for models that learn.
    groups : int64 [rows], campaign or account. of_harmful : truth of the harmful events.
    usual : how usual each number is (`commonness`), by name, float64 [rows] each.
    """

    folder: Path
    known: pl.DataFrame
    sample: Sample
    columns: dict[str, NDArray[Any]]
    matrix: NDArray[np.float32]
    plain: NDArray[np.float32]
    groups: NDArray[np.int64]
    of_harmful: pl.DataFrame
    usual: dict[str, NDArray[Any]]

    def pairs(self, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Places in the rows of these harmful events and of their controls, with the truth."""
        rows, sample = self.sample.rows, self.sample
        controls = sample.controls[chosen].ravel()
        bad = np.searchsorted(rows, sample.malicious[chosen])
        good = np.searchsorted(rows, controls[controls >= 0])
        return np.concatenate([bad, good]), np.repeat([True, False], [len(bad), len(good)])

    def singles(self, chosen: NDArray[np.bool_]) -> dict[str, float]:
        """How much each column tells of these harmful events."""
        return singles(self.columns, *self.pairs(chosen), self.groups)

    @property
    def expert(self) -> NDArray[np.bool_]:
        """Of the harmful events, those of experts."""
        return np.asarray((self.of_harmful["skill"] == "expert").to_numpy())

    @property
    def alone(self) -> NDArray[np.bool_]:
        """Of the harmful events, those whose type no honest event has: it gives them away, however they look."""
        return np.asarray((self.sample.controls < 0).all(axis=1))

    def families(self) -> tuple[dict[str, dict[str, float]], dict[str, int]]:
        """The columns' AUCs for the experts of each family that has enough of them, and how many each has."""
        families, expert = self.of_harmful["family"].to_numpy(), self.expert
        counts = {name: int((expert & (families == name)).sum()) for name in sorted(set(families))}
        return {name: self.singles(rows) for name, rows in self._experts().items()}, counts

    def beside(self, *, seed: int) -> dict[str, dict[str, Any]]:
        """Of the experts of each family, what no single threshold shows: small trees, and how usual numbers are."""
        trees, usual = {}, {}
        for name, rows in self._experts().items():
            at, truth = self.pairs(rows)
            trees[name] = round(tree_auc(self.matrix[at], truth, self.groups[at], seed=seed), 4)
            usual[name] = dict(list(singles(self.usual, at, truth, self.groups).items())[:4])
        return {"tree_by_family": trees, "usual_by_family": usual}

    def _experts(self) -> dict[str, NDArray[np.bool_]]:
        """Of the harmful events, those of the experts of each family that has enough of them."""
        families, expert = self.of_harmful["family"].to_numpy(), self.expert
        chosen = {name: expert & (families == name) for name in sorted(set(families))}
        return {name: rows for name, rows in chosen.items() if rows.sum() >= FEWEST}


def compare(scenario: Scenario, *, seed: int) -> Compared:
    """Simulate, and set harmful events beside honest ones."""
    folder = simulated_shop(scenario)
    known = read_truth(folder, scenario)
    sample = choose_sample(known, rng=np.random.default_rng(seed))
    rows = sample.rows
    events, features, names = gather_features(folder, rows)
    facts = known[rows]
    malicious = (facts["phase"] == "harmful").to_numpy()
    groups = group_numbers(facts)
    place = place_in_second(known["at"].to_numpy())[rows]
    fields = field_columns(events, place, malicious, groups)
    # A rate of abuse is learned from all other groups, those of the test days included: no model may learn from it.
    plain = [values.astype(np.float32) for name, values in fields.items() if not name.startswith("rate/")]
    columns = fields | {f"feature/{name}": features[:, at] for at, name in enumerate(names)}
    learned = ("rate/", "order/", "at/")
    return Compared(
        folder,
        known,
        sample,
        columns,
        np.column_stack([features, *[values.astype(np.float32) for values in fields.values()]]),
        np.column_stack([features, *plain]),
        groups,
        known[sample.malicious],
        {
            f"usual/{name}": commonness(values, malicious, groups)
            for name, values in columns.items()
            if not name.startswith(learned)
        },
    )


def measure(scenario: Scenario, *, seed: int) -> dict[str, Any]:
    """All figures of one scenario, and how many harmful expert events each family of the simulator has in it."""
    from floorwalker.simulation.shop.adversaries import list_adversaries

    found = compare(scenario, seed=seed)
    expert, alone = found.expert, found.alone
    pooled = found.singles(expert)
    by_family, counts = found.families()
    at, truth = found.pairs(expert)
    every, every_truth = found.pairs(np.ones(len(expert), np.bool_))
    split = found.known[found.sample.rows]["split"].to_numpy()[every]
    rng = np.random.default_rng([seed, 1])
    metrics = {
        "worst_single_feature_auc_expert": worst_of([pooled, *by_family.values()], alone=bool(alone[expert].any())),
        "pooled_single_feature_auc_expert": next(iter(pooled.values())),
        "shallow_tree_auc_expert": tree_auc(found.matrix[at], truth, found.groups[at], seed=seed),
        "text_bag_of_words_auc": texts_told_apart(found.folder, found.known, rng, seed=seed),
        "full_model_auc": full_model_auc(found.plain[every], every_truth, split == "train", split == "test", seed=seed),
        "worst_by_family": {name: next(iter(one.values())) for name, one in by_family.items()},
        "most_telling": dict(list(pooled.items())[:SHOWN]),
        "most_telling_by_family": {name: dict(list(one.items())[:4]) for name, one in by_family.items()},
        "types_without_honest_events": sorted(set(found.of_harmful["type"].to_numpy()[alone])),
        "expert_events": {name: counts.get(name, 0) for name in list_adversaries()},
        **found.beside(seed=seed),
    }
    return {"events": len(found.known), "harmful": len(found.sample.malicious), "metrics": metrics}


def rare_groups(families: Sequence[str]) -> list[tuple[str, ...]]:
    """Families that are looked at in one scenario: those whose experts act in the test days alone, and the others.

    >>> rare_groups(("coupon_farming", "human_farms", "carding"))
    [('coupon_farming', 'carding'), ('human_farms',)]
    """
    late = TEST_ONLY | EXPERTS_TEST_ONLY
    groups = [tuple(name for name in families if (name in late) == hidden) for hidden in (False, True)]
    return [group for group in groups if group]


def measure_rare(
    scenario: Scenario, families: tuple[str, ...], *, seed: int, events: int, number: int
) -> dict[str, Any]:
    """The single columns of families that are rare in a scenario, in another one in which only their experts act.

    Parameters
    ----------
    scenario : in which they were too few.
    families : their ids. events : of the other scenario. number : 1 and up, of the other scenario.
    """
    other = replace(scenario, events=events, seed=scenario.seed + number, only=families, skills=("expert",))
    found = compare(other, seed=seed)
    by_family, counts = found.families()
    alone = found.alone
    return {
        "events": len(found.known),
        "worst": worst_of([*by_family.values(), {"": 0.0}], alone=bool(alone.any())),
        "worst_by_family": {name: next(iter(one.values())) for name, one in by_family.items()},
        "most_telling_by_family": {name: dict(list(one.items())[:4]) for name, one in by_family.items()},
        "types_without_honest_events": sorted(set(found.of_harmful["type"].to_numpy()[alone])),
        "expert_events": {name: counts.get(name, 0) for name in families},
        "not_measured": {name: counts.get(name, 0) for name in families if name not in by_family},
        **found.beside(seed=seed),
    }


def worst_of(found: Sequence[dict[str, float]], *, alone: bool) -> float:
    """The highest AUC of several groups, each with its highest first; 1 where only adversaries have a type of event.

    >>> worst_of([{"rating": 0.7, "status": 0.6}, {"status": 0.8}], alone=False)
    0.8
    """
    return 1.0 if alone else max(next(iter(group.values())) for group in found)


def singles(
    columns: dict[str, NDArray[Any]], at: NDArray[np.int64], truth: NDArray[np.bool_], groups: NDArray[np.int64]
) -> dict[str, float]:
    """Direction-free AUCs of all columns on these places, rounded, the highest first; `groups` of all places."""
    found = single_aucs(truth, {name: values[at] for name, values in columns.items()}, groups[at] % FOLDS)
    return {name: round(value, 4) for name, value in found.items()}


def group_numbers(facts: pl.DataFrame) -> NDArray[np.int64]:
    """One number for each campaign with the accounts that it used, and for each other account (session, where there is
    none): what a customer whose account was used did himself must not teach what the account's abuse looks like.
    """
    used = pl.col("campaign").filter(pl.col("campaign") >= 0).min().over("account")
    campaign = pl.when(pl.col("campaign") >= 0).then("campaign").when(pl.col("account").is_not_null()).then(used)
    named = pl.coalesce(pl.format("campaign {}", campaign), "account", "session", "id")
    return facts.select(named.hash(7).alias("group"))["group"].to_numpy().astype(np.uint64).view(np.int64) >> 1 & 0xFFFF


def texts_told_apart(folder: Path, known: pl.DataFrame, rng: np.random.Generator, *, seed: int) -> float:
    """AUC of a bag of words that tells malicious texts from honest ones of the same types, matched in number."""
    written = known.filter(pl.col("type").is_in(WRITTEN))
    table = pl.scan_parquet(folder / "events.parquet")
    if "text" not in table.collect_schema().names():
        return float("nan")
    texts = table.filter(pl.col("type").is_in(WRITTEN) & pl.col("text").is_not_null()).select("id", "text").collect()
    written = written.join(texts, on="id", how="inner", maintain_order="left")
    bad = written.filter(pl.col("phase") != "")
    parts = [bad]
    for kind, count in bad["type"].value_counts().sort("type").iter_rows():
        good = written.filter((pl.col("phase") == "") & (pl.col("type") == kind))
        parts.append(good[rng.choice(len(good), min(len(good), 2 * count), replace=False)])
    both = pl.concat(parts)
    if len(both) > MOST_TEXTS:
        both = both[np.sort(rng.choice(len(both), MOST_TEXTS, replace=False))]
    truth = (both["phase"] != "").to_numpy()
    return text_auc(both["text"].to_list(), truth, group_numbers(both), seed=seed)
