"""Gradient-boosted trees over tabular features: the detector of this family.

Grown by LightGBM (Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017), kept as its
text, scored without it. Fraud is rare, so it hides in the ends of the columns: histograms have 2,047 bins rather than
the usual 255, which moved average precision by 4 to 8 points on the simulated card payments of the Fraud Detection
Handbook.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.detectors.signal import Contribution, Reason
from floorwalker.detectors.transaction._reasons import as_reasons, name_contributions
from floorwalker.detectors.transaction._rows import (
    hold_latest,
    take_labels,
    take_names,
    take_rows,
    take_weights,
    usual_values,
)
from floorwalker.errors import ArtefactError, NotReadyError, UsageError
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.models.trees import Trees, mean_of
from floorwalker.models.trees_lightgbm import read_lightgbm

NAME, VERSION = "transaction.boosted_trees", 1
FACTS = "model.json"
METRICS = ("binary_logloss", "average_precision", "auc")
"""What rounds may be chosen by."""


class BoostedTrees:
    """Boosted trees, one model for each abuse type.

    Parameters
    ----------
    rounds : most trees of a model.
    leaves : most leaves of a tree.
    rate : share of each tree that is taken.
    max_bin : bins of a column's histogram.
    least_rows : fewest training rows in a leaf.
    l2 : penalty on a leaf's value.
    row_share, column_share : drawn for each tree.
    positive_weight : weight of a fraud beside an honest row; `balanced` gives both classes the same sum, `1` keeps the
        scores probabilities.
    validation_share : the latest part of the rows, on which the number of rounds is chosen; 0 takes `blind_rounds`.
    patience : rounds without a better `metric` on that part, after which growing stops.
    metric : `binary_logloss`, `average_precision` or `auc`.
    blind_rounds : rounds where there is no validation part, or hardly a fraud in it.
    refit : learn once more from all rows with the rounds found: the latest days are the most like tomorrow.
    models : models with different seeds whose log odds are averaged.
    monotone : name of a column -> 1 where more may only raise the score, -1 where it may only lower it.
    seed : of the drawing.
    threads : of training; 0 takes all, and one for a table of fewer than 200,000 numbers. Scoring runs on one.
    extra : further LightGBM parameters by their names, which win over those above.

    Errors
    ------
    `UsageError` at construction for values out of range; `MissingExtraError` at `fit` without the extra `train`.

    >>> random = np.random.default_rng(0)
    >>> rows = random.normal(size=(400, 3))
    >>> fraud = rows[:, 1] > 1.2
    >>> trees = BoostedTrees(rounds=40, rate=0.3, threads=1).fit(rows, fraud, names=["age", "amount", "hour"])
    >>> trees.score([[0.0, 3.0, 0.0], [0.0, -3.0, 0.0]]).round(1).tolist()
    [1.0, 0.0]
    >>> trees.reasons([[0.0, 3.0, 0.0]])[0][0].code
    'transaction.score.amount'
    """

    def __init__(
        self,
        *,
        rounds: int = 600,
        leaves: int = 31,
        rate: float = 0.05,
        max_bin: int = 2047,
        least_rows: int = 20,
        l2: float = 1.0,
        row_share: float = 1.0,
        column_share: float = 0.8,
        positive_weight: float | Literal["balanced"] = 1.0,
        validation_share: float = 0.15,
        patience: int = 50,
        metric: Literal["binary_logloss", "average_precision", "auc"] = "binary_logloss",
        blind_rounds: int = 100,
        refit: bool = True,
        models: int = 1,
        monotone: Mapping[str, int] | None = None,
        seed: int = 0,
        threads: int = 0,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        faults = [
            f"{name} is {value!r}, allowed: {allowed}"
            for name, value, allowed, fits in (
                ("rounds", rounds, "1 and up", rounds >= 1),
                ("leaves", leaves, "2 and up", leaves >= 2),
                ("rate", rate, "above 0, at most 1", 0 < rate <= 1),
                ("max_bin", max_bin, "2 to 65535", 2 <= max_bin <= 65_535),
                ("least_rows", least_rows, "1 and up", least_rows >= 1),
                ("l2", l2, "0 and up", l2 >= 0),
                ("row_share", row_share, "above 0, at most 1", 0 < row_share <= 1),
                ("column_share", column_share, "above 0, at most 1", 0 < column_share <= 1),
                ("positive_weight", positive_weight, "above 0, or balanced",
                 positive_weight == "balanced" if isinstance(positive_weight, str) else positive_weight > 0),
                ("validation_share", validation_share, "0 to below 1", 0 <= validation_share < 1),
                ("patience", patience, "1 and up", patience >= 1),
                ("metric", metric, ", ".join(METRICS), metric in METRICS),
                ("blind_rounds", blind_rounds, "1 and up", blind_rounds >= 1),
                ("models", models, "1 and up", models >= 1),
                ("monotone", monotone, "-1, 0 or 1 by name", set((monotone or {}).values()) <= {-1, 0, 1}),
            )
            if not fits
        ]  # fmt: skip
        if faults:
            raise UsageError("; ".join(faults))
        self.rounds, self.patience, self.blind_rounds, self.refit = rounds, patience, blind_rounds, refit
        self.positive_weight, self.validation_share, self.models, self.seed = (
            positive_weight, validation_share, models, seed,
        )  # fmt: skip
        self.monotone = {str(name): direction for name, direction in (monotone or {}).items()}
        self._settings: dict[str, Any] = {
            "objective": "binary", "metric": metric, "num_leaves": leaves, "learning_rate": rate, "max_bin": max_bin,
            "min_data_in_leaf": least_rows, "min_data_in_bin": 1, "lambda_l2": l2, "bagging_fraction": row_share,
            "bagging_freq": int(row_share < 1), "feature_fraction": column_share, "num_threads": threads,
            "verbosity": -1, "deterministic": True, "force_row_wise": True, **(extra or {}),
        }  # fmt: skip
        self.names: tuple[str, ...] = ()
        self.outputs: tuple[str, ...] = ()
        self.usual: NDArray[np.float32] = np.zeros(0, np.float32)
        self.meanings: Mapping[str, str] = {}
        """What features are, in a phrase, by their names: reasons say it instead of the name."""
        self._texts: dict[str, list[str]] = {}
        self._trees: dict[str, Trees] = {}
        self._flat = True

    def fit(
        self,
        rows: ArrayLike,
        labels: ArrayLike,
        *,
        names: Sequence[object] | None = None,
        outputs: Sequence[object] | None = None,
        weights: ArrayLike | None = None,
        at: ArrayLike | None = None,
        held: ArrayLike | None = None,
    ) -> BoostedTrees:
        """Learn.

        Parameters
        ----------
        rows : [n, d] of numbers; NaN where missing. Constant columns do no harm.
        labels : [n] of 0 and 1, or [n, L] for L abuse types; NaN where nobody knows: such a row teaches that type
            nothing.
        names : of the d columns; numbers are taken as their texts.
        outputs : of the L labels, taken likewise; `score`, or ``score_0`` and so on, without.
        weights : [n], of the rows.
        at : [n], when each row happened; without it the rows stand in their order in time.
        held : bool [n], the validation part where it is not to be the latest.

        Errors
        ------
        `UsageError` where the arrays do not fit together, a monotone name is no column, or the only label has not both
        classes. Of several labels, one without both is left out: its scores are NaN, and `unlearned` names it.
        """
        from floorwalker.detectors.transaction._training import grow

        taken = take_rows(rows)
        count, columns = taken.shape
        known = take_labels(labels, count)
        weight, names = take_weights(weights, count), take_names(names, columns)
        self._flat = np.ndim(labels) == 1
        titles = tuple(str(title) for title in outputs) if outputs is not None else _titles(known.shape[1], self._flat)
        if len(titles) != known.shape[1] or len(set(titles)) != len(titles):
            raise UsageError(f"outputs {titles}", allowed=f"{known.shape[1]} different names")
        if unknown := sorted(set(self.monotone) - set(names)):
            raise UsageError(f"monotone names {', '.join(unknown)}", allowed="names of columns")
        later = hold_latest(at, count, self.validation_share, held)
        settings = dict(self._settings)
        if self.monotone:
            settings["monotone_constraints"] = [self.monotone.get(name, 0) for name in names]
        texts: dict[str, list[str]] = {}
        for title, label in zip(titles, known.T, strict=True):
            told = ~np.isnan(label) & (weight > 0)
            positives = int((label[told] == 1).sum())
            if positives == 0 or positives == told.sum():
                continue
            every = bool(told.all())
            heavy = weight[told] * np.where(label[told] == 1, self._weight_of(label[told], weight[told]), 1.0)
            texts[title] = grow(
                taken if every else taken[told], label[told], weights=heavy, held=later[told], names=names,
                settings=settings, seeds=[self.seed + 1_000 * place for place in range(self.models)],
                rounds=self.rounds, patience=self.patience, blind_rounds=self.blind_rounds, refit=self.refit,
            )  # fmt: skip
        if not texts:
            raise UsageError("labels of one class only", allowed="rows of both classes for at least one label")
        honest: NDArray[np.bool_] = np.asarray(~(known == 1).any(axis=1))
        self.names, self.outputs, self.usual = names, titles, usual_values(taken, honest)
        self._take(texts)
        return self

    def _weight_of(self, label: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
        if self.positive_weight == "balanced":
            positive = float(weight[label == 1].sum())
            return max(float(weight.sum()) - positive, 1e-9) / max(positive, 1e-9)
        return float(self.positive_weight)

    def _take(self, texts: dict[str, list[str]]) -> None:
        self._texts = texts
        self._trees = {title: mean_of([read_lightgbm(text)[0] for text in several]) for title, several in texts.items()}
        for trees in self._trees.values():
            if trees.features != len(self.names):
                raise ArtefactError(f"trees over {trees.features} columns", allowed=f"{len(self.names)}")

    @property
    def unlearned(self) -> tuple[str, ...]:
        """Labels that had not both classes in training."""
        return tuple(title for title in self.outputs if title not in self._trees)

    def trees(self, output: str | None = None) -> Trees:
        """The trees of one label, of the only one without a name."""
        return self._trees[self._title(output)]

    def score(self, rows: ArrayLike) -> NDArray[np.float32]:
        """Probability of fraud among rows as in training (with `positive_weight` 1): float32 [n], or [n, L] where
        training had several labels; NaN in the columns of `unlearned`.

        Scoring is pure, and a row's score does not depend on the rows beside it.
        """
        self._check()
        taken = take_rows(rows, len(self.names))
        answer = np.full((len(taken), len(self.outputs)), np.nan, np.float32)
        for place, title in enumerate(self.outputs):
            if title in self._trees:
                answer[:, place] = self._trees[title].score(taken)
        return answer[:, 0] if self._flat else answer

    def explain(self, rows: ArrayLike, *, output: str | None = None) -> NDArray[np.float64]:
        """Shapley values in log odds (TreeSHAP): float64 [n, d]. Milliseconds a row; `reasons` needs microseconds."""
        return self.trees(output).shapley(take_rows(rows, len(self.names)))

    def reasons(
        self, rows: ArrayLike, *, output: str | None = None, most: int = 3, full: bool = False
    ) -> list[list[Reason]]:
        """Why each row's score is as high as it is: n lists, the strongest reason first.

        Parameters
        ----------
        output : the label; not needed where there is one.
        most : most reasons a row.
        full : by Shapley values rather than by the splits on the row's paths.
        """
        title = self._title(output)
        return as_reasons(f"transaction.{title}", self.contributions(rows, output=title, most=most, full=full))

    def contributions(
        self, rows: ArrayLike, *, output: str | None = None, most: int = 3, full: bool = False
    ) -> list[list[Contribution]]:
        """As `reasons`, by the names of the columns."""
        trees, taken = self._trees[self._title(output)], take_rows(rows, len(self.names))
        given = trees.shapley(taken) if full else trees.paths(taken)
        return name_contributions(given, taken, self.names, self.usual, most=most, meanings=self.meanings)

    def save(self, folder: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        """Write LightGBM's text for each label and model, names and usual values, and a manifest with `facts`."""
        self._check()
        told = {
            "names": self.names,
            "outputs": self.outputs,
            "flat": self._flat,
            "models": {title: len(several) for title, several in self._texts.items()},
            "usual": [None if np.isnan(value) else float(value) for value in self.usual],
            "meanings": dict(self.meanings),
        }
        files = {FACTS: (json.dumps(told, indent=1) + "\n").encode()}
        for title, several in self._texts.items():
            for number, text in enumerate(several):
                files[_file(self.outputs.index(title), number)] = text.encode()
        save_artefact(folder, name=NAME, version=VERSION, files=files, facts=facts or {})

    @classmethod
    def load(cls, folder: Path) -> BoostedTrees:
        """What `save` wrote, ready to score; LightGBM is not needed.

        Errors
        ------
        `ArtefactError` where the folder is damaged or holds something else.
        """
        artefact = load_artefact(folder, name=NAME, version=VERSION)
        try:
            told = json.loads(artefact.files[FACTS])
            loaded = cls()
            loaded.names, loaded.outputs, loaded._flat = tuple(told["names"]), tuple(told["outputs"]), told["flat"]
            loaded.usual = np.array([np.nan if value is None else value for value in told["usual"]], np.float32)
            loaded.meanings = told["meanings"]
            texts = {
                title: [artefact.files[_file(loaded.outputs.index(title), number)].decode() for number in range(count)]
                for title, count in told["models"].items()
            }
        except (KeyError, ValueError, TypeError) as broken:
            raise ArtefactError(f"{folder} holds no boosted trees: {broken!r}", fix="train the model again") from broken
        loaded._take(texts)
        return loaded

    def _check(self) -> None:
        if not self._trees:
            raise NotReadyError("the trees are not fitted", fix="call fit, or load")

    def _title(self, output: str | None) -> str:
        self._check()
        if output is None and len(self._trees) == 1:
            return next(iter(self._trees))
        if output not in self._trees:
            raise UsageError(f"output {output!r}", allowed=", ".join(self._trees))
        return output


def _titles(count: int, flat: bool) -> tuple[str, ...]:
    return ("score",) if flat else tuple(f"score_{place}" for place in range(count))


def _file(output: int, number: int) -> str:
    return f"trees_{output}_{number}.txt"
