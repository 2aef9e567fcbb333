"""States of outlier detectors that are not what was saved: refused when loaded, never indexed by a kernel."""

import numpy as np
import pytest

from floorwalker.detectors.anomaly import RobustScaling, list_detectors, load_detector
from floorwalker.errors import ArtefactError, UsageError

ROWS = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)
QUICK = {"isolation_forest": {"trees": 8, "sample": 32}, "extended_isolation_forest": {"trees": 8, "sample": 32}}


def fitted(name):
    detector = load_detector(name)
    return detector, detector(**QUICK.get(name, {})).fit(ROWS).state()


@pytest.mark.parametrize("name", list_detectors())
def test_a_missing_array_is_named(name):
    detector, state = fitted(name)
    for key in state:
        with pytest.raises(ArtefactError, match=f"lacks {key.rpartition('.')[2]}|lacks {key}"):
            detector.from_state({other: array for other, array in state.items() if other != key})


@pytest.mark.parametrize("name", list_detectors())
def test_another_type_or_number_of_dimensions_is_refused(name):
    detector, state = fitted(name)
    for key, array in state.items():
        with pytest.raises(ArtefactError, match="train it again"):
            detector.from_state({**state, key: array[None] if array.ndim else np.stack([array] * 2)})
        with pytest.raises(ArtefactError, match="train it again"):
            detector.from_state({**state, key: np.full(array.shape or (), 1j) if array.size else np.ones(1)})
        with pytest.raises(ArtefactError, match="train it again"):
            detector.from_state({**state, key: array.tolist()})


@pytest.mark.parametrize("name", list_detectors())
def test_an_array_cut_short_is_refused_or_does_no_harm(name):
    detector, state = fitted(name)
    refused = 0
    for key, array in state.items():
        for axis, length in enumerate(array.shape):
            for kept in {length - 1, length // 2, 0} - {length}:
                cut = np.take(array, np.arange(max(kept, 0)), axis=axis)
                try:
                    scores = detector.from_state({**state, key: cut}).score(ROWS)
                except ArtefactError:
                    refused += 1
                else:
                    assert np.isfinite(scores).all(), key
    assert refused > 0


@pytest.mark.parametrize("name", list_detectors())
@pytest.mark.parametrize("value", [-1, 10_000, 2**31 - 1])
def test_whole_numbers_that_point_elsewhere_are_refused(name, value):
    detector, state = fitted(name)
    for key, array in state.items():
        if key.rpartition(".")[2] not in {"split_column", "first_child", "count", "others", "limit", "trees"}:
            continue
        with pytest.raises(ArtefactError, match="train it again"):
            detector.from_state({**state, key: np.full_like(array, value)})


@pytest.mark.parametrize("name", ["isolation_forest", "extended_isolation_forest"])
def test_a_tree_that_turns_back_or_leaves_its_nodes_is_refused(name):
    detector, state = fitted(name)
    children = state["first_child"]
    inner = int(np.flatnonzero(children[0] > np.arange(children.shape[1]))[-1])
    for wrong in (0, inner - 1, children.shape[1] - 1, children.shape[1]):
        changed = children.copy()
        changed[0, inner] = wrong
        with pytest.raises(ArtefactError, match="first_child"):
            detector.from_state({**state, "first_child": changed})
    if name == "isolation_forest":
        leaf = children.copy(), state["split_value"].copy()
        leaf[0][0, -1], leaf[1][0, -1] = children.shape[1] - 1, 0.0
        with pytest.raises(ArtefactError, match="points outside"):
            detector.from_state({**state, "first_child": leaf[0], "split_value": leaf[1]})


@pytest.mark.parametrize(
    ("name", "key", "value", "told"),
    [
        ("knn", "count", np.array(60), "fewer than its 60 reference rows"),
        ("knn", "typical", np.array(0.0), "zero or less"),
        ("knn", "reference", np.full((60, 3), np.nan, np.float32), "not finite"),
        ("lof", "k_distance", np.full(60, -1.0), "below 0"),
        ("dbscan", "setting.radius", np.array(np.nan), "not finite"),
        ("dbscan", "setting.radius", np.array(-1.0), "radius=-1"),
        ("ecod", "ordered", -np.sort(ROWS, axis=0).T.copy(), "not sorted"),
        ("ecod", "setting.columns", np.array(["a", "b"]), "names 2 columns"),
        ("histogram", "bits", np.zeros((3, 48)), "48 places"),
        ("isolation_forest", "limit", np.array(2**40), "limit"),
        ("ensemble", "grid.knn", np.array([1.0, 0.0], np.float32), "not sorted"),
        ("ensemble", "setting.members", np.array(["nobody"]), "nobody"),
        ("ensemble", "member.knn.reference", np.zeros((5, 3), np.float32), "fewer than its 5"),
    ],
)
def test_what_does_not_fit_together_is_named(name, key, value, told):
    detector, state = fitted(name)
    with pytest.raises(ArtefactError, match=told):
        detector.from_state({**state, key: value})


def test_members_of_other_widths_are_refused():
    detector, state = fitted("ensemble")
    other = load_detector("knn")().fit(ROWS[:, :2]).state()
    with pytest.raises(ArtefactError, match="member knn of Ensemble is of 2 columns"):
        detector.from_state({**state, **{f"member.knn.{key}": array for key, array in other.items()}})


def test_a_scaling_of_unequal_arrays_is_refused():
    state = RobustScaling.fit(ROWS).state()
    with pytest.raises(ArtefactError, match="scale of a scaling has 2"):
        RobustScaling.from_state({**state, "scale": state["scale"][:2]})
    with pytest.raises(ArtefactError, match="type float64; allowed: bool"):
        RobustScaling.from_state({**state, "logarithmic": state["centre"]})


@pytest.mark.parametrize("name", list_detectors())
def test_the_worst_row_of_all_has_a_score(name):
    rows = ROWS.copy()
    rows[0] = 1e20
    scores = load_detector(name)().fit(rows).score(rows)
    assert np.isfinite(scores).all()
    assert scores[0] == scores.max()
    clean = load_detector(name)().fit(ROWS)
    far = clean.score(np.array([[1e20] * 3, [-1e25] * 3, [3.4e38] * 3], np.float32))
    assert np.isfinite(far).all()
    if name in {"knn", "lof", "dbscan", "ensemble"}:
        assert far.min() >= clean.score(ROWS).max()


@pytest.mark.parametrize("name", ["knn", "lof", "dbscan", "ensemble"])
@pytest.mark.parametrize("size", [1e20, 1e30, 1e37])
def test_enormous_rows_are_scored_as_ordinary_ones(name, size):
    large = (ROWS.astype(np.float64) * size).astype(np.float32)
    detector = load_detector(name)
    scores = detector().fit(large).score(large)
    assert scores == pytest.approx(detector().fit(ROWS).score(ROWS), abs=2e-3)
    assert np.array_equal(detector.from_state(detector().fit(large).state()).score(large), scores)


@pytest.mark.parametrize("name", list_detectors())
def test_rows_that_are_no_numbers_are_refused_by_name(name):
    detector = load_detector(name)().fit(ROWS)
    for rows in (np.array([["a", "b", "c"]]), [[1.0, 2.0], [3.0]], [[object(), 1, 2]], [[10**400, 1, 2]]):
        for call in (detector.score, load_detector(name)().fit):
            with pytest.raises(UsageError, match=r"no numbers.*allowed.*turn texts into numbers"):
                call(rows)
    with pytest.raises(UsageError, match=r"column 0 of row 0 is inf.*float32"):
        detector.score(np.full((1, 3), 1e300))
