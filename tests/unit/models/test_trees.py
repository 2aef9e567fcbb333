"""Flat trees answer as the libraries that grew them."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.models.trees import Trees, mean_of
from floorwalker.models.trees_lightgbm import read_lightgbm
from floorwalker.models.trees_sklearn import take_sklearn


def table(count: int = 400, *, gaps: float = 0.1, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 6))
    rows[:, 3] = np.round(rows[:, 3])
    rows[:, 4] = 1.0
    label = np.nan_to_num(rows[:, 0] * rows[:, 1]) + rows[:, 3] > 0.5
    rows[random.random(rows.shape) < gaps] = np.nan
    return rows, label


def grow(rows: Any, label: Any, rounds: int = 12, **settings: Any) -> Any:
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "max_bin": 2047,
                **settings}  # fmt: skip
    return lightgbm.train(settings, lightgbm.Dataset(rows, np.asarray(label, float)), rounds)


@pytest.mark.parametrize(
    ("gaps", "settings"),
    [
        (0.2, {}),
        (0.0, {}),  # without gaps in training, LightGBM takes NaN as 0
        (0.2, {"sigmoid": 2.0}),
        (0.2, {"objective": "cross_entropy"}),
        (0.2, {"objective": "regression"}),
        (0.2, {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}),
        (0.2, {"boosting": "dart"}),
        (0.2, {"use_missing": False}),
        (0.2, {"num_leaves": 2}),
    ],
    ids=str,
)
def test_scores_and_shapley_values_are_those_of_lightgbm(gaps: float, settings: dict[str, Any]) -> None:
    booster = grow(*table(gaps=gaps), **settings)
    trees, names = read_lightgbm(booster.model_to_string())
    rows, _ = table(200, gaps=0.3, seed=1)
    assert names == tuple(booster.feature_name())
    np.testing.assert_allclose(trees.score(rows), booster.predict(rows), atol=1e-9)
    np.testing.assert_allclose(
        trees.score(rows.astype(np.float32)), booster.predict(rows.astype(np.float32)), atol=1e-9
    )
    # A sigmoid's factor, and a forest's mean, are in our leaves, so that the link needs none.
    factor = settings.get("sigmoid", 1.0) / (len(trees) if settings.get("boosting") == "rf" else 1)
    theirs = booster.predict(rows[:40], pred_contrib=True) * factor
    np.testing.assert_allclose(trees.shapley(rows[:40]), theirs[:, :-1], atol=1e-9)
    assert trees.base == pytest.approx(theirs[0, -1], abs=1e-9)


def test_a_model_that_found_no_split_answers_the_same_for_all() -> None:
    booster = grow(np.ones((50, 2)), np.arange(50) % 2)
    trees, _ = read_lightgbm(booster.model_to_string())
    rows = np.random.default_rng(0).normal(size=(5, 2))
    np.testing.assert_allclose(trees.score(rows), booster.predict(rows))
    assert not trees.shapley(rows).any()
    assert not trees.paths(rows).any()


def test_infinite_and_boundary_values_go_where_lightgbm_sends_them() -> None:
    rows, label = table()
    booster = grow(rows, label)
    trees, _ = read_lightgbm(booster.model_to_string())
    edges = np.resize(np.concatenate([trees.threshold, [np.inf, -np.inf, 0.0, -0.0, 1e-40]]), (300, 6))
    np.testing.assert_allclose(trees.score(edges), booster.predict(edges), atol=1e-12)


def test_a_row_scores_alike_alone_and_among_thousands() -> None:
    trees, _ = read_lightgbm(grow(*table()).model_to_string())
    rows, _ = table(9_000, seed=2)
    together = trees.raw(rows)
    for row in (0, 255, 256, 8_191, 8_192, 8_999):
        assert trees.raw(rows[row : row + 1])[0] == together[row]


@pytest.mark.parametrize("kind", [DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier])
def test_trees_of_scikit_learn_answer_alike(kind: Any) -> None:
    rows, label = table()
    rows = rows.astype(np.float32)
    settings = {} if kind is DecisionTreeClassifier else {"n_estimators": 7}
    grown = kind(random_state=0, min_samples_leaf=3, **settings).fit(rows, label)
    asked = table(200, gaps=0.3, seed=1)[0].astype(np.float32)
    trees = take_sklearn(grown)
    np.testing.assert_allclose(trees.score(asked), grown.predict_proba(asked)[:, 1], atol=1e-12)
    again = Trees.from_arrays(trees.arrays())
    assert (again.score(asked) == trees.score(asked)).all()


def test_scikit_learn_trees_of_one_class_and_of_three() -> None:
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    assert take_sklearn(DecisionTreeClassifier().fit(rows, np.ones(6))).score(rows).tolist() == [1.0] * 6
    assert take_sklearn(DecisionTreeClassifier().fit(rows, np.zeros(6))).score(rows).tolist() == [0.0] * 6
    with pytest.raises(UsageError, match="3 classes"):
        take_sklearn(DecisionTreeClassifier().fit(rows, np.arange(6) % 3))
    with pytest.raises(UsageError, match="object"):
        take_sklearn(object())


def test_the_mean_of_models_is_the_mean_of_their_sums() -> None:
    rows, label = table()
    models = [read_lightgbm(grow(rows, label, seed=seed, feature_fraction=0.5).model_to_string())[0] for seed in (1, 2)]
    both = mean_of(models)
    np.testing.assert_allclose(both.raw(rows), (models[0].raw(rows) + models[1].raw(rows)) / 2)
    np.testing.assert_allclose(both.shapley(rows).sum(axis=1) + both.base, both.raw(rows))
    with pytest.raises(UsageError, match="different columns"):
        mean_of([])


def test_contributions_along_paths_add_up_to_the_score() -> None:
    trees, _ = read_lightgbm(grow(*table()).model_to_string())
    rows, _ = table(300, seed=3)
    np.testing.assert_allclose(trees.paths(rows).sum(axis=1) + trees.base, trees.raw(rows))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda text: text[: len(text) // 2], "cut off"),
        (lambda text: "", "cut off"),
        (lambda text: text.replace("num_class=1", "num_class=3"), "several outputs"),
        (lambda text: text.replace("objective=binary", "objective=poisson"), "poisson"),
        (lambda text: text.replace("num_cat=0", "num_cat=1", 1), "categorical"),
        (lambda text: text.replace("is_linear=0", "is_linear=1", 1), "linear"),
        (lambda text: text.replace("leaf_value=", "leaf_value=1 ", 1), "leaf_value"),
        (lambda text: text.replace("left_child=", "left_child=x", 1), "cannot be read"),
        (lambda text: text.replace("max_feature_idx=5", "max_feature_idx=0"), "column"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_not_read_is_refused_by_name(change: Any, named: str) -> None:
    text = grow(*table()).model_to_string()
    with pytest.raises(ArtefactError, match=named):
        read_lightgbm(change(text))


def test_zero_as_missing_is_refused() -> None:
    with pytest.raises(ArtefactError, match="zero_as_missing"):
        read_lightgbm(grow(*table(), zero_as_missing=True).model_to_string())


def test_trees_that_lead_in_a_circle_or_nowhere_are_refused() -> None:
    trees, _ = read_lightgbm(grow(*table()).model_to_string())
    for name, change in {
        "children": lambda array: array * 0,
        "roots": lambda array: array + 10_000,
        "value": lambda array: array * np.nan,
        "threshold": lambda array: array[1:],
        "feature": lambda array: array + 100,
    }.items():
        with pytest.raises(ArtefactError):
            Trees.from_arrays({**trees.arrays(), name: change(trees.arrays()[name])})
    with pytest.raises(ArtefactError, match="no array"):
        Trees.from_arrays({})


def test_rows_of_another_width_are_refused() -> None:
    trees, _ = read_lightgbm(grow(*table()).model_to_string())
    for rows in (np.zeros((2, 5)), np.zeros(6)):
        with pytest.raises(UsageError, match="shape"):
            trees.score(rows)
