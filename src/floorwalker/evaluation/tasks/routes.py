"""Are URLs of one type merged, and only those? On unseen families of generated sites, and on a real shop's log.

The network is trained on the families of the split `training`, stopped and every choice made on `validation`; the
families of
the split `unseen` share no word and no URL grammar with them and are read only here.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import MissingExtraError
from floorwalker.evaluation.tasks._routes_baselines import by_drain, by_expressions, by_trie, unmerged
from floorwalker.evaluation.tasks._routes_measures import guard_violations, pair_f1, v_measure
from floorwalker.evaluation.tasks._routes_sites import SIZES, draw_sample, draw_samples
from floorwalker.evaluation.tasks._routes_zanbil import read_zanbil, summarise
from floorwalker.features.routes import RouteTable
from floorwalker.features.routes._network import FILE, NAME, VERSION, RouteNetwork, load_network
from floorwalker.learning.routes import SiteSample, TrainingPlan, collect_examples, train_network
from floorwalker.models.artefacts import save_artefact
from floorwalker.models.onnx import OnnxModel
from floorwalker.simulation.sites import list_families, make_site
from floorwalker.store.strings import StringTable

BARS = {
    "v_measure": {"min": 0.97},
    "pair_f1": {"min": 0.97},
    "guard_violations": {"max": 0},
    "zanbil_v_measure": {"min": 0.90},
}
"""To reach on the unseen families and on the real log; the V-measure also ahead of every baseline."""

LOG_SIZES = ((100, 2_000), (1_500, 30_000), (8_000, 100_000))
"""(products, requests) of each unseen site's logs."""

SHEET, DEVELOPMENT_SHEET = "zanbil_routes.csv", "zanbil_routes_development.csv"
"""Lines of the real log grouped by hand: the first is for the test alone; rules and thresholds were chosen on the
second."""

VALIDATION_SIZES = LOG_SIZES[:2]
SITES = 9
"""Sites of each training family and size."""

FAN_OUTS = (6, 12, 25, 50)
SIMILARITIES = (0.3, 0.4, 0.5, 0.6)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class _Case:
    sample: SiteSample
    state_changing: frozenset[str]
    weights: NDArray[np.float64]


def run(*, seeds: Sequence[int] = (0, 1, 2), data: Path | None = None, groups: Path | None = None) -> dict[str, Any]:
    """Measure the default network, its variants and the baselines.

    V-measure and pairwise F1 count each distinct URL once; `weighted_v_measure` counts requests.

    Parameters
    ----------
    seeds : each gives every unseen family other sites and other logs.
    data : folder with the public data sets; None leaves the real log out.
    groups : the sheet of lines grouped by hand; None looks for `tests/golden/zanbil_routes.csv` here and above,
        and measures the development sheet beside it too.

    Returns `metrics`, `baselines`, `split`, `bars`.
    """
    cases = [
        _case(family, seed=10_000 + seed, size=size)
        for family in list_families("unseen")
        for seed in seeds
        for size in LOG_SIZES
    ]
    network = load_network()
    answers = [_merge(case.sample, network) for case in cases]
    without = [_merge(case.sample, network, posts=False) for case in cases]
    wordless = [_merge(case.sample, network, words=False) for case in cases]
    metrics: dict[str, Any] = _figures(cases, answers)
    metrics["per_family"] = {
        family: _figures(*_of_family(cases, answers, family), whole=False) for family in list_families("unseen")
    }
    metrics["per_log_size"] = {
        f"{items} products, {requests} requests": _figures(
            [case for k, case in enumerate(cases) if k % len(LOG_SIZES) == place],
            [answer for k, answer in enumerate(answers) if k % len(LOG_SIZES) == place],
            whole=False,
        )
        for place, (items, requests) in enumerate(LOG_SIZES)
    }
    metrics["without_methods"] = _figures(cases, without)
    metrics["without_words"] = _figures(cases, wordless)
    baselines, chosen = _baselines(cases)
    metrics["best_other_v_measure"] = max(figures["v_measure"]["mean"] for figures in baselines.values())
    metrics["guard_violations"] = metrics["guard_violations"]["sum"]
    split: dict[str, Any] = {
        "training": list_families("training"), "validation": list_families("validation"),
        "unseen": list_families("unseen"), "logs": [list(size) for size in LOG_SIZES],
        "counted": "distinct URLs; requests in weighted_v_measure", "baseline_settings": chosen,
    }  # fmt: skip
    if data is not None:
        found, facts = _measure_zanbil(data, groups or _find_groups(SHEET))
        metrics["zanbil_v_measure"] = found.pop("bilstm")
        baselines["zanbil"] = found
        split["zanbil"] = facts
        if groups is None:
            # Other lines of the same log, on which rules were chosen: to be read beside the test, never instead of it.
            found, facts = _measure_zanbil(data, _find_groups(DEVELOPMENT_SHEET))
            metrics["zanbil_development_v_measure"] = found.pop("bilstm")
            baselines["zanbil_development"] = found
            split["zanbil_development"] = facts
    return {"metrics": metrics, "baselines": baselines, "split": split, "bars": BARS}


