"""What labels would add, and how little they carry over to bots of another kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import MissingExtraError
from floorwalker.evaluation.tasks._visitors_data import HUMAN, KINDS, Sessions
from floorwalker.metrics import roc_auc

MODELS = ("random_forest", "gradient_boosting")


def supervised_figures(
    sessions: Sessions, chosen: NDArray[np.bool_], names: Sequence[str], *, seed: int
) -> dict[str, dict[str, dict[str, float]]]:
    """ROC AUC of classifiers, trained and tested on the publishers' sets of people.

    `same_kind` trains and tests on one kind of bot, `other_kind` trains on one and tests on every bot of the other.
    The log holds no advanced bot of the publishers' test set; where a set has no bot, our halves stand in (train on
    choose, test on report). Keys: setting, model, kind tested.
    """
    matrix = sessions.matrix(names)
    answer: dict[str, dict[str, dict[str, float]]] = {"same_kind": {}, "other_kind": {}}
    for model in MODELS:
        for trained in KINDS:
            train, test = _official_rows(sessions, chosen, trained)
            people = test[sessions.label[test] == HUMAN]
            for tested, label in KINDS.items():
                same = trained == tested
                judged = test if same else np.concatenate([people, np.flatnonzero(sessions.label == label)])
                truth = sessions.label[train] != HUMAN
                scores = _fit_and_score(model, matrix[train], truth, matrix[judged], seed)
                figure = round(roc_auc(sessions.label[judged] != HUMAN, scores), 4)
                answer["same_kind" if same else "other_kind"].setdefault(model, {})[tested] = figure
    return answer


def _official_rows(
    sessions: Sessions, chosen: NDArray[np.bool_], kind: str
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the publishers' train and test sets of people and one kind of bot."""
    train, test = (
        np.array([f"humans_and_{KINDS[kind]}s:{part}" in names.split(";") for names in sessions.official])
        for part in ("train", "test")
    )
    bots = sessions.label == KINDS[kind]
    if not (bots & train).any() or not (bots & test).any():
        train = np.where(bots, chosen, train)
        test = np.where(bots, ~chosen, test)
    return np.flatnonzero(train), np.flatnonzero(test)


def _fit_and_score(
    model: str, rows: NDArray[np.float64], truth: NDArray[np.bool_], others: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "evaluate") from error

    if model == "random_forest":
        classifier = RandomForestClassifier(n_estimators=300, random_state=seed, n_jobs=1)
    else:
        classifier = HistGradientBoostingClassifier(max_iter=100, min_samples_leaf=5, random_state=seed)
    scores: NDArray[np.float64] = classifier.fit(rows, truth).predict_proba(others)[:, 1]
    return scores
