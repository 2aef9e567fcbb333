"""What every outlier detector must pass, whatever it is: run over all that the folder holds.

Each check takes a function that makes an unfitted detector, and raises `AssertionError` with the fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly import Detector, Matrix
from floorwalker.errors import ArtefactError, FloorwalkerError, NotReadyError, UsageError
from floorwalker.metrics import roc_auc

Factory = Callable[..., Detector]


def make_crowd(rows: int, width: int, seed: int) -> Matrix:
    """Correlated, skewed columns with one that is mostly zero: what scaled visitor features look like."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(rows, 2))
    values = hidden @ random.normal(size=(2, width)) * 0.6 + random.normal(size=(rows, width))
    values[:, 0] = np.exp(0.5 * values[:, 0])
    values[:, -1] = np.where(random.random(rows) < 0.7, 0.0, np.abs(values[:, -1]))
    return values.astype(np.float32)


def outlier_sets(seed: int = 5) -> dict[str, tuple[Matrix, NDArray[np.bool_]]]:
    """Three sets with their truth: lone outliers, a small far cluster, outliers extreme in half of the columns."""
    random = np.random.default_rng(seed)
    crowd = make_crowd(400, 6, seed)
    lone = random.choice([-1.0, 1.0], (12, 6)) * random.uniform(7, 12, (12, 6))
    cluster = np.full((6, 6), 9.0) + random.normal(size=(6, 6)) * 0.3
    half = crowd[:12].astype(np.float64)
    half[:, :3] += 10.0
    parts = {"lone": lone, "cluster": cluster, "half": half}
    return {
        name: (
            np.concatenate([crowd, part]).astype(np.float32),
            np.arange(len(crowd) + len(part)) >= len(crowd),
        )
        for name, part in parts.items()
    }


def check_range(make: Factory) -> None:
    """Scores are float32 [n] in [0, 1], also for rows enormously far away, and differ between rows."""
    detector = make().fit(make_crowd(300, 5, 1))
    far = np.array([[1e6] * 5, [-1e6] * 5, [1e6, 0, 0, 0, 0]], np.float32)
    scores = detector.score(np.concatenate([make_crowd(50, 5, 2), far]))
    assert scores.dtype == np.float32, f"scores are {scores.dtype}"
    assert scores.shape == (53,), f"scores of shape {scores.shape}"
    assert ((scores >= 0) & (scores <= 1)).all(), "scores outside [0, 1]"
    assert len(np.unique(scores)) > 10, "rows are not told apart"
    empty = detector.score(np.empty((0, 5), np.float32))
    assert empty.shape == (0,), "no rows must give no scores"


def check_purity(make: Factory) -> None:
    """Scoring changes neither the detector nor its input; fitting does not keep hold of its input."""
    rows, others = make_crowd(300, 5, 1), make_crowd(200, 5, 2)
    detector = make().fit(rows)
    before = {name: array.copy() for name, array in detector.state().items()}
    given = others.copy()
    first, second = detector.score(others), detector.score(others)
    assert np.array_equal(first, second), "two calls of score differ"
    assert np.array_equal(given, others), "score changed its input"
    _assert_equal_states(before, detector.state())
    rows[:] = 0
    assert np.array_equal(first, detector.score(others)), "the detector changed with the rows it was fitted on"


def check_batches(make: Factory) -> None:
    """A row's score does not depend on the rows scored with it, nor on their order."""
    detector = make().fit(make_crowd(300, 5, 1))
    rows = make_crowd(97, 5, 2)
    whole = detector.score(rows)
    single = np.concatenate([detector.score(rows[index : index + 1]) for index in range(len(rows))])
    assert np.array_equal(whole, single), "scores change with the size of the batch"
    order = np.random.default_rng(3).permutation(len(rows))
    assert np.array_equal(whole[order], detector.score(rows[order])), "scores change with the order of rows"


def check_training_order(make: Factory) -> None:
    """Where promised (`order_free`), the order of the training rows changes nothing."""
    detector = make()
    if (
        not detector.capabilities.order_free
        or min(getattr(detector, name, 300) for name in ("landmarks", "grid")) < 300
    ):
        return
    rows, others = make_crowd(300, 5, 1), make_crowd(100, 5, 2)
    order = np.random.default_rng(3).permutation(len(rows))
    first, second = make().fit(rows).score(others), make().fit(rows[order]).score(others)
    assert np.allclose(first, second, atol=1e-6), "scores change with the order of the training rows"


def check_determinism(make: Factory) -> None:
    """The same seed gives the same scores; another seed may not change what is unusual."""
    rows, truth = outlier_sets()["lone"]
    first, second = make(seed=3).fit(rows).score(rows), make(seed=3).fit(rows).score(rows)
    assert np.array_equal(first, second), "the same seed gives other scores"
    assert roc_auc(truth, make(seed=4).fit(rows).score(rows)) > 0.95, "another seed loses the outliers"


