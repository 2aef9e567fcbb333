"""Every detector against labels given by hand, with and without merged routes: paper B's tables 3 and 4."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console

from floorwalker.detectors.anomaly import list_detectors
from floorwalker.errors import FloorwalkerError, UsageError
from floorwalker.features.network import load_networks
from floorwalker.scan.job import ScanOutcome, ScanRequest, choose_days, run_scan
from floorwalker.scan.judging import judge
from floorwalker.scan.label_metrics import ROUTES_TEXTS, Judged, Scored, judged_json, judged_table
from floorwalker.scan.label_metrics import judge as judge_labels
from floorwalker.scan.labelling import visitor_keys
from floorwalker.scan.labels import Labels
from floorwalker.scan.machines import recognise

WHOLE_SCAN = "whole scan"
"""The row for what `scan` flags: named patterns, impostors and swarms beside the chosen detector."""


@dataclass(frozen=True)
class Comparison:
    """Figures of every detector.

    Parameters
    ----------
    rows : a row for each detector on each kind of routes.
    labels : what they were held against.
    left_out : detector to why it gave no figures.
    """

    rows: list[Judged]
    labels: Labels
    left_out: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """One document: counts of the labels, then `detectors`, a row for each detector and kind of routes."""
        return {
            "schema": "floorwalker.labels",
            "schema_version": 1,
            "labels": len(self.labels.keys),
            "abusive": int(self.labels.abusive.sum()),
            "undecided": self.labels.undecided,
            "detectors": judged_json(self.rows),
            "left_out": self.left_out,
        }

    def print(self, console: Console | None = None) -> None:
        """The figures as a table in the terminal."""
        target = console or Console()
        target.print(judged_table(self.rows))
        for name, why in self.left_out.items():
            target.print(f"{name} is left out: {why}", markup=False, highlight=False)


def compare_detectors(request: ScanRequest, outcome: ScanOutcome, labels: Labels) -> Comparison:
    """Score the labelled visitors with every detector, on routes as scanned and on routes merged the other way.

    A detector's own flags are those above its own cut-off; the row `whole scan` holds what `scan` flags. The log is
    read once more for the other kind of routes.

    Parameters
    ----------
    request : the scan's request; where it loaded a state, it is scanned again without, since only then can other
        detectors learn from the same days.
    outcome : its outcome.
    labels : as `read_labels` gives them.

    Raises
    ------
    InputError : no label belongs to a visitor of this log.
    UsageError : a pipe beside a loaded state: it would have to be read again for anything to be compared.

    A pipe can be read once only, so its detectors are compared on the routes as scanned.
    """
    quiet = replace(request, state=None, settings=replace(request.settings, map_sample=0))
    own: Literal["bilstm", "none"] = request.merge_routes
    other: Literal["bilstm", "none"] = "none" if own == "bilstm" else "bilstm"
    left_out: dict[str, str] = {}
    is_pipe = _is_read_once(request.paths)
    if is_pipe and request.state is not None:
        raise UsageError(
            "--labels beside --load needs the log a second time, and a pipe can be read once", fix="give a file"
        )
    first = outcome if request.state is None else run_scan(quiet)
    runs: dict[str, dict[str, Scored]] = {own: _score_all(quiet, first, left_out)}
    if is_pipe:
        left_out[f"routes that are {ROUTES_TEXTS[other]}"] = "a pipe can be read once; give a file to compare them too"
    else:
        runs[other] = _score_all(quiet, run_scan(replace(quiet, merge_routes=other)), left_out)
    return Comparison(judge_labels(runs, labels), labels, left_out)


def _is_read_once(paths: Sequence[str]) -> bool:
    return any(path == "-" or (Path(path).exists() and not Path(path).is_file()) for path in paths)


def _score_all(request: ScanRequest, outcome: ScanOutcome, left_out: dict[str, str]) -> dict[str, Scored]:
    days = outcome.days
    machines = recognise(
        days.machine_facts(),
        own_addresses=request.own_addresses,
        networks=request.networks if request.networks is not None else load_networks(),
        ignore=request.ignore,
        resolve=request.resolve,
    )
    judged, training = choose_days(days, request.detect_day, request.settings, loaded=False)
    keys = visitor_keys(outcome.result.visitors)
    scored: dict[str, Scored] = {}
    for name in list_detectors():
        settings = replace(request.settings, detector=name)
        try:
            judgement = judge(days, machines, judged=judged, training=training, settings=settings, model=None)
        except FloorwalkerError as error:
            left_out[name] = str(error)
            continue
        scored[name] = Scored(keys, judgement.score, judgement.unusual)
    visitors = outcome.result.visitors
    scored[WHOLE_SCAN] = Scored(
        keys, visitors["rank"].to_numpy().astype(np.float32), visitors["flagged"].to_numpy().astype(bool)
    )
    return scored