def _case(family: str, *, seed: int, size: tuple[int, int]) -> _Case:
    sample = draw_sample(family, seed=seed, items=size[0], requests=size[1])
    pages = make_site(family, seed=seed, items=size[0]).pages
    return _Case(sample, frozenset(page.route for page in pages if page.state_changing), sample.counts)


def _merge(sample: SiteSample, network: RouteNetwork, *, posts: bool = True, words: bool = True) -> list[int]:
    targets = StringTable(seed=0)
    codes = targets.intern_texts(sample.targets)
    counts, posted = np.zeros(len(targets), np.int64), np.zeros(len(targets), np.int64)
    counts[codes], posted[codes] = sample.counts, sample.posts
    table = RouteTable.learn(targets, counts, posts=posted if posts else None, words=words, network=network)
    found: list[int] = table.assign(targets, 0)[codes].tolist()
    return found


def _of_family(
    cases: Sequence[_Case], answers: Sequence[Sequence[Hashable]], family: str
) -> tuple[list[_Case], list[Sequence[Hashable]]]:
    rows = [k for k, case in enumerate(cases) if case.sample.family == family]
    return [cases[k] for k in rows], [answers[k] for k in rows]


def _figures(cases: Sequence[_Case], answers: Sequence[Sequence[Hashable]], *, whole: bool = True) -> dict[str, Any]:
    columns: dict[str, list[float]] = {"v_measure": [], "pair_f1": [], "weighted_v_measure": [], "guard_violations": []}
    for case, answer in zip(cases, answers, strict=True):
        truth = case.sample.templates
        columns["v_measure"].append(v_measure(truth, answer))
        columns["pair_f1"].append(pair_f1(truth, answer))
        if whole:
            columns["weighted_v_measure"].append(v_measure(truth, answer, case.weights))
        columns["guard_violations"].append(guard_violations(truth, answer, case.state_changing))
    figures: dict[str, Any] = {
        name: {
            "mean": round(float(np.mean(values)), 4),
            "sd": round(float(np.std(values)), 4),
            "least": round(min(values), 4),
        }
        for name, values in columns.items()
        if values and name != "guard_violations"
    }
    figures["guard_violations"] = {"sum": int(sum(columns["guard_violations"]))}
    return figures


def _baselines(cases: Sequence[_Case]) -> tuple[dict[str, Any], dict[str, float]]:
    """Each baseline with the setting that is best on the validation families."""
    held = [_case(family, seed=900, size=size) for family in list_families("validation") for size in VALIDATION_SIZES]

    def best(settings: Sequence[float], merge: Callable[[Sequence[str], float], Sequence[Hashable]]) -> float:
        return max(
            settings,
            key=lambda value: float(
                np.mean([v_measure(case.sample.templates, merge(case.sample.targets, value)) for case in held])
            ),
        )

    def trie(targets: Sequence[str], value: float) -> Sequence[Hashable]:
        return by_trie(targets, fan_out=int(value))

    def drain(targets: Sequence[str], value: float) -> Sequence[Hashable]:
        return by_drain(targets, similarity=value)

    fan_out = best(FAN_OUTS, trie)
    chosen: dict[str, float] = {"trie_fan_out": fan_out}
    figures = {
        "expressions": _figures(cases, [by_expressions(case.sample.targets) for case in cases]),
        "trie": _figures(cases, [trie(case.sample.targets, fan_out) for case in cases]),
        "unmerged": _figures(cases, [unmerged(case.sample.targets) for case in cases]),
    }
    try:
        similarity = best(SIMILARITIES, drain)
    except MissingExtraError:
        return figures, chosen
    chosen["drain3_similarity"] = similarity
    figures["drain3"] = _figures(cases, [drain(case.sample.targets, similarity) for case in cases])
    return figures, chosen


