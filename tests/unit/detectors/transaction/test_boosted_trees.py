"""Boosted trees: what they take, what they keep, and what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from floorwalker.detectors.transaction._rows import hold_latest
from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.errors import ArtefactError, NotReadyError, UsageError
from floorwalker.metrics import roc_auc

SMALL: dict[str, Any] = {"rounds": 15, "blind_rounds": 15, "threads": 1, "rate": 0.2, "max_bin": 255}
NAMES = ["age_seconds", "orders", "amount", "constant", "absent"]


def table(count: int = 600, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 5)).astype(np.float32)
    label = rows[:, 1] + 0.5 * rows[:, 2] > 1.0
    rows[:, 3], rows[:, 4] = 7.0, np.nan
    rows[random.random(rows.shape) < 0.05] = np.nan
    return rows, label


def test_it_learns_what_there_is_to_learn_and_nothing_from_shuffled_labels() -> None:
    rows, label = table(1_500)
    fresh, truth = table(800, seed=1)
    assert roc_auc(truth, BoostedTrees(**SMALL).fit(rows, label).score(fresh)) > 0.95
    shuffled = np.random.default_rng(0).permutation(label)
    assert abs(roc_auc(truth, BoostedTrees(**SMALL).fit(rows, shuffled).score(fresh)) - 0.5) < 0.1


def test_saved_and_loaded_it_answers_the_same_to_the_last_bit(tmp_path: Path) -> None:
    rows, label = table()
    both = np.stack([label, ~label, np.zeros(len(label))], axis=1).astype(float)
    both[::3, 1] = np.nan
    trees = BoostedTrees(**SMALL, models=2).fit(rows, both, names=NAMES, outputs=["fraud", "honest", "never"])
    assert trees.unlearned == ("never",)
    trees.meanings = {"orders": "orders of the account"}
    trees.save(tmp_path, facts={"data": "random"})
    again = BoostedTrees.load(tmp_path)
    assert np.array_equal(again.score(rows), trees.score(rows), equal_nan=True)
    assert np.isnan(again.score(rows)[:, 2]).all()
    assert again.reasons(rows[:5], output="fraud") == trees.reasons(rows[:5], output="fraud")
    assert json.loads((tmp_path / "manifest.json").read_text())["data"] == "random"
    assert {file.suffix for file in tmp_path.iterdir()} == {".txt", ".json"}
    (tmp_path / "trees_0_1.txt").write_text("tree\n")
    with pytest.raises(ArtefactError, match="not the file of its manifest"):
        BoostedTrees.load(tmp_path)


@pytest.mark.parametrize("names", [[0, 1, 2, 3, 4], np.arange(5)], ids=["int", "numpy"])
def test_names_and_outputs_may_be_numbers(names: Any, tmp_path: Path) -> None:
    rows, label = table()
    trees = BoostedTrees(**SMALL, monotone={1: 1})  # type: ignore[dict-item]
    trees.fit(rows, np.stack([label, ~label], axis=1), names=names, outputs=[0, 1])
    assert (trees.names, trees.outputs) == (("0", "1", "2", "3", "4"), ("0", "1"))
    trees.save(tmp_path)
    again = BoostedTrees.load(tmp_path)
    assert (again.score(rows) == trees.score(rows)).all()
    assert again.reasons(rows[:3], output="1") == trees.reasons(rows[:3], output="1")


def test_loading_and_scoring_need_neither_lightgbm_nor_scikit_learn(tmp_path: Path) -> None:
    rows, label = table()
    BoostedTrees(**SMALL).fit(rows, label).save(tmp_path)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from floorwalker.detectors.transaction.boosted_trees import BoostedTrees\n"
        "import floorwalker.detectors.transaction.live\n"
        f"BoostedTrees.load(Path({str(tmp_path)!r})).score([[0.0] * 5])\n"
        "print(sorted({'lightgbm', 'sklearn', 'torch', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['scipy']"), done.stdout


def test_a_label_that_nobody_knows_teaches_nothing() -> None:
    rows, label = table()
    some = label.astype(float)
    some[300:] = np.nan
    half = BoostedTrees(**SMALL).fit(rows, some).score(rows)
    assert (half == BoostedTrees(**SMALL).fit(rows[:300], label[:300]).score(rows)).all()


def test_reasons_name_the_cause_its_value_and_the_usual_one() -> None:
    rows, label = table(1_500)
    trees = BoostedTrees(**SMALL).fit(rows, label, names=NAMES)
    asked = np.array([[0.0, 3.0, 0.0, 7.0, np.nan]])
    for full in (False, True):
        first = trees.reasons(asked, full=full)[0][0]
        assert first.code == "transaction.score.orders"
        assert first.text.startswith("orders is 3, usually -0.")
        assert 0.5 < first.severity <= 1
    assert trees.score(np.where([[False, True, False, False, False]], trees.usual, asked))[0] < trees.score(asked)[0]


def test_monotone_features_never_lower_the_score() -> None:
    rows, label = table()
    label = label ^ (np.random.default_rng(1).random(len(label)) < 0.2)
    trees = BoostedTrees(**SMALL, monotone={"orders": 1}).fit(rows, label, names=NAMES)
    line = np.tile(np.array([[0.1, 0.0, 0.2, 7.0, np.nan]]), (100, 1))
    line[:, 1] = np.linspace(-3, 3, 100)
    assert (np.diff(trees.score(line)) >= 0).all()
    with pytest.raises(UsageError, match="monotone names nothing"):
        BoostedTrees(monotone={"nothing": 1}).fit(rows, label, names=NAMES)


def test_early_stopping_looks_at_the_latest_rows_only() -> None:
    at = np.array([5, 1, 4, 2, 3, 3])
    assert hold_latest(at, 6, 0.34).tolist() == [True, False, True, False, False, False]
    assert not hold_latest(None, 6, 0.0).any()
    assert not hold_latest(np.ones(6), 6, 0.5).any()  # rows of one time stay together
    rows, label = table(2_000)
    noise = np.random.default_rng(0).permutation(label)
    settings = SMALL | {"rounds": 200, "patience": 5}
    stopped = BoostedTrees(**settings, refit=False).fit(rows, noise)
    assert len(stopped.trees()) < 50


def test_frauds_that_all_came_lately_are_learned_from_all_rows() -> None:
    rows = np.arange(100.0)[:, None]
    late = BoostedTrees(**SMALL).fit(rows, np.arange(100) >= 90)
    assert len(late.trees()) == SMALL["blind_rounds"]
    assert late.score([[99.0]])[0] > late.score([[5.0]])[0]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"rows": np.zeros(5), "labels": np.zeros(5)}, "shape"),
        ({"rows": [["a"]], "labels": [1]}, "no numbers"),
        ({"rows": [[10**400]], "labels": [1]}, "no numbers"),
        ({"rows": np.zeros((2, 2)), "labels": ["fraud", "honest"]}, "labels that are no numbers.*turn texts into 0"),
        ({"rows": np.zeros((2, 2)), "labels": [0, 1], "weights": ["a", "b"]}, "weights that are no numbers"),
        ({"rows": np.zeros((2, 2)), "labels": [0, 1], "names": [1, "1"]}, "1 different"),
        ({"rows": np.zeros((5, 2)), "labels": np.zeros(4)}, "labels of shape"),
        ({"rows": np.zeros((5, 2)), "labels": np.full(5, 2)}, "beside 0 and 1"),
        ({"rows": np.zeros((5, 2)), "labels": np.zeros(5)}, "one class"),
        ({"rows": np.zeros((5, 2)), "labels": np.full(5, np.nan)}, "one class"),
        ({"rows": np.zeros((5, 2)), "labels": np.arange(5) % 2, "names": ["a", "a"]}, "different"),
        ({"rows": np.zeros((5, 2)), "labels": np.arange(5) % 2, "weights": -np.ones(5)}, "weights"),
        ({"rows": np.zeros((5, 2)), "labels": np.arange(5) % 2, "outputs": ["a", "b"]}, "outputs"),
        ({"rows": np.zeros((5, 2)), "labels": np.arange(5) % 2, "held": np.ones(5)}, "validation"),
        ({"rows": np.zeros((5, 2)), "labels": np.arange(5) % 2, "at": np.ones(4)}, "times"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_does_not_fit_together_is_refused(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        BoostedTrees(**SMALL).fit(arguments.pop("rows"), arguments.pop("labels"), **arguments)


def test_settings_out_of_range_are_told_all_at_once() -> None:
    with pytest.raises(UsageError, match=r"rounds is 0.*rate is 2.*metric is 'gini'"):
        BoostedTrees(rounds=0, rate=2, metric="gini")  # type: ignore[arg-type]
    with pytest.raises(NotReadyError):
        BoostedTrees().score(np.zeros((1, 2)))


def test_a_small_table_is_grown_on_one_thread() -> None:
    rows = np.random.default_rng(1).normal(size=(30_000, 7))
    for count, threads in ((28_571, 1), (28_572, 0)):
        trees = BoostedTrees(rounds=1, validation_share=0).fit(rows[:count], rows[:count, 0] > 1)
        assert f"[num_threads: {threads}]" in trees._texts["score"][0]


def test_few_and_odd_rows_are_no_trouble() -> None:
    tiny = BoostedTrees(**SMALL, least_rows=1).fit([[0.0], [1.0]], [0, 1])
    assert tiny.score([[np.nan], [np.inf], [-np.inf]]).shape == (3,)
    assert tiny.score(np.zeros((0, 1))).shape == (0,)
    with pytest.raises(UsageError, match="the 1 of training"):
        tiny.score([[1.0, 2.0]])
    assert tiny.reasons([[0.5]]) == tiny.reasons([[0.5]], output="score")
    with pytest.raises(UsageError, match="output 'other'"):
        tiny.explain([[0.5]], output="other")
