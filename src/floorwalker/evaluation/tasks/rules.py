"""What the starter rules find in the simulated shop, and how many honest customers each of them touches.

A customer is an account of which no malicious event is known; what happens to somebody's account while a thief uses it
touches its owner, too, and is counted for the owner only where the event is the owner's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.detectors.rules import STARTER, RuleTable, default_schema
from floorwalker.evaluation.tasks._shop_run import iterate_features, read_truth, simulated_shop
from floorwalker.simulation.shop.scenario import Scenario

BARS = {"worst_rule.honest_share": {"max": 0.001}}
EVENTS = 1_000_000


def run(*, data: Path | None = None, seeds: Sequence[int] = (0,), events: int = EVENTS) -> dict[str, Any]:
    """Run the starter rules over one simulated shop.

    Parameters
    ----------
    data : not needed.
    seeds : the first is the scenario's.
    events : of the scenario.
    """
    scenario = Scenario(events=events, seed=200 + seeds[0])
    folder = simulated_shop(scenario)
    table = RuleTable.load(STARTER, schema=default_schema())
    known = read_truth(folder, scenario)
    fired = np.concatenate([table.evaluate(batch, found).fired for _, batch, found in iterate_features(folder)])
    metrics = judge(known, fired, [rule.id for rule in table.rules], [rule.mode == "active" for rule in table.rules])
    return {
        "data": {"source": "floorwalker simulate", "events": len(known)},
        "split": "none: the rules learn nothing; they were written without looking at this scenario",
        "seeds": [seeds[0]],
        "metrics": metrics,
        "baselines": {"no_rules": {"honest_share": 0.0, "event_recall": 0.0}},
        "bars": BARS,
    }


def judge(
    known: pl.DataFrame, fired: NDArray[np.bool_], names: Sequence[str], active: Sequence[bool]
) -> dict[str, Any]:
    """Shares of honest customers touched and of harmful events found.

    Parameters
    ----------
    known : a row an event: `account`, `phase`, `abuse_type`, `skill`.
    fired : bool [n, R].
    names, active : of the R rules; shadow rules are reported and count nowhere else.
    """
    honest: NDArray[np.bool_] = (known["phase"] == "").to_numpy()
    harmful: NDArray[np.bool_] = (known["phase"] == "harmful").to_numpy()
    bad = known.filter(pl.col("phase") != "")["account"].drop_nulls().unique()
    owners = known["account"].is_not_null() & ~known["account"].is_in(bad.implode())
    customer = known["account"].fill_null("").rank("dense").cast(pl.Int64).to_numpy()
    counted = honest & owners.to_numpy()
    customers = max(len(np.unique(customer[counted])), 1)

    def share(hits: NDArray[np.bool_]) -> float:
        return len(np.unique(customer[counted & hits])) / customers

    shares = {name: share(fired[:, place]) for place, name in enumerate(names)}
    together: NDArray[np.bool_] = np.asarray(fired[:, np.asarray(active, np.bool_)].any(axis=1))
    worst = max(shares, key=lambda name: shares[name])
    kinds, skills = known["abuse_type"].to_numpy(), known["skill"].to_numpy()
    return {
        "worst_rule": {"honest_share": shares[worst], "name": worst},
        "honest_share": share(together),
        "event_recall": float(together[harmful].mean()) if harmful.any() else 0.0,
        "event_fpr": float(together[honest].mean()),
        "recall_by_abuse_type": {
            str(kind): round(float(together[harmful & (kinds == kind)].mean()), 4) for kind in np.unique(kinds[harmful])
        },
        "recall_by_skill": {
            str(skill): round(float(together[harmful & (skills == skill)].mean()), 4)
            for skill in np.unique(skills[harmful])
        },
        "honest_share_by_rule": {
            name: round(value, 6) for name, value in sorted(shares.items(), key=lambda item: -item[1])
        },
        "harmful_events_by_rule": {name: int(fired[harmful, place].sum()) for place, name in enumerate(names)},
    }