def _find_groups(name: str) -> Path:
    """The sheet in the working folder or above, since it is part of the tests and not of the wheel."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        path = folder / "tests" / "golden" / name
        if path.is_file():
            return path
    return Path("tests") / "golden" / name


def _measure_zanbil(data: Path, groups: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Learned on the whole log; compared on the lines grouped by hand, by line and by distinct URL."""
    texts, posted, sheet = read_zanbil(data, groups)
    targets = StringTable(seed=0)
    codes = targets.intern_texts(texts)
    counts = np.bincount(codes[codes >= 0], minlength=len(targets))
    posts = np.bincount(codes[(codes >= 0) & np.array(posted)], minlength=len(targets))
    table = RouteTable.learn(targets, counts, posts=posts)
    route = table.assign(targets, 0)
    rows = sorted(sheet)
    distinct = list({texts[row]: row for row in rows}.values())
    every = [text for text in dict.fromkeys(texts) if text]
    others: dict[str, dict[str, Hashable]] = {
        "expressions": dict(zip(every, by_expressions(every), strict=True)),
        "trie": dict(zip(every, by_trie(every, fan_out=25), strict=True)),
        "unmerged": {text: text for text in every},
    }
    with contextlib.suppress(MissingExtraError):
        others["drain3"] = dict(zip(every, by_drain(every, similarity=0.4), strict=True))
    truth = [sheet[row] for row in rows]
    figures: dict[str, Any] = {"bilstm": v_measure(truth, [int(route[codes[row]]) for row in rows])}
    facts: dict[str, Any] = {
        **summarise(sheet), "distinct_urls": len(distinct), "routes_of_the_log": len(set(route.tolist())),
        "v_measure_by_distinct_url": round(v_measure([sheet[row] for row in distinct], [int(route[codes[row]]) for
        row in distinct]), 4),
        "pair_f1": round(pair_f1(truth, [int(route[codes[row]]) for row in rows]), 4),
    }  # fmt: skip
    for name, mapping in others.items():
        figures[name] = round(v_measure(truth, [mapping[texts[row]] for row in rows]), 4)
    figures["bilstm"] = round(figures["bilstm"], 4)
    return figures, facts


def train_default(out: Path, *, seed: int = 0, quick: bool = False, progress: Progress | None = None) -> dict[str, Any]:
    """Train the network on the training families and write the artefact.

    Parameters
    ----------
    out : folder of the artefact.
    quick : a small training that a test can afford; it is judged like the large one.
    progress : called with lines to show.

    Returns the manifest's facts: data fingerprint, validation figures, sizes.
    """

    def say(line: str) -> None:
        if progress is not None:
            progress(line)

    seeds = range(100, 101) if quick else range(100, 100 + SITES)
    plan = TrainingPlan(members=1, epochs=6) if quick else TrainingPlan()
    say("generating sites and asking their templates")
    training = collect_examples(
        draw_samples(list_families("training"), seeds=seeds, sizes=SIZES[:4]), rng=np.random.default_rng([seed, 1])
    )
    held = collect_examples(draw_samples(list_families("validation"), seeds=[900], sizes=SIZES[:4]))
    trained = train_network(training, held, seed=seed, plan=plan, progress=progress)
    network = RouteNetwork(OnnxModel(trained.onnx))
    cases = [_case(family, seed=901, size=size) for family in list_families("validation") for size in VALIDATION_SIZES]
    figures = _figures(cases, [_merge(case.sample, network) for case in cases])
    facts = {
        "trained_on": list_families("training"), "stopped_on": list_families("validation"), "seed": seed,
        "quick": quick, "examples": trained.examples, "epochs": trained.epochs,
        "data_sha256": trained.fingerprint, "code_version": _code_version(),
        "metrics": {
            "validation_loss": round(trained.validation_loss, 5),
            "validation_accuracy": round(trained.validation_accuracy, 5),
            "validation_v_measure": figures["v_measure"], "validation_pair_f1": figures["pair_f1"],
        },
        "training_command": f"floorwalker train routes --out FOLDER --seed {seed}" + (" --quick" if quick else ""),
    }  # fmt: skip
    save_artefact(out, name=NAME, version=VERSION, files={FILE: trained.onnx}, facts=facts)
    say(f"wrote {out}: {len(trained.onnx)} bytes, sha256 {hashlib.sha256(trained.onnx).hexdigest()[:12]}")
    return facts


def _code_version() -> str:
    try:
        return version("floorwalker")
    except PackageNotFoundError:
        return "unknown"