def check_round_trip(make: Factory) -> None:
    """`state` holds arrays without objects, and `from_state` restores equal scores, bit for bit."""
    rows = make_crowd(300, 5, 1)
    detector = make(columns=("a", "b", "c", "d", "e")).fit(rows)
    state = detector.state()
    for name, array in state.items():
        assert isinstance(array, np.ndarray), f"{name} is not an array"
        assert array.dtype.kind != "O", f"{name} holds objects"
    restored = type(detector).from_state(state)
    assert np.array_equal(detector.score(rows), restored.score(rows)), "restored scores differ"
    _assert_equal_states(state, restored.state())
    for array in state.values():
        array.fill("") if array.dtype.kind == "U" else array.fill(0)
    assert np.array_equal(detector.score(rows), restored.score(rows)), "the detector shares memory with its state"
    for damaged in ({}, {name: array for name, array in detector.state().items() if name != "width"}):
        _assert_refused("lacks", ArtefactError, type(detector).from_state, damaged)


def check_finds_outliers(make: Factory) -> None:
    """Outliers of three kinds rank above inliers, contamination in training included."""
    for name, (rows, truth) in outlier_sets().items():
        found = roc_auc(truth, make().fit(rows).score(rows))
        assert found > 0.9, f"ROC AUC {found:.3f} on the set {name!r}"
        clean = roc_auc(truth, make().fit(rows[~truth]).score(rows))
        assert clean > 0.95, f"ROC AUC {clean:.3f} on the set {name!r}, fitted on inliers"


def check_awkward_rows(make: Factory) -> None:
    """Constant columns, duplicates, few rows and one column are fine: finite scores, the odd row on top."""
    constant = make_crowd(200, 4, 1)
    constant[:, 1] = 3.0
    duplicates = np.repeat(make_crowd(20, 4, 2), 20, axis=0)
    identical = np.full((60, 4), 2.0, np.float32)
    few = make_crowd(max(make().capabilities.minimum_rows, 2), 4, 3)
    single = make_crowd(80, 1, 4)
    for name, rows in {
        "constant column": constant, "duplicates": duplicates, "identical": identical, "few": few, "one column": single
    }.items():  # fmt: skip
        detector = make().fit(rows)
        odd = np.full((1, rows.shape[1]), 40.0, np.float32)
        scores = detector.score(np.concatenate([rows, odd]))
        assert np.isfinite(scores).all(), f"{name}: scores that are not finite"
        assert scores[-1] >= np.quantile(scores[:-1], 0.9), f"{name}: the odd row does not come first"
        if name in ("duplicates", "constant column"):
            assert scores[-1] > np.median(scores[:-1]), f"{name}: the odd row is not told apart"


def check_errors(make: Factory) -> None:
    """Wrong input is refused with a message that names the column and says what to do."""
    names = ("visits", "gap_mean", "entropy")
    rows = make_crowd(100, 3, 1)
    _assert_refused("before it was fitted", NotReadyError, make().score, rows)
    _assert_refused("before it was fitted", NotReadyError, make().state)
    detector = make(columns=names).fit(rows)
    for bad in (np.nan, np.inf, -np.inf):
        broken = rows.copy()
        broken[7, 1] = bad
        _assert_refused("'gap_mean' of row 7", UsageError, detector.score, broken)
        _assert_refused("'gap_mean' of row 7", UsageError, make(columns=names).fit, broken)
        _assert_refused("column 1 of row 7", UsageError, make().fit, broken)
    _assert_refused("'entropy'", UsageError, detector.score, rows[:, :2])
    _assert_refused("column 3", UsageError, detector.score, np.concatenate([rows, rows], axis=1))
    _assert_refused("dimensions", UsageError, detector.score, rows[0])
    _assert_refused("at least", UsageError, make().fit, rows[: detector.capabilities.minimum_rows - 1])
    _assert_refused("no column", UsageError, make().fit, rows[:, :0])


CHECKS: tuple[Callable[[Factory], None], ...] = (
    check_range,
    check_purity,
    check_batches,
    check_training_order,
    check_determinism,
    check_round_trip,
    check_finds_outliers,
    check_awkward_rows,
    check_errors,
)


def _assert_equal_states(first: dict[str, NDArray[Any]], second: dict[str, NDArray[Any]]) -> None:
    assert first.keys() == second.keys(), "states hold different arrays"
    for name, array in first.items():
        assert array.dtype == second[name].dtype, f"{name} changed its type"
        equal_nan = array.dtype.kind == "f"
        assert np.array_equal(array, second[name], equal_nan=equal_nan), f"{name} changed"


def _assert_refused(text: str, kind: type[FloorwalkerError], call: Callable[..., object], *arguments: Any) -> None:
    message = ""
    try:
        call(*arguments)
    except kind as error:
        message = str(error)
    assert message, f"accepted what should be refused with {text!r}"
    assert text in message, f"the message lacks {text!r}: {message}"
